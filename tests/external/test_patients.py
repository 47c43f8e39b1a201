"""The registry in memory and a FHIR server give the same patients; what they say is kept and survives their absence."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import make
from node import free_port
from radiology.app import App
from radiology.errors import Unavailable
from radiology.external.patients.fhir import FHIRPatients
from radiology.external.patients.memory import PatientsInMemory
from radiology.external.patients.model import ForeignPatient, PatientRegistry
from radiology.kit.clock import SetClock

pytestmark = pytest.mark.anyio

NID, HOSPITAL = "http://dghs.gov.bd/identifier/nid", "urn:radiology:facility:LOCAL"
LOOKUP = "/api/radiology/patients/lookup"
KARIM = ForeignPatient(
    "Patient/777", ((NID, "1234567890"), (HOSPITAL, "H-7")), "Karim^Abdul", "করিম আব্দুল", "19800101", True, "M",
    "01712345678", "Dhanmondi, Dhaka",
)  # fmt: skip
REPLACED = ForeignPatient("Patient/778", ((NID, "9876543210"),), "Korim^Abdul", sex="M", replaced_by="Patient/777")
RESOURCES: dict[str, dict[str, Any]] = {
    "777": {
        "resourceType": "Patient", "id": "777", "birthDate": "1980", "gender": "male",
        "identifier": [{"system": NID, "value": "1234567890"}, {"system": HOSPITAL, "value": "H-7"},
                       {"system": NID, "value": "1111111111", "use": "old"}],
        "name": [{"use": "official", "family": "Karim", "given": ["Abdul"],
                  "extension": [{"url": "https://fhir.example/nameBn", "valueString": "করিম আব্দুল"}]}],
        "telecom": [{"system": "phone", "value": "01712345678"}], "address": [{"text": "Dhanmondi, Dhaka"}],
    },
    "778": {
        "resourceType": "Patient", "id": "778", "gender": "male", "active": False,
        "identifier": [{"system": NID, "value": "9876543210"}], "name": [{"family": "Korim", "given": ["Abdul"]}],
        "link": [{"type": "replaced-by", "other": {"reference": "Patient/777"}}],
    },
}  # fmt: skip


@asynccontextmanager
async def fhir_server(*, broken: bytes | None = None) -> AsyncIterator[str]:
    """A FHIR R4 server on loopback that has the resources above; its address."""

    async def read(request: Request) -> Response:
        if broken is not None:
            return Response(broken)
        found = RESOURCES.get(request.path_params["id"])
        return JSONResponse(found or {"resourceType": "OperationOutcome"}, 200 if found else 404)

    async def search(request: Request) -> Response:
        if broken is not None:
            return Response(broken)
        system, _, value = request.query_params["identifier"].partition("|")
        found = [
            each
            for each in RESOURCES.values()
            if any((one["system"], one["value"], one.get("use")) == (system, value, None) for one in each["identifier"])
        ]
        return JSONResponse({"resourceType": "Bundle", "entry": [{"resource": each} for each in found]})

    routes = [Route("/fhir/Patient", search), Route("/fhir/Patient/{id}", read)]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, log_level="warning", lifespan="off"))
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn tells by this alone.
            await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/fhir/"
    finally:
        server.should_exit = True
        await running


@pytest.fixture(params=["memory", "fhir"])
async def registry(request: pytest.FixtureRequest) -> AsyncIterator[PatientRegistry]:
    """Either of the two, with the same patients."""
    if request.param == "memory":
        yield PatientsInMemory([KARIM, REPLACED])
        return
    async with fhir_server() as url:
        yield FHIRPatients(url)


async def test_both_give_the_same(registry: PatientRegistry) -> None:
    assert await registry.find("Patient/777") == KARIM
    assert await registry.find("Patient/999") is None
    assert await registry.search(NID, "1234567890") == [KARIM]
    assert await registry.search(HOSPITAL, "H-7") == [KARIM]
    assert await registry.search(NID, "9876543210") == [REPLACED]
    assert await registry.search(NID, "1111111111") == []


@pytest.mark.parametrize(
    "broken", [b"", b"[]", b"<html>", b'{"resourceType": "Observation"}', b'{"resourceType": "Bundle", "entry": [4]}',
               b'{"resourceType": "Patient", "id": "777", "birthDate": "soon"}']
)  # fmt: skip
async def test_what_is_no_answer_is_none(broken: bytes) -> None:
    async with fhir_server(broken=broken) as url:
        with pytest.raises(Unavailable):
            await FHIRPatients(url).search(NID, "1234567890")
        with pytest.raises(Unavailable):
            await FHIRPatients(url).find("Patient/777")


async def test_nobody_at_the_address() -> None:
    with pytest.raises(Unavailable):
        await FHIRPatients(f"http://127.0.0.1:{free_port()}").find("Patient/777")


@pytest.fixture
def foreign(app: App) -> PatientsInMemory:
    """The registry that this service asks."""
    patients = PatientsInMemory([KARIM, REPLACED])
    object.__setattr__(app, "patients", patients)
    return patients


async def test_what_the_registry_says_is_kept_and_survives_its_absence(
    app: App, clock: SetClock, client_as: Any, foreign: PatientsInMemory
) -> None:
    clerk = await client_as("records")
    found = (await clerk.post(LOOKUP, json={"type": "NID", "value": "১২৩৪৫৬৭৮৯০"})).json()
    assert found["source"] == "registry"
    (patient,) = found["results"]
    assert (patient["reference"], patient["name"], patient["nameBangla"]) == ("Patient/777", "Karim^Abdul", "করিম আব্দুল")
    assert (patient["birthDate"], patient["birthDateEstimated"]) == ("1980-01-01", True)
    assert patient["phone"] == "+8801712345678"
    assert (patient["registryAgeSeconds"], patient["stale"]) == (0, False)
    foreign.away = True
    clock.advance(2 * 86_400)
    copy = (await clerk.post(LOOKUP, json={"type": "NID", "value": "1234567890"})).json()
    assert copy["source"] == "copy"
    assert (copy["results"][0]["registryAgeSeconds"], copy["results"][0]["stale"]) == (2 * 86_400, True)


async def test_what_changed_there_is_served_here_and_who_was_replaced_is_merged(
    app: App, client_as: Any, foreign: PatientsInMemory
) -> None:
    clerk = await client_as("records")
    await make.a_study(app, PatientID="H-7", PatientName="Karim^Abdul", PatientSex="M", PatientBirthDate="19800101")
    old = {"name": "Korim^Abdul", "sex": "M", "identifiers": [{"type": "MR", "value": "H-8"},
                                                             {"type": "NID", "value": "9876543210"}]}  # fmt: skip
    await clerk.post("/api/radiology/patients", json=old)
    foreign.patients["Patient/777"] = ForeignPatient(
        "Patient/777", KARIM.identifiers, "Kareem^Abdul", birth_date="19800302", sex="M"
    )
    found = (await clerk.post(LOOKUP, json={"type": "NID", "value": "9876543210"})).json()
    assert [each["name"] for each in found["results"]] == ["Kareem^Abdul"]
    async with app.db.transaction() as tx:
        served = await tx.value("SELECT jsonb_build_array(patient_name, patient_birth_date) FROM imaging_studies")
        merges = await tx.value("SELECT count(*) FROM patient_repairs WHERE kind = 'merge'")
    assert served == ["Kareem^Abdul", "19800302"]
    assert merges == 1
    again = (await clerk.post(LOOKUP, json={"type": "MR", "value": "H-8"})).json()
    assert [each["name"] for each in again["results"]] == ["Kareem^Abdul"]


async def test_without_a_registry_elsewhere_what_is_known_here_is_found(client_as: Any) -> None:
    clerk = await client_as("records")
    await clerk.post("/api/radiology/patients", json={"name": "A^B", "identifiers": [{"type": "MR", "value": "M-1"}]})
    found = (await clerk.post(LOOKUP, json={"type": "MR", "value": "M-1"})).json()
    assert (found["source"], len(found["results"])) == ("local", 1)
