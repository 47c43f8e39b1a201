"""Signing in at `oidc-provider`: it demands PKCE, tells groups by UserInfo alone, and says when somebody has left."""

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from issuer import AUDIENCE, CLIENT
from node import free_port
from radiology.access import accounts
from radiology.app import App
from radiology.kit.clock import SystemClock
from radiology.settings import Settings
from radiology.viewer.package import CannotBuild, Node, find_node
from served import served
from waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.peer("OpenID Connect (relying party)", "oidc-provider")]
PACKAGE = "oidc-provider@9.13.3"
PEERS = Path(__file__).resolve().parents[2] / ".radi" / "peers"
PROGRAM = Path(__file__).with_name("provider.mjs")
MAPPING = json.dumps(
    {
        "roles": {"groups": {"radiologists": "radiologist"}},
        "facilities": {"site": {"dhaka": "DMCH"}, "client_id": {"laboratory": "DMCH"}},
    }
)


@pytest.fixture(scope="module")
def node() -> Node:
    """Node, with the provider's package at hand; a skip where either cannot be had."""
    try:
        found = find_node()
    except CannotBuild as reason:
        pytest.skip(str(reason))
    if not (PEERS / PACKAGE).is_dir():
        PEERS.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=PEERS))
        command = [*found.npm, "install", PACKAGE, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            subprocess.run([*command, f"--prefix={making}"], capture_output=True, check=True, timeout=100)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip(f"npm cannot fetch {PACKAGE} here")
        try:
            os.replace(making, PEERS / PACKAGE)
        except OSError:
            assert (PEERS / PACKAGE).is_dir(), "another process was quicker"
    return found


@contextmanager
def provider(node: Node, port: int, service: str) -> Iterator[None]:
    """The provider, until the block ends."""
    program = PEERS / PACKAGE / PROGRAM.name
    program.write_text(PROGRAM.read_text(encoding="utf-8"), encoding="utf-8")
    command = [*node.node, str(program), str(port), service]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers() -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/jwks", timeout=5).status_code == 200
        except httpx2.TransportError:
            return False

    try:
        until(answers, 60)
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        database_url=dsn,  # pyright: ignore[reportArgumentType]
        disk_reserve_bytes=0,
        oidc_issuer=f"http://127.0.0.1:{free_port()}",
        oidc_client_id=CLIENT,
        oidc_client_secret="secret of the client",  # pyright: ignore[reportArgumentType]
        oidc_mapping=MAPPING,
        oidc_audience=AUDIENCE,
    )


async def sign_in(browser: httpx2.AsyncClient, query: str = "") -> list[str]:
    """Sign in, by the pages of the provider; what it asked for."""
    asked: list[str] = []
    answer = await browser.get(f"/login/oidc?next=/docs{query}")
    while answer.url.path.startswith("/interaction/"):
        prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
        assert prompt is not None, answer.text
        asked.append(prompt[1])
        form = {"prompt": prompt[1], "login": "nasrin", "password": "jamuna river"}
        answer = await browser.post(answer.url, data=form)
        assert len(asked) < 5
    assert (answer.status_code, answer.url.path) == (200, "/docs"), answer.text
    return asked


async def proved(app: App) -> datetime:
    async with app.db.transaction() as tx:
        return await tx.value("SELECT max(authenticated_at) FROM sessions")


async def test_somebody_signs_in_proves_it_anew_and_leaves(
    node: Node, service: FastAPI, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "SESSION_REMEMBERED_SECONDS", 0.0)
    issuer = app.settings.oidc_issuer
    async with served(service) as port:
        base = f"http://127.0.0.1:{port}"
        with provider(node, int(issuer.rpartition(":")[2]), base):
            async with httpx2.AsyncClient(base_url=base, follow_redirects=True, timeout=30) as browser:
                assert await sign_in(browser) == ["login", "consent"]
                mine = (await browser.get("/api/radiology/me")).json()
                assert "radiology.approve" in json.dumps(mine), mine
                first = await proved(app)
                assert abs(time.time() - first.timestamp()) < 60
                assert await sign_in(browser) == [], "who is signed in there is not asked again"
                assert await proved(app) == first
                until(lambda: datetime.now(UTC).timestamp() >= first.timestamp() + 1)
                assert await sign_in(browser, "&anew") == ["login"]
                assert await proved(app) > first
                await leave_there(browser, app)
                assert (await browser.get("/dicomweb/studies")).status_code == 401
                await by_access_token(issuer, base)


async def leave_there(browser: httpx2.AsyncClient, app: App) -> None:
    """Sign out at the provider, which tells us by a logout token."""
    async with app.db.transaction() as tx:
        hint = await tx.value("SELECT id_token FROM provider_sessions")
    assert (await browser.get("/dicomweb/studies")).status_code == 200
    page = await browser.get(f"{app.settings.oidc_issuer}/session/end", params={"id_token_hint": hint})
    mark = re.search(r'name="xsrf" value="(\w+)"', page.text)
    assert mark is not None, page.text
    confirm = f"{app.settings.oidc_issuer}/session/end/confirm"
    done = await browser.post(confirm, data={"xsrf": mark[1], "logout": "yes"})
    assert done.status_code == 200, done.text


async def by_access_token(issuer: str, base: str) -> None:
    """A program gets a token there, and reads here what its scopes allow."""
    form = {"grant_type": "client_credentials", "resource": AUDIENCE, "scope": "system/ImagingStudy.rs"}
    async with httpx2.AsyncClient() as program:
        given = await program.post(f"{issuer}/token", data=form, auth=("laboratory", "secret of the laboratory"))
        bearer = {"authorization": f"Bearer {given.json()['access_token']}"}
        assert (await program.get(f"{base}/dicomweb/studies", headers=bearer)).status_code == 200
        assert (await program.get(f"{base}/api/radiology/changes", headers=bearer)).status_code == 403
