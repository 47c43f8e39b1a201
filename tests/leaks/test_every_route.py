"""Every route of HTTP, asked by everybody: nobody reads what he or she must not see."""

import re
from collections.abc import Awaitable, Callable

import httpx2
import pytest
from fastapi import FastAPI
from starlette.routing import Route

from leaks.conftest import Study, World, belongs, relate
from radiology.app import App

pytestmark = pytest.mark.anyio

ClientAs = Callable[..., Awaitable[httpx2.AsyncClient]]
STAFF = ["consultant", "radiologist", "resident", "radiographer", "referrer", "qa", "records", "service"]
JSON = {"accept": "application/dicom+json, application/json;q=0.9, */*;q=0.1"}
#: They never end; what they tell is read at `/api/radiology/changes` and `/api/radiology/associations` too.
ENDLESS = {"/api/radiology/events", "/api/radiology/associations/stream"}
OPEN_STUDIES = re.compile(r"/dicomweb/(studies|series|instances)")


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
    secrets = [text for study in (*world.sensitive, world.sensitive_elsewhere) for text in study.within]
    await walk(service, await client_as("administrator"), [world.breast, world.forensic], secrets)


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
    assert any(world.breast.within[0] in answer for answer in answers), "their own they see in full"


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


async def walk(service: FastAPI, client: httpx2.AsyncClient, studies: list[Study], secrets: list[str]) -> list[str]:
    """Ask everything for every study; returns all answers as text."""
    answers: list[str] = []
    for path, method in sorted(routes_of(service), key=lambda route: (route[1] != "GET", route)):
        if path in ENDLESS or path == "/logout":
            continue
        for study in studies if "{" in path else studies[:1]:
            filled = fill(path, study)
            parameters = {"includefield": "all"} if OPEN_STUDIES.fullmatch(filled) else {}
            body = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
            answer = await client.request(method, filled, headers=JSON, params=parameters, **body)
            text = answer.text + repr(sorted(answer.headers.items()))
            told = [secret for secret in secrets if secret in text and secret not in filled]
            assert told == [], (method, filled, answer.status_code, told, answer.text[:400])
            answers.append(answer.text)
    return answers


def fill(path: str, study: Study) -> str:
    """The path with what each of its parameters can be. A parameter that is new must be given its meaning here."""
    image = study.stored.objects[0]
    meant = {
        "study": study.uid, "series": str(image.SeriesInstanceUID), "instance": str(image.SOPInstanceUID),
        "report": str(study.report), "frames": "1", "bulkdata": "7FE00010", "patient": str(image.PatientID),
    }  # fmt: skip

    def value(match: re.Match[str]) -> str:
        name = match.group(1).partition(":")[0]
        return meant.get(name.removesuffix("_id").removesuffix("_uid"), str(study.id))

    return re.sub(r"\{([^}]*)\}", value, path)


def routes_of(service: FastAPI) -> set[tuple[str, str]]:
    """Every address with every method, of the described API and of all that is beside it."""
    plain = {
        (route.path, method) for route in service.routes if isinstance(route, Route) for method in route.methods or ()
    }
    described = {(path, method.upper()) for path, item in service.openapi()["paths"].items() for method in item}
    found = {(path, method) for path, method in plain | described if method != "HEAD"}
    assert len(found) > 100
    return found
