"""Who asks for what is hidden is answered as if it were not there; the trail knows that it was refused."""

import pytest
from fastapi import FastAPI

from audit_records import records
from conftest import ClientAs
from leaks.conftest import World, belongs, world  # noqa: F401 - a fixture.
from radiology.app import App

pytestmark = pytest.mark.anyio


async def test_a_request_for_a_hidden_study_or_report_is_one_record_of_a_denial(
    world: World,  # noqa: F811
    app: App,
    service: FastAPI,
    client_as: ClientAs,
) -> None:
    client = await client_as("qa")
    await belongs(app, "qa")
    hidden, far = world.breast, world.elsewhere
    asked = [
        ("GET", f"/dicomweb/studies/{hidden.uid}", hidden.uid, "access.denied"),
        ("GET", f"/dicomweb/studies/{hidden.uid}/metadata", hidden.uid, "access.denied"),
        ("GET", f"/dicomweb/studies/{hidden.uid}/thumbnail", hidden.uid, "access.denied"),
        ("GET", f"/light/{hidden.uid}", hidden.uid, "access.denied"),
        ("GET", f"/api/radiology/studies/{far.uid}", far.uid, "access.denied"),
        ("GET", f"/api/radiology/studies/{far.id}", str(far.id), "access.denied"),
        ("POST", f"/api/radiology/studies/{far.uid}/reject", far.uid, "access.denied"),
        ("GET", f"/api/radiology/reports/{far.report}", str(far.report), "access.denied"),
        ("GET", "/dicomweb/studies/1.2.3/metadata", "1.2.3", "access.not-found"),
    ]
    before = len(await records(app, service))
    for method, path, subject, action in asked:
        body = {"json": {"reason": "motion", "title": "113001", "category": "motion"}} if method == "POST" else {}
        answer = await client.request(method, path, **body)
        assert answer.status_code == 404, (path, answer.text)
        made = (await records(app, service))[before:]
        assert [(each.action, each.subject) for each in made] == [(action, subject)], path
        before += 1
