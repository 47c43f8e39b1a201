"""Who may make, approve and end projects, ask for exports and open what was sealed: every role at every request."""

from typing import Any

import pytest

import make
from conftest import ClientAs
from deidentified import an_approved_project, an_export
from radiology.access.model import Role
from radiology.app import App

pytestmark = pytest.mark.anyio

PATH = "/api/radiology"
PROJECT = {"name": "n", "purpose": "Teaching a machine to see", "profile": "research"}
DEVICE = {"manufacturer": "Acme", "model": "U1", "rows": 2, "columns": 2}
EXPORTING = {Role.RECORDS, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR}
PRIVACY = {Role.PRIVACY_OFFICER, Role.ADMINISTRATOR}
NOBODY = "00000000-0000-0000-0000-000000000000"

#: Method, path, arguments, who may, and the status for who may.
REQUESTS: list[tuple[str, str, dict[str, Any], set[Role], int]] = [
    ("GET", "/projects", {}, EXPORTING, 200),
    ("POST", "/projects", {"json": PROJECT}, EXPORTING, 201),
    ("GET", "/projects/{project}", {}, EXPORTING, 200),
    ("POST", "/projects/{project}/approval", {}, PRIVACY, 409),  # It is approved already.
    ("GET", "/projects/{project}/patients/nobody", {}, PRIVACY, 404),
    ("GET", "/exports", {}, EXPORTING, 200),
    ("POST", "/exports", {"json": {"project": "elsewhere", "studyInstanceUIDs": ["1.2"]}}, EXPORTING, 404),
    ("POST", "/exports", {"json": {"project": "elsewhere", "query": {"PatientID": "nobody"}}}, EXPORTING, 404),
    ("GET", f"/exports/{NOBODY}", {}, EXPORTING, 404),
    ("GET", "/exports/{export}/file", {}, EXPORTING, 404),  # Somebody else asked for it.
    ("DELETE", f"/exports/{NOBODY}", {}, EXPORTING, 404),
    ("GET", "/exports/{export}/mapping", {}, PRIVACY, 200),
    ("GET", "/masked-regions", {}, EXPORTING, 200),
    ("PUT", "/masked-regions", {"json": {**DEVICE, "rectangles": []}}, PRIVACY, 204),
    ("DELETE", "/masked-regions", {"params": DEVICE}, PRIVACY, 204),
    ("DELETE", "/projects/{project}", {}, PRIVACY, 200),
]


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_at_every_request(app: App, client_as: ClientAs, role: Role) -> None:
    project = await an_approved_project(app)
    export = await an_export(app, await make.a_study(app))
    client = await client_as(role)
    found: list[tuple[str, str, int]] = []
    for method, path, arguments, _, _ in REQUESTS:
        answer = await client.request(method, PATH + path.format(project=project, export=export), **arguments)
        found.append((method, path, answer.status_code))
    assert found == [(method, path, status if role in who else 403) for method, path, _, who, status in REQUESTS]


async def test_nobody_without_a_token_is_told_anything(app: App, client: Any) -> None:
    project = await an_approved_project(app)
    export = await an_export(app, await make.a_study(app))
    for method, path, arguments, _, _ in REQUESTS:
        answer = await client.request(method, PATH + path.format(project=project, export=export), **arguments)
        assert answer.status_code == 401, path


async def test_an_export_of_another_is_only_seen_by_who_watches_over_privacy(app: App, client_as: ClientAs) -> None:
    await an_approved_project(app)
    study = await make.a_study(app)
    asked = {"project": "elsewhere", "studyInstanceUIDs": [study.study_instance_uid]}
    maker, other = [await client_as("records", name=name) for name in ("maker", "other")]
    officer = await client_as("privacy-officer")
    location = (await maker.post(f"{PATH}/exports", json=asked)).headers["location"]
    assert (await maker.get(location)).status_code == 200
    assert [(await client.get(location)).status_code for client in (other, officer)] == [404, 200]
    assert [len((await client.get(f"{PATH}/exports")).json()["results"]) for client in (maker, other, officer)] == [
        1,
        0,
        1,
    ]
    assert (await other.delete(location)).status_code == 404
    assert (await maker.get(f"{location}/mapping")).status_code == 403
    assert (await officer.delete(location)).status_code == 200


async def test_the_maker_of_a_project_cannot_approve_it(app: App, client_as: ClientAs) -> None:
    maker, officer = [await client_as("privacy-officer", name=name) for name in ("first", "second")]
    made = (await maker.post(f"{PATH}/projects", json=PROJECT)).json()
    assert (await maker.post(f"{PATH}/projects/{made['id']}/approval")).status_code == 403
    assert (await officer.post(f"{PATH}/projects/{made['id']}/approval")).status_code == 200


async def test_what_is_sensitive_is_exported_by_nobody(app: App, client_as: ClientAs) -> None:
    await an_approved_project(app)
    study = await make.a_study(app)
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET sensitive_classes = '{S1}'")
    asked = {"project": "elsewhere", "studyInstanceUIDs": [study.study_instance_uid]}
    for role in EXPORTING:
        client = await client_as(role)
        answer = await client.post(f"{PATH}/exports", json=asked)
        assert answer.status_code == 404, role
