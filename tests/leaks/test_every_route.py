"""Every route of HTTP, asked by everybody: nobody reads what he or she must not see."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest
from fastapi import FastAPI

from leaks.conftest import World, belongs, relate
from leaks.walking import JSON, OURS, walk
from radiology.app import App

pytestmark = pytest.mark.anyio

ClientAs = Callable[..., Awaitable[httpx2.AsyncClient]]
STAFF = [
    "consultant", "radiologist", "resident", "radiographer", "referrer", "qa", "records", "cashier", "manager",
    "service",
]  # fmt: skip


@pytest.mark.parametrize("role", STAFF)
async def test_staff_read_nothing_of_other_facilities_and_nothing_within_sensitive_studies(
    world: World, app: App, service: FastAPI, client_as: ClientAs, role: str
) -> None:
    secrets = [text for study in world.sensitive for text in study.within]
    secrets += [text for study in world.of_others for text in study.all]
    client = await client_as(role)
    await belongs(app, role)
    await walk(service, client, [world.breast, world.elsewhere], secrets)


async def test_an_administrator_sees_sensitive_studies_masked(
    world: World, service: FastAPI, client_as: ClientAs
) -> None:
    secrets = [text for study in world.studies if study.sensitive for text in study.within]
    await walk(service, await client_as("administrator"), world.studies, secrets)


async def test_nobody_and_who_is_disabled_read_nothing(
    world: World, app: App, service: FastAPI, client: httpx2.AsyncClient, client_as: ClientAs
) -> None:
    secrets = [text for study in world.studies for text in study.all]
    await walk(service, client, [world.ordinary], secrets)
    disabled = await client_as("radiologist")
    async with app.db.transaction() as tx:
        await tx.run("UPDATE accounts SET disabled_at = now() WHERE name = 'radiologist'")
    await walk(service, disabled, [world.ordinary], secrets)


async def test_a_patient_reads_of_no_other(world: World, app: App, service: FastAPI, client_as: ClientAs) -> None:
    patient = await client_as("patient")
    await relate(app, "patient", world.breast, "self")
    secrets = [text for study in world.studies if study is not world.breast for text in study.all]
    answers = await walk(service, patient, world.studies, secrets)
    assert any(world.breast.within[0] in answer.text for answer in answers), "their own they see in full"


async def test_who_breaks_the_glass_reads_that_patient_and_no_forensic_study(
    world: World, app: App, service: FastAPI, client_as: ClientAs
) -> None:
    client = await client_as("radiologist")
    await belongs(app, "radiologist")
    await relate(app, "radiologist", world.breast, "break-glass")
    await relate(app, "radiologist", world.forensic, "break-glass")
    secrets = [*world.forensic.within, *(text for study in world.of_others for text in study.all)]
    await walk(service, client, world.studies, secrets)
    assert (await client.get(f"/dicomweb/studies/{world.breast.uid}/metadata")).status_code == 200
    assert (await client.get(f"/dicomweb/studies/{world.forensic.uid}/metadata")).status_code == 404
    assert world.breast.uid not in (await client.get("/dicomweb/studies")).text, "nobody is searched for"
    study = f"/api/radiology/studies/{world.breast.uid}"
    assert (await client.get(f"{study}/dicom/zip")).status_code == 403, "nothing leaves the service"
    assert (await client.post(f"{study}/links", json={"hours": 1})).status_code == 403


async def test_a_link_opens_one_study(
    world: World, app: App, service: FastAPI, client: httpx2.AsyncClient, client_as: ClientAs
) -> None:
    """A sensitive one, in the care of who made the link, whatever else that person may see."""
    doctor = await client_as("radiologist")
    for study in world.studies:
        await relate(app, "radiologist", study)
    made = await doctor.post(f"/api/radiology/studies/{world.breast.uid}/links", json={"hours": 1, "withPin": True})
    assert made.status_code == 201, made.text
    opened = await client.post(made.json()["url"], data={"pin": made.json()["pin"]}, headers=OURS)
    assert opened.status_code == 303, opened.text
    secrets = [text for study in world.studies if study is not world.breast for text in study.all]
    answers = await walk(service, client, world.studies, secrets, OURS | JSON)
    assert any(world.breast.within[0] in answer.text for answer in answers)
    assert (await client.get(f"/dicomweb/studies/{world.breast.uid}/metadata")).status_code == 200
