"""Accounts over REST: made, changed, closed and opened by administrators; passwords, and what ends when they change."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from radiology.access import accounts
from radiology.access.accounts import Authenticator
from radiology.access.guessing import ALLOWED
from radiology.app import App
from radiology.errors import NotAuthenticated, TooManyAttempts
from radiology.kit.clock import SetClock

pytestmark = pytest.mark.anyio

ClientAs = Callable[..., Awaitable[httpx2.AsyncClient]]
PLACE = "/api/radiology/accounts"
OURS = {"origin": "http://radiology.test"}
LONG = "the river padma in the rain"
NEW = {"name": "rahim", "role": "radiographer", "display": "Rahim", "facilityCodes": ["DMCH", "BSMMU"]}


def basic(name: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.fixture
async def administrator(client_as: ClientAs) -> httpx2.AsyncClient:
    return await client_as("administrator")


@pytest.fixture
def forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was remembered for five seconds is over at once."""
    monkeypatch.setattr(accounts, "SESSION_REMEMBERED_SECONDS", 0.0)


async def test_a_new_account_changes_its_password_before_anything_else(
    administrator: httpx2.AsyncClient, client: httpx2.AsyncClient, forgets: None
) -> None:
    made = await administrator.post(PLACE, json=NEW)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    password = made.json()["oneTimePassword"]
    assert (await administrator.post(PLACE, json=NEW)).status_code == 409
    known = basic("rahim", password)
    refused = await client.get("/api/radiology/studies", headers=known)
    assert refused.status_code == 403
    assert "/api/radiology/me/password" in refused.json()["detail"]
    assert (await client.get("/api/radiology/me", headers=known)).json()["facilityCodes"] == ["BSMMU", "DMCH"]
    change = {"password": password, "newPassword": LONG}
    assert (await client.post("/api/radiology/me/password", json=change, headers=known)).status_code == 204
    assert (await client.get("/api/radiology/studies", headers=known)).status_code == 401
    assert (await client.get("/api/radiology/studies", headers=basic("rahim", LONG))).status_code == 200


@pytest.mark.parametrize(
    ("chosen", "said"),
    [("short", "at least 12"), ("password1234", "many people"), ("aaaaaaaaaaaaaa", "many people"),
     ("rahimrahimrahim", "name of the account"), ("x" * 1_000 + "yz!", "")],
)  # fmt: skip
async def test_bad_passwords_are_not_taken(app: App, client: httpx2.AsyncClient, chosen: str, said: str) -> None:
    await accounts.make_account(app, "rahim", role="radiographer", password=LONG)
    change = {"password": LONG, "newPassword": chosen}
    answer = await client.post("/api/radiology/me/password", json=change, headers=basic("rahim", LONG))
    assert answer.status_code == 422
    assert said in answer.text
    assert chosen not in answer.text or chosen == "short"


async def test_only_administrators_may(client_as: ClientAs) -> None:
    for role in ("radiologist", "privacy-officer", "service"):
        client = await client_as(role)
        assert (await client.get(PLACE)).status_code == 403
        assert (await client.post(PLACE, json=NEW)).status_code == 403
        assert (await client.post(f"{PLACE}/{role}/reset-password")).status_code == 403
        assert (await client.patch(f"{PLACE}/{role}", json={"role": "administrator"})).status_code == 403


async def test_the_last_administrator_stays(administrator: httpx2.AsyncClient) -> None:
    own = f"{PLACE}/administrator"
    assert (await administrator.post(f"{own}/disable")).status_code == 409
    assert (await administrator.patch(own, json={"role": "qa"})).status_code == 409
    await administrator.post(PLACE, json={"name": "second", "role": "administrator"})
    assert (await administrator.post(f"{own}/disable")).status_code == 204


async def test_in_another_process_a_change_holds_within_five_seconds(
    administrator: httpx2.AsyncClient, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert accounts.SESSION_REMEMBERED_SECONDS <= 5
    moment = [1_000.0]
    monkeypatch.setattr(accounts.time, "monotonic", lambda: moment[0])
    await accounts.make_account(app, "rahim", role="radiologist", password=LONG)
    other = Authenticator(app)
    assert (await other.by_password("rahim", LONG)).role == "radiologist"
    await administrator.patch(f"{PLACE}/rahim", json={"role": "qa", "facilityCodes": ["DMCH"]})
    moment[0] += 5.1
    actor = await other.by_password("rahim", LONG)
    assert (actor.role, actor.facility_codes) == ("qa", frozenset({"DMCH"}))
    await administrator.post(f"{PLACE}/rahim/disable")
    moment[0] += 5.1
    with pytest.raises(NotAuthenticated):
        await other.by_password("rahim", LONG)
    await administrator.post(f"{PLACE}/rahim/enable")
    await administrator.post(f"{PLACE}/rahim/reset-password")
    with pytest.raises(NotAuthenticated):
        await other.by_password("rahim", LONG)


@pytest.mark.parametrize("change", ["disable", "reset-password", "role"])
async def test_sessions_end_with_the_change(
    administrator: httpx2.AsyncClient, client: httpx2.AsyncClient, app: App, forgets: None, change: str
) -> None:
    await accounts.make_account(app, "rahim", role="radiologist", password=LONG)
    await client.post("/login", data={"name": "rahim", "password": LONG}, headers=OURS)
    assert (await client.get("/api/radiology/me")).status_code == 200
    if change == "role":
        await administrator.patch(f"{PLACE}/rahim", json={"role": "qa"})
    else:
        await administrator.post(f"{PLACE}/rahim/{change}")
    assert (await client.get("/api/radiology/me")).status_code == 401


async def test_who_guesses_waits_longer_and_longer_in_every_process_and_nobody_elsewhere(
    administrator: httpx2.AsyncClient, app: App, clock: SetClock
) -> None:
    await accounts.make_account(app, "rahim", role="radiologist", password=LONG)
    for name, waits in (("nobody", (1,)), ("rahim", (1, 5, 15, 15))):
        for _ in range(ALLOWED):
            with pytest.raises(NotAuthenticated):
                await Authenticator(app).by_password(name, "wrong", address="10.0.0.9")
        for minutes in waits:
            with pytest.raises(TooManyAttempts, match="a minute" if minutes == 1 else f"{minutes} minutes"):
                await Authenticator(app).by_password(name, LONG, address="10.0.0.9")
            clock.advance(minutes * 60.0)
            with pytest.raises(NotAuthenticated):
                await Authenticator(app).by_password(name, "wrong", address="10.0.0.9")
    assert (await Authenticator(app).by_password("rahim", LONG, address="10.0.0.1")).id == "account:rahim"
    assert (await administrator.get(f"{PLACE}/rahim")).json()["waitsUntil"]
    assert (await administrator.post(f"{PLACE}/rahim/unlock")).status_code == 204
    assert (await Authenticator(app).by_password("rahim", LONG, address="10.0.0.9")).id == "account:rahim"


async def test_keys_reach_as_far_as_their_scopes_and_end(
    administrator: httpx2.AsyncClient, client: httpx2.AsyncClient, app: App, clock: SetClock, forgets: None
) -> None:
    made = await administrator.post(PLACE, json={"name": "dashboard", "role": "service"})
    assert made.json()["oneTimePassword"] is None
    keys = f"{PLACE}/dashboard/keys"

    async def key(**body: Any) -> tuple[str, dict[str, str]]:
        answer = await administrator.post(keys, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"], {"authorization": f"Bearer {answer.json()['key']}"}

    narrow_id, narrow = await key(label="screen", scopes=["radiology.read", "radiology.administer"])
    _, wide = await key(label="feeder")
    _, over = await key(label="old", expiresAt="2020-01-01T00:00:00Z")
    assert (await client.get("/api/radiology/me", headers=narrow)).json()["permissions"] == ["radiology.read"]
    assert (await client.get("/api/radiology/me", headers=wide)).json()["permissions"] == [
        "radiology.read",
        "radiology.write",
    ]
    assert (await client.get("/api/radiology/me", headers=over)).status_code == 401
    listed = {each["label"]: each for each in (await administrator.get(keys)).json()["results"]}
    assert listed["screen"]["lastUsedAt"]
    assert listed["old"]["lastUsedAt"] is None
    assert narrow["authorization"].startswith(f"Bearer {listed['screen']['prefix']}")
    assert "key" not in listed["screen"]
    used = listed["screen"]["lastUsedAt"]
    clock.advance(59.0)
    await client.get("/api/radiology/me", headers=narrow)
    again = {each["label"]: each for each in (await administrator.get(keys)).json()["results"]}
    assert again["screen"]["lastUsedAt"] == used, "noted at most once a minute"
    assert (await administrator.delete(f"{keys}/{narrow_id}")).status_code == 204
    assert (await administrator.delete(f"{keys}/{narrow_id}")).status_code == 404
    assert (await client.get("/api/radiology/me", headers=narrow)).status_code == 401
    async with app.db.transaction() as tx:
        kept = await tx.values("SELECT row_to_json(audit_events)::text FROM audit_events")
    assert not [row for row in kept if narrow["authorization"].removeprefix("Bearer ") in row]
