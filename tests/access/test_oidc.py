"""Signing in at an identity provider, through the door: with a provider of others' making, and with a hostile one."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI

from issuer import AUDIENCE, CLIENT, Issuer, rsa, running
from node import free_port
from radiology.access import accounts
from radiology.access.signed_tokens import LOGOUT_EVENT
from radiology.app import App
from radiology.kit.clock import SetClock
from radiology.settings import Settings
from waiting import until

pytestmark = pytest.mark.anyio
OURS = {"origin": "http://radiology.test"}
KEY = rsa()
MAPPING = json.dumps(
    {
        "roles": {"groups": {"consultants": "consultant", "radiologists": "radiologist", "watchers": "referrer"}},
        "facilities": {"site": {"dhaka": "DMCH", "everywhere": "*"}},
    }
)
NASRIN = {
    "sub": "u-17",
    "name": "Dr Nasrin",
    "preferred_username": "nasrin",
    "groups": ["radiologists"],
    "site": "dhaka",
}
VISITOR = {"sub": "u-18", "name": "Visitor", "preferred_username": "visitor", "groups": ["gardeners"], "site": "dhaka"}


@contextmanager
def provider_of_others() -> Iterator[str]:
    """The issuer of `oidc-provider-mock`, in a process of its own."""
    port = free_port()
    users = [word for user in (NASRIN, VISITOR) for word in ("--user-claims", json.dumps(user))]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *users]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx2.get(f"{url}/.well-known/openid-configuration", timeout=5).status_code == 200
        except httpx2.TransportError:
            return False

    try:
        until(answers, 60)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def others() -> Iterator[str]:
    with provider_of_others() as url:
        yield url


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running(KEY) as opened:
        yield opened


@pytest.fixture
def clock() -> SetClock:
    """Providers of others go by the clock of the machine."""
    return SetClock(datetime.now(UTC))


@pytest.fixture
def settings(dsn: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Those of the provider that the test names: of others' making, hostile, or away."""
    if "issuer" in request.fixturenames:
        url = request.getfixturevalue("issuer").url
    else:
        url = (
            request.getfixturevalue("others") if "others" in request.fixturenames else f"http://127.0.0.1:{free_port()}"
        )
    return Settings(
        data_dir=tmp_path / "data",
        database_url=dsn,  # pyright: ignore[reportArgumentType]
        disk_reserve_bytes=0,
        oidc_issuer=url,
        oidc_client_id=CLIENT,
        oidc_client_secret="secret of the client",  # pyright: ignore[reportArgumentType]
        oidc_mapping=MAPPING,
        oidc_audience=AUDIENCE,
    )


async def begin(client: httpx2.AsyncClient, query: str = "?next=/light/") -> tuple[str, dict[str, str]]:
    """Where the browser is sent to, and what it is asked there."""
    answer = await client.get(f"/login/oidc{query}")
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    return address, {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def at_the_provider(address: str, subject: str = "u-17") -> str:
    """Sign in there; where that leads back to."""
    async with httpx2.AsyncClient() as browser:
        answer = await browser.post(address, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def sign_in(client: httpx2.AsyncClient, subject: str = "u-17") -> httpx2.Response:
    address, _ = await begin(client)
    return await client.get(await at_the_provider(address, subject))


async def actions(app: App) -> list[str]:
    """What is recorded of sessions and accounts."""
    async with app.db.transaction() as tx:
        return await tx.value(
            """
            SELECT coalesce(array_agg(action ORDER BY occurred_at, id), '{}')
            FROM audit_events
            WHERE action LIKE 'session.%%' OR action LIKE 'account.%%'
            """
        )


async def names(app: App) -> list[str]:
    """Of all accounts."""
    async with app.db.transaction() as tx:
        return await tx.value("SELECT coalesce(array_agg(name ORDER BY name), '{}') FROM accounts")


async def account(app: App, name: str) -> Any:
    async with app.db.transaction() as tx:
        return await tx.value("SELECT to_jsonb(accounts) FROM accounts WHERE name = %(name)s", name=name)


@pytest.mark.peer("OpenID Connect (relying party)", "oidc-provider-mock")
async def test_somebody_signs_in_and_the_role_follows_the_provider(
    others: str, client: httpx2.AsyncClient, app: App
) -> None:
    await accounts.make_account(app, "nasrin", role="administrator", password="jamuna river")
    page = await client.get("/login?next=/light/")
    assert 'href="/login/oidc?next=%2Flight%2F"' in page.text
    address, asked = await begin(client)
    assert (asked["code_challenge_method"], asked["max_age"]) == ("S256", "86400")
    assert "prompt" not in asked
    assert (asked["response_type"], asked["scope"]) == ("code", "openid profile")
    assert {len(asked[name]) for name in ("state", "nonce", "code_challenge")} == {43}
    assert asked["redirect_uri"] == "http://radiology.test/login/oidc/callback"
    answer = await client.get(await at_the_provider(address))
    assert (answer.status_code, answer.headers["location"]) == (303, "/light/"), answer.text
    first, second = await names(app)
    assert first == "nasrin"
    assert second.startswith("nasrin."), "who is called like an account here is somebody else"
    made = await account(app, second)
    assert (made["role"], made["facility_code"], made["password_hash"]) == ("radiologist", "DMCH", None)
    assert (await account(app, "nasrin"))["role"] == "administrator"
    assert (await client.get("/dicomweb/studies")).status_code == 200
    assert await actions(app) == ["account.make", "session.begin"]
    async with httpx2.AsyncClient() as provider:
        await provider.put(f"{others}/users/u-17", json={**NASRIN, "groups": ["watchers"]})
    await sign_in(client)
    assert (await account(app, made["name"]))["role"] == "referrer"
    assert (await actions(app))[2:] == ["account.change", "session.begin"]
    async with app.db.transaction() as tx:
        await tx.run("UPDATE accounts SET disabled_at = now() WHERE name = %(name)s", name=made["name"])
    assert (await sign_in(client)).status_code == 401
    async with httpx2.AsyncClient() as provider:
        await provider.put(f"{others}/users/u-17", json=NASRIN)


@pytest.mark.peer("OpenID Connect (relying party)", "oidc-provider-mock")
async def test_nobody_without_a_role_comes_in_and_the_page_says_why(
    others: str, client: httpx2.AsyncClient, app: App
) -> None:
    answer = await sign_in(client, "u-18")
    assert answer.status_code == 401
    assert "has no role here" in answer.text
    assert "কোনো ভূমিকা নেই" in answer.text
    assert "radi_session" not in client.cookies
    assert await names(app) == []


@pytest.mark.peer("OpenID Connect (relying party)", "oidc-provider-mock")
async def test_an_answer_counts_once_and_in_the_browser_that_asked(others: str, client: httpx2.AsyncClient) -> None:
    address, asked = await begin(client)
    back = await at_the_provider(address)
    cookie = client.cookies["radi_sign_in"]
    for wrong in (
        back.replace(asked["state"], "x" * 43),
        back.replace("state=", "other="),
        back + "&iss=https://evil.test",
    ):
        client.cookies.set("radi_sign_in", cookie)
        answer = await client.get(wrong)
        assert answer.status_code == 401, wrong
        client.cookies.clear()
    assert (await client.get(back)).status_code == 401, "a browser that did not ask"
    await begin(client)
    assert (await client.get(back)).status_code == 401, "a browser that asked for something else"
    client.cookies.clear()
    client.cookies.set("radi_sign_in", cookie)
    assert (await client.get(back)).status_code == 303
    client.cookies.clear()
    client.cookies.set("radi_sign_in", cookie)
    replayed = await client.get(back)
    assert replayed.status_code == 401
    assert "refused the code" in replayed.text
    refused = await client.get(f"/login/oidc/callback?state={asked['state']}&error=access_denied")
    assert refused.status_code == 401


@pytest.mark.peer("OpenID Connect (relying party)", "oidc-provider-mock")
async def test_who_signs_out_here_is_led_to_sign_out_there(others: str, client: httpx2.AsyncClient, app: App) -> None:
    await sign_in(client)
    answer = await client.post("/logout", headers=OURS)
    assert answer.status_code == 200
    assert f'content="0;url={others}/oauth2/end_session?id_token_hint=' in answer.text
    assert "post_logout_redirect_uri=http%3A%2F%2Fradiology.test%2Flogin" in answer.text
    assert (await client.get("/dicomweb/studies")).status_code == 401
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM provider_sessions") == 0


async def test_while_the_provider_is_away_the_page_says_so_and_accounts_of_ours_go_on(
    client: httpx2.AsyncClient, app: App
) -> None:
    await accounts.make_account(app, "rahim", role="radiologist", password="jamuna river")
    answer = await client.get("/login/oidc")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert "সাড়া দিচ্ছে না" in answer.text
    signed = await client.post("/login", data={"name": "rahim", "password": "jamuna river"}, headers=OURS)
    assert signed.status_code == 303
    assert (await client.get("/dicomweb/studies")).status_code == 200


async def come_back(
    client: httpx2.AsyncClient, issuer: Issuer, *, anew: bool = False, **changed: Any
) -> httpx2.Response:
    """Sign in at an issuer that answers with whatever claims the test wants."""
    _, asked = await begin(client, "?anew&next=/light/" if anew else "?next=/light/")
    claims = NASRIN | {"aud": CLIENT, "nonce": asked["nonce"], "sid": "s-1"} | changed
    issuer.answer = 200, {"id_token": issuer.sign(**claims), "access_token": "opaque", "token_type": "Bearer"}
    return await client.get(f"/login/oidc/callback?code=c&state={asked['state']}")


async def test_a_hostile_answer_signs_nobody_in(issuer: Issuer, client: httpx2.AsyncClient) -> None:
    for wrong in (
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "https://evil.test"},
        {"exp": time.time() - 3600},
        {"azp": "another"},
        {"at_hash": "another"},
    ):
        answer = await come_back(client, issuer, **wrong)
        assert answer.status_code == 401, wrong
        assert "radi_session" not in client.cookies
    answer = await come_back(client, issuer, site="elsewhere")
    assert "belongs to no facility" in answer.text
    issuer.keys, kept = [rsa("other")], issuer.keys
    assert (await come_back(client, issuer)).status_code == 401
    issuer.keys = kept
    assert (await come_back(client, issuer)).status_code == 303


async def test_who_must_prove_anew_who_it_is_is_asked_for_it(
    issuer: Issuer, client: httpx2.AsyncClient, app: App
) -> None:
    await come_back(client, issuer)
    before = client.cookies["radi_session"]
    _, asked = await begin(client, "?anew")
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    for wrong in ({}, {"auth_time": time.time() - 3600}, {"auth_time": time.time(), "sub": "u-99"}):
        answer = await come_back(client, issuer, anew=True, **wrong)
        assert answer.status_code == 401, wrong
        assert "did not ask again" in answer.text
        assert client.cookies["radi_session"] == before
    moment = int(time.time())
    assert (await come_back(client, issuer, anew=True, auth_time=moment)).status_code == 303
    async with app.db.transaction() as tx:
        known = await tx.value("SELECT extract(epoch FROM authenticated_at)::bigint FROM sessions")
    assert known == moment, "the session before has ended"


async def test_the_provider_ends_sessions(
    issuer: Issuer, client: httpx2.AsyncClient, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "SESSION_REMEMBERED_SECONDS", 0.0)
    assert (await come_back(client, issuer)).status_code == 303
    event: dict[str, Any] = {"aud": CLIENT, "events": {LOGOUT_EVENT: {}}}
    for wrong in (event | {"aud": "another"}, event | {"nonce": "n"}, {"aud": CLIENT, "sid": "s-1"}):
        token = issuer.sign(**({"sub": "u-17"} | wrong))
        refused = await client.post("/login/oidc/backchannel-logout", data={"logout_token": token})
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    other = issuer.sign(**event, sub="u-17", sid="s-2")
    assert (await client.post("/login/oidc/backchannel-logout", data={"logout_token": other})).status_code == 200
    assert (await client.get("/dicomweb/studies")).status_code == 200
    token = issuer.sign(**event, sub=None, sid="s-1")
    answer = await client.post("/login/oidc/backchannel-logout", data={"logout_token": token})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert (await client.get("/dicomweb/studies")).status_code == 401
    assert (await actions(app))[-1] == "session.end"


async def test_programs_send_access_tokens_whose_scopes_reduce_the_role(
    issuer: Issuer, client: httpx2.AsyncClient, app: App
) -> None:
    async def status(path: str, **claims: Any) -> int:
        token = issuer.sign(**{"sub": "u-5", "site": "dhaka", **claims})
        return (await client.get(path, headers={"authorization": f"Bearer {token}"})).status_code

    studies, feed = "/dicomweb/studies", "/api/radiology/changes"
    assert await status(studies, groups=["radiologists"]) == 200
    assert await status(studies, groups=["radiologists"], scope="openid launch/patient") == 403
    assert await status(studies, groups=["radiologists"], scope="user/ImagingStudy.rs") == 200
    assert await status(studies, groups=["radiologists"], scope="user/DiagnosticReport.rs") == 403
    assert await status(feed, groups=["radiologists"], scope="user/ImagingStudy.rs") == 403
    assert await status(studies, sub="lab", scope="system/ImagingStudy.rs") == 200
    assert await status(studies, sub="lab", scope="user/*.cruds") == 401
    assert await status(studies, groups=["gardeners"]) == 401
    assert await status(studies, groups=["radiologists"], site="elsewhere") == 401
    assert await status(studies, groups=["radiologists"], aud=CLIENT) == 401
    assert await status(studies, groups=["radiologists"], exp=time.time() - 3600) == 401
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM accounts") == 0, "nobody gets an account by a token"


async def test_a_token_of_somebody_with_an_account_is_that_account(
    issuer: Issuer, client: httpx2.AsyncClient, app: App, service: FastAPI
) -> None:
    await come_back(client, issuer)
    client.cookies.clear()
    token = issuer.sign(**(NASRIN | {"groups": ["watchers"]}))
    actor = await service.state.bearer_tokens.actor_of(token)
    assert (actor.id, actor.role, actor.facility_codes) == ("account:nasrin", "referrer", frozenset({"DMCH"}))
    async with app.db.transaction() as tx:
        await tx.run("UPDATE accounts SET disabled_at = now()")
    assert await service.state.bearer_tokens.actor_of(token) == actor, "remembered for a minute"
    refused = await client.get("/dicomweb/studies", headers={"authorization": f"Bearer {issuer.sign(**NASRIN)}"})
    assert refused.status_code == 401
