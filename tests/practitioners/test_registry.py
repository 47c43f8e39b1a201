"""The registry of this service and a FHIR server give the same practitioners."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from node import free_port
from radiology.app import App
from radiology.errors import Unavailable
from radiology.external.practitioners import local
from radiology.external.practitioners.fhir import FHIRRegistry
from radiology.external.practitioners.model import BMDC_SYSTEM, Practitioner, Privilege, Registry

pytestmark = pytest.mark.anyio

AYESHA = Practitioner(
    "Practitioner/222", "Dr. Ayesha Rahman", "ডা. আয়েশা রহমান", True, "A-12345", date(2020, 1, 1), date(2030, 12, 31),
    frozenset({"radiology"}),
    (Privilege("10000033", frozenset({"CT", "DX"}), date(2025, 1, 1), date(2027, 12, 31)),),
)  # fmt: skip
KARIM = Practitioner("Practitioner/223", "Karim", active=False)

DCM = "http://dicom.nema.org/resources/ontology/DCM"
RESOURCES: dict[str, dict[str, Any]] = {
    "222": {
        "resourceType": "Practitioner", "id": "222",
        "identifier": [{"system": "urn:other", "value": "1"},
                       {"system": BMDC_SYSTEM, "value": "12345", "period": {"start": "2020", "end": "2030-12"}}],
        "name": [{"use": "official", "text": "Dr. Ayesha Rahman",
                  "extension": [{"url": "https://fhir.example/nameBn", "valueString": "ডা. আয়েশা রহমান"}]}],
    },
    "223": {"resourceType": "Practitioner", "id": "223", "active": False, "name": [{"given": ["Karim"]}]},
}  # fmt: skip
ROLES = [
    {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/222"},
     "organization": {"reference": "Organization/7"}, "period": {"start": "2025-01-01", "end": "2027-12-31"},
     "code": [{"coding": [{"system": DCM, "code": "CT"}]}, {"coding": [{"system": DCM, "code": "DX"}]}],
     "specialty": [{"coding": [{"system": "http://snomed.info/sct", "code": "394914008"}]}]},
    {"resourceType": "PractitionerRole", "active": False, "practitioner": {"reference": "Practitioner/222"},
     "organization": {"reference": "Organization/7"}, "code": [{"coding": [{"system": DCM, "code": "MG"}]}]},
    {"resourceType": "Organization", "id": "7",
     "identifier": [{"system": "http://hrm.dghs.gov.bd/facilities/code", "value": "10000033"}]},
]  # fmt: skip

Find = Callable[[], Awaitable[Registry]]


@asynccontextmanager
async def fhir_server(asked: list[str], *, broken: bytes | None = None) -> AsyncIterator[str]:
    """A FHIR R4 server on loopback that has the resources above; its address."""

    async def practitioner(request: Request) -> Response:
        asked.append(request.url.path)
        if broken is not None:
            return Response(broken, media_type="application/fhir+json")
        found = RESOURCES.get(request.path_params["id"])
        return JSONResponse(found or {"resourceType": "OperationOutcome"}, 200 if found else 404)

    async def roles(request: Request) -> Response:
        mine = request.query_params["practitioner"] == "Practitioner/222"
        return JSONResponse({"resourceType": "Bundle", "entry": [{"resource": each} for each in ROLES if mine]})

    routes = [Route("/fhir/Practitioner/{id}", practitioner), Route("/fhir/PractitionerRole", roles)]
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


@pytest.fixture(params=["local", "fhir"])
async def registry(request: pytest.FixtureRequest, app: App) -> AsyncIterator[Registry]:
    """Either of the two, with the same practitioners."""
    if request.param == "fhir":
        async with fhir_server([]) as url:
            yield FHIRRegistry(url)
        return
    async with app.db.transaction() as tx:
        await local.save(tx, AYESHA)
        await local.save(tx, KARIM)
        await tx.run("INSERT INTO practitioners (reference) VALUES ('Practitioner/9')")
    yield app.practitioners


async def test_both_give_the_same(registry: Registry) -> None:
    assert await registry.find("Practitioner/222") == AYESHA
    assert await registry.find("Practitioner/223") == KARIM
    assert await registry.find("Practitioner/9") is None


async def test_what_a_server_said_is_believed_for_a_minute() -> None:
    asked: list[str] = []
    async with fhir_server(asked) as url:
        remembering, forgetting = FHIRRegistry(url), FHIRRegistry(url, remembered_seconds=0)
        for each in (remembering, remembering, forgetting, forgetting):
            assert await each.find("Practitioner/222") == AYESHA
    assert len(asked) == 3
    assert await remembering.find("Practitioner/222") == AYESHA
    with pytest.raises(Unavailable):
        await forgetting.find("Practitioner/222")


@pytest.mark.parametrize("broken", [b"", b"[]", b"<html>", b'{"resourceType": "Patient"}',
                                    b'{"resourceType": "Practitioner", "name": [4]}',
                                    b'{"resourceType": "Practitioner", "identifier": [{"system": "%s", "value": "1",'
                                    b' "period": {"end": "soon"}}]}' % BMDC_SYSTEM.encode()])  # fmt: skip
async def test_what_is_no_answer_is_none(broken: bytes) -> None:
    async with fhir_server([], broken=broken) as url:
        with pytest.raises(Unavailable):
            await FHIRRegistry(url).find("Practitioner/222")


async def test_nobody_at_the_address(app: App) -> None:
    with pytest.raises(Unavailable):
        await FHIRRegistry(f"http://127.0.0.1:{free_port()}").find("Practitioner/222")
