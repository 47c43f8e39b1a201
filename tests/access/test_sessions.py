"""Signing in with a browser: a session in a cookie, which ends, is not usable from elsewhere, and says nothing."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest
from fastapi import FastAPI

from radiology.access import accounts
from radiology.app import App
from radiology.kit.clock import SetClock

pytestmark = pytest.mark.anyio

OURS = {"origin": "http://radiology.test"}
HOUR = 3600.0
FORM = {"name": "nasrin", "password": "jamuna river"}
Browser = Callable[[], Awaitable[httpx2.AsyncClient]]


@pytest.fixture
async def browser(app: App, client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """Somebody with an account, who has not signed in."""
    await accounts.make_account(app, "nasrin", role="radiologist", password=FORM["password"], display="Dr Nasrin")
    return client


async def sign_in(browser: httpx2.AsyncClient, **form: str) -> httpx2.Response:
    return await browser.post("/login?next=/viewer/viewer%3FStudyInstanceUIDs%3D1.2", data=FORM | form, headers=OURS)


async def test_a_page_leads_to_the_form_and_the_form_back_to_the_page(browser: httpx2.AsyncClient) -> None:
    asked = await browser.get("/viewer/viewer?StudyInstanceUIDs=1.2", headers={"accept": "text/html"})
    assert asked.status_code == 303
    assert asked.headers["location"] == "/login?next=%2Fviewer%2Fviewer%3FStudyInstanceUIDs%3D1.2"
    form = await browser.get(asked.headers["location"])
    assert 'action="/login?next=%2Fviewer%2Fviewer%3FStudyInstanceUIDs%3D1.2"' in form.text
    assert "পাসওয়ার্ড" in form.text
    answer = await sign_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/viewer/viewer?StudyInstanceUIDs=1.2")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert (await browser.get("/dicomweb/studies")).status_code == 200


async def test_over_tls_the_cookie_is_never_sent_without_it(browser: httpx2.AsyncClient) -> None:
    answer = await browser.post("https://radiology.test/login", data=FORM, headers={"sec-fetch-site": "same-origin"})
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "place", ["https://evil.test/", "//evil.test", "/\\evil.test", "viewer", "/a b", "javascript:1"]
)
async def test_one_is_never_led_elsewhere(browser: httpx2.AsyncClient, place: str) -> None:
    answer = await browser.post("/login", params={"next": place}, data=FORM, headers=OURS)
    assert answer.headers["location"] == "/viewer/"


async def test_a_wrong_password_is_said_in_both_languages_and_guessing_is_slowed(browser: httpx2.AsyncClient) -> None:
    for _ in range(10):
        answer = await sign_in(browser, password="padma")
        assert answer.status_code == 401
        assert "Name or password is wrong." in answer.text
        assert "পাসওয়ার্ড ভুল" in answer.text
        assert "set-cookie" not in answer.headers
    assert (await sign_in(browser)).status_code == 429


async def test_a_form_of_another_site_signs_nobody_in(browser: httpx2.AsyncClient) -> None:
    for headers in ({"origin": "https://evil.test"}, {"sec-fetch-site": "cross-site"}, {}):
        answer = await browser.post("/login", data=FORM, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_a_form_without_end_is_not_read(browser: httpx2.AsyncClient) -> None:
    answer = await browser.post("/login", content=b"name=" + b"x" * 20_000, headers=OURS)
    assert answer.status_code == 413


async def test_another_site_changes_nothing_with_the_cookie(browser: httpx2.AsyncClient) -> None:
    await sign_in(browser)
    for headers in ({"origin": "https://evil.test"}, {"sec-fetch-site": "same-site"}, {}):
        answer = await browser.post("/api/radiology/studies", json={}, headers=headers)
        assert answer.status_code == 403
        assert "page of this service" in answer.text
    for headers in (OURS, {"sec-fetch-site": "same-origin"}):
        assert (await browser.post("/api/radiology/studies", json={}, headers=headers)).status_code == 422


async def test_after_signing_out_the_cookie_is_worth_nothing(browser: httpx2.AsyncClient) -> None:
    await sign_in(browser)
    kept = {"cookie": f"radi_session={browser.cookies['radi_session']}"}
    assert (await browser.post("/logout")).status_code == 403
    answer = await browser.post("/logout", headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    refused = await browser.get("/dicomweb/studies", headers=kept)
    assert refused.status_code == 401
    assert "www-authenticate" not in refused.headers, "the browser would ask in a window of its own"


async def test_a_session_ends_when_it_is_not_used_and_after_a_day(
    browser: httpx2.AsyncClient, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "SESSION_REMEMBERED_SECONDS", 0.0)
    await sign_in(browser)
    for _ in range(3):
        clock.advance(7 * HOUR)
        assert (await browser.get("/dicomweb/studies")).status_code == 200
    clock.advance(4 * HOUR)
    assert (await browser.get("/dicomweb/studies")).status_code == 401
    await sign_in(browser)
    clock.advance(9 * HOUR)
    assert (await browser.get("/dicomweb/studies")).status_code == 401


async def test_a_disabled_account_is_out(
    browser: httpx2.AsyncClient, app: App, service: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "SESSION_REMEMBERED_SECONDS", 0.0)
    await sign_in(browser)
    async with app.db.transaction() as tx:
        await tx.run("UPDATE accounts SET disabled_at = now()")
    assert (await browser.get("/dicomweb/studies")).status_code == 401


async def test_what_is_kept_is_not_the_secret(browser: httpx2.AsyncClient, app: App) -> None:
    await sign_in(browser)
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM sessions") == 1
        assert await tx.value("SELECT count(*) FROM audit_events WHERE action = 'session.begin'") == 1
        kept = await tx.value("SELECT to_jsonb(sessions)::text FROM sessions")
    assert browser.cookies["radi_session"] not in kept
