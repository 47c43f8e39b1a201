"""What holds for every route: who may come in, how refusals look, what bodies are read."""

import base64
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Route

from radiology.access.accounts import make_account
from radiology.access.guessing import ALLOWED
from radiology.doors.http.front import is_public

pytestmark = pytest.mark.anyio

STUDIES = "/api/radiology/studies"
PUBLIC = {
    "/", "/docs", "/docs/page.css", "/docs/page.js", "/openapi.json",
    "/health", "/health/live", "/health/ready", "/metrics",
    "/login", "/login/code", "/login/password", "/login/oidc", "/login/oidc/callback", "/login/oidc/backchannel-logout",
    "/logout",
    "/open/{secret}", "/open/rooms/{secret}/calendar.ics", "/open/rooms/{secret}/waiting-room",
    "/fonts/bangla.ttf", "/favicon.ico",
}  # fmt: skip


def routes_of(service: FastAPI) -> set[tuple[str, str]]:
    plain = {
        (route.path, method) for route in service.routes if isinstance(route, Route) for method in route.methods or ()
    }
    paths: dict[str, dict[str, Any]] = service.openapi()["paths"]
    return plain | {(path, method.upper()) for path, item in paths.items() for method in item}


async def test_every_route_but_the_public_ones_needs_an_actor(service: FastAPI, client: Any) -> None:
    routes = routes_of(service)
    assert {path for path, _ in routes if is_public(path) or path == "/metrics"} == PUBLIC
    assert {STUDIES, "/api/radiology/reports/{report}/approve", "/api/radiology/changes"} <= {
        path for path, _ in routes
    }
    for path, method in routes:
        answer = await client.request(method, path.replace("{", "").replace("}", ""))
        assert (answer.status_code == 401) == (path not in PUBLIC), (method, path, answer.status_code)
        if answer.status_code == 401 and method != "HEAD":
            assert "Bearer" in answer.headers["www-authenticate"]
            assert refusal_of(answer.json()) in {"urn:radiology:problem:not-authenticated", "login"}


def refusal_of(body: dict[str, Any]) -> str:
    """The type of a problem, or the code of the issue where FHIR is spoken."""
    return body["issue"][0]["code"] if body.get("resourceType") == "OperationOutcome" else body["type"]


async def test_an_unknown_token_is_refused(client: Any) -> None:
    answer = await client.get(STUDIES, headers={"authorization": "Bearer radi_wrong"})
    assert answer.status_code == 401


async def test_name_and_password_sign_in_and_guessing_is_slowed(client: Any, app: Any) -> None:
    await make_account(app, "karim", role="radiologist", password="শক্ত-পাসওয়ার্ড")

    def basic(password: str) -> dict[str, str]:
        return {"authorization": "Basic " + base64.b64encode(f"karim:{password}".encode()).decode()}

    assert (await client.get("/api/radiology/me", headers=basic("শক্ত-পাসওয়ার্ড"))).json()["id"] == "account:karim"
    for _ in range(ALLOWED):
        assert (await client.get("/api/radiology/me", headers=basic("wrong"))).status_code == 401
    assert (await client.get("/api/radiology/me", headers=basic("wrong"))).status_code == 429


@pytest.mark.parametrize("credential", ["Basic ???", "Basic bm9jb2xvbg==", "Digest x", "Bearer"])
async def test_a_broken_credential_is_refused(client: Any, credential: str) -> None:
    assert (await client.get(STUDIES, headers={"authorization": credential})).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"\xff", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1, "a": 2}', b'{"a": "\\ud800"}', b'{"a": "\\u0000"}',
        b"[" * 10_000, b"[" * 70 + b"]" * 70, b'{"a":' * 10_000,
    ],
)  # fmt: skip
async def test_json_that_can_be_misread_is_refused(client_as: Any, body: bytes) -> None:
    client = await client_as("radiographer")
    answer = await client.post(STUDIES, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_bodies_are_limited(client_as: Any, settings: Any) -> None:
    client = await client_as("radiographer")
    headers = {"content-type": "application/json"}
    announced = await client.post(STUDIES, content=b" " * (settings.max_json_bytes + 1), headers=headers)
    assert announced.status_code == 413

    async def endless() -> Any:
        for _ in range(settings.max_json_bytes // 2**20 + 2):
            yield b" " * 2**20

    streamed = await client.post(STUDIES, content=endless(), headers=headers)
    assert streamed.status_code == 413


async def test_refusals_are_problems(client_as: Any) -> None:
    client = await client_as("referrer")
    missing = await client.get("/api/radiology/nothing", headers={"x-request-id": "abc-1"})
    assert (missing.status_code, missing.json()["requestId"], missing.headers["x-request-id"]) == (
        404,
        "abc-1",
        "abc-1",
    )
    wrong = await client.delete(STUDIES)
    assert (wrong.status_code, wrong.headers["content-type"]) == (405, "application/problem+json")
    assert (await client.post(STUDIES, content=b"x", headers={"content-type": "text/plain"})).status_code == 415


async def test_a_bug_is_answered_without_detail(service: FastAPI, client_as: Any) -> None:
    async def broken() -> None:
        raise RuntimeError("the name of a patient")

    service.router.add_api_route("/api/radiology/broken", broken)
    answer = await (await client_as("referrer")).get("/api/radiology/broken")
    assert answer.status_code == 500
    assert "patient" not in answer.text
    assert answer.json()["requestId"] == answer.headers["x-request-id"]
