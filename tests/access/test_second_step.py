"""The second step: begun, confirmed, asked for, refused where no code can be sent; and who it is proved anew."""

import base64
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pyotp
import pytest

from radiology.access import accounts
from radiology.access.guessing import ALLOWED
from radiology.access.model import FRESH, Actor
from radiology.app import App
from radiology.kit.clock import SetClock

pytestmark = pytest.mark.anyio

OURS = {"origin": "http://radiology.test"}
PASSWORD = "jamuna river at noon"
ME = "/api/radiology/me"
FORM = {"name": "nasrin", "password": PASSWORD}


@pytest.fixture
async def browser(app: App, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> httpx2.AsyncClient:
    """Somebody who is signed in with a password."""
    monkeypatch.setattr(accounts, "SESSION_REMEMBERED_SECONDS", 0.0)
    await accounts.make_account(app, "nasrin", role="radiologist", password=PASSWORD, display="Dr Nasrin")
    client.headers.update(OURS)
    assert (await client.post("/login", data=FORM)).status_code == 303
    return client


async def enrolled(browser: httpx2.AsyncClient, clock: SetClock) -> tuple[pyotp.TOTP, list[str]]:
    """A second step of the account, and the recovery codes."""
    begun = await browser.post(f"{ME}/totp", json={"password": PASSWORD})
    assert begun.status_code == 201, begun.text
    assert begun.json()["qr"].startswith("<svg")
    address = urlsplit(begun.json()["address"])
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    app = pyotp.TOTP(parse_qs(address.query)["secret"][0])
    assert (await browser.post(f"{ME}/totp/confirm", json={"code": "000000"})).status_code == 403
    confirmed = await browser.post(f"{ME}/totp/confirm", json={"code": app.at(clock.now())})
    assert confirmed.status_code == 200, confirmed.text
    clock.advance(30.0)
    return app, confirmed.json()["recoveryCodes"]


async def first_step(browser: httpx2.AsyncClient) -> dict[str, str]:
    browser.cookies.clear()
    page = await browser.post("/login?next=/light/1.2", data=FORM)
    assert (page.status_code, "set-cookie" in page.headers) == (200, False)
    assert "পুনরুদ্ধার কোড" in page.text
    found = re.search(r'name="step" value="([^"]+)"', page.text)
    assert found
    return {"step": found[1]}


async def test_signing_in_needs_the_code_once_it_is_confirmed(browser: httpx2.AsyncClient, clock: SetClock) -> None:
    shown, recovery = await enrolled(browser, clock)
    assert len(set(recovery)) == 10
    step = await first_step(browser)
    code = shown.at(clock.now())
    wrong = await browser.post("/login/code", data=step | {"code": "12345"})
    assert (wrong.status_code, "কোড ভুল" in wrong.text) == (401, True)
    right = await browser.post("/login/code?next=/light/1.2", data=step | {"code": f"{code[:3]} {code[3:]}"})
    assert (right.status_code, right.headers["location"]) == (303, "/light/1.2")
    assert (await browser.get(ME)).json()["id"] == "account:nasrin"
    step = await first_step(browser)
    assert (await browser.post("/login/code", data=step | {"code": code})).status_code == 401, "each code once"
    assert (await browser.post("/login/code", data=step | {"code": recovery[0]})).status_code == 303
    step = await first_step(browser)
    assert (await browser.post("/login/code", data=step | {"code": recovery[0]})).status_code == 401


async def test_codes_are_not_guessed_and_the_first_step_ends(browser: httpx2.AsyncClient, clock: SetClock) -> None:
    shown, _ = await enrolled(browser, clock)
    for _ in range(ALLOWED):
        step = await first_step(browser)
        assert (await browser.post("/login/code", data=step | {"code": "000000"})).status_code == 401
    assert (await browser.post("/login/code", data=step | {"code": shown.at(clock.now())})).status_code == 429
    clock.advance(301.0)
    late = await browser.post("/login/code", data=step | {"code": shown.at(clock.now())})
    assert (late.status_code, "took too long" in late.text) == (401, True)


async def test_a_password_alone_is_refused_where_no_code_can_be_sent(
    browser: httpx2.AsyncClient, app: App, clock: SetClock
) -> None:
    await enrolled(browser, clock)
    basic = {"authorization": "Basic " + base64.b64encode(f"nasrin:{PASSWORD}".encode()).decode()}
    browser.cookies.clear()
    answer = await browser.get(ME, headers=basic)
    assert (answer.status_code, "API key" in answer.json()["detail"]) == (401, True)


async def test_it_is_removed_with_password_and_code(browser: httpx2.AsyncClient, clock: SetClock) -> None:
    _, recovery = await enrolled(browser, clock)
    for proof in ({"password": PASSWORD}, {"password": "wrong", "code": recovery[0]}):
        assert (await browser.post(f"{ME}/totp/remove", json=proof)).status_code == 403
    removed = await browser.post(f"{ME}/totp/remove", json={"password": PASSWORD, "code": recovery[0]})
    assert removed.status_code == 204
    browser.cookies.clear()
    assert (await browser.post("/login", data=FORM)).status_code == 303


async def test_a_session_knows_when_its_owner_was_proved(
    browser: httpx2.AsyncClient, service: Any, clock: SetClock
) -> None:
    async def actor() -> Actor:
        return await service.state.authenticator.by_session(browser.cookies["radi_session"])

    assert (await actor()).is_fresh(clock.now())
    clock.advance(FRESH.total_seconds() + 1)
    assert not (await actor()).is_fresh(clock.now())
    assert (await browser.post(f"{ME}/reauthenticate", json={"password": "wrong"})).status_code == 403
    assert not (await actor()).is_fresh(clock.now())
    assert (await browser.post(f"{ME}/reauthenticate", json={"password": PASSWORD})).status_code == 204
    assert (await actor()).is_fresh(clock.now())


async def test_own_sessions_are_listed_and_ended(browser: httpx2.AsyncClient) -> None:
    kept = browser.cookies["radi_session"]
    browser.cookies.clear()
    await browser.post("/login", data=FORM)
    listed = (await browser.get(f"{ME}/sessions")).json()["results"]
    assert sorted(each["current"] for each in listed) == [False, True]
    other = next(each["id"] for each in listed if not each["current"])
    assert (await browser.delete(f"{ME}/sessions/{other}")).status_code == 204
    assert (await browser.delete(f"{ME}/sessions/{other}")).status_code == 404
    assert (await browser.get(ME)).status_code == 200
    browser.cookies.clear()
    assert (await browser.get(ME, headers={"cookie": f"radi_session={kept}"})).status_code == 401


async def test_a_password_of_one_use_leads_to_the_page_that_changes_it(app: App, client: httpx2.AsyncClient) -> None:
    await accounts.make_account(app, "nasrin", role="radiologist", password="given to her", must_change=True)
    client.headers.update(OURS)
    assert (await client.get("/login/password")).headers["location"] == "/login?next=%2Flogin%2Fpassword"
    led = await client.post("/login?next=/light/1.2", data=FORM | {"password": "given to her"})
    assert led.headers["location"] == "/login/password?next=%2Flight%2F1.2"
    assert "অন্তত ১২টি অক্ষর" in (await client.get(led.headers["location"])).text
    assert (await client.get("/dicomweb/studies")).status_code == 403
    for change, status in (
        ({"password": "given to her", "new": PASSWORD, "again": "another"}, 422),
        ({"password": "given to her", "new": "short", "again": "short"}, 422),
        ({"password": "wrong", "new": PASSWORD, "again": PASSWORD}, 403),
        ({"password": "given to her", "new": PASSWORD, "again": PASSWORD}, 303),
    ):
        answer = await client.post(led.headers["location"], data=change)
        assert answer.status_code == status, answer.text
    assert answer.headers["location"] == "/light/1.2"
    assert (await client.get("/dicomweb/studies")).status_code == 200
