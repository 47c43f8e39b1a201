"""No outlet is forgotten: whatever is read by HTTP is recorded, by its own code or by the door."""

import pytest
from fastapi import FastAPI

from radiology.access.model import SYSTEM
from radiology.audit.context import Circumstances
from radiology.doors.dicomweb.routes import routes as dicomweb
from radiology.doors.http.audited import access_of
from radiology.doors.http.front import is_public

pytestmark = pytest.mark.anyio

#: What is read here is nothing of a patient.
EXEMPT = {"/api/radiology/me", "/dicomweb", "/dicomweb/", "/wado", "/dicomweb/wado"}
"""The last two are always recorded by their own code."""


async def test_reading_any_address_is_recorded(service: FastAPI) -> None:
    paths = {path for path, methods in service.openapi()["paths"].items() if "get" in methods}
    paths |= {route.path for route in dicomweb if "GET" in (getattr(route, "methods", None) or ())}  # type: ignore[attr-defined]
    assert len(paths) > 60
    forgotten = set[str]()
    for template in paths:
        names = [part.partition("}")[0].partition(":")[0] for part in template.split("{")[1:]]
        scope = {
            "type": "http",
            "method": "GET",
            "path": template.replace("{", "").replace("}", "").replace(":path", ""),
            "path_params": dict.fromkeys(names, "1.2.3"),
            "query_string": b"",
            "headers": [],
            "actor": SYSTEM,
        }
        if access_of(scope, 200, Circumstances()) is None and not is_public(template):
            forgotten.add(template)
    assert forgotten - EXEMPT == set()
