"""The viewer's files: kept for ever, compressed beforehand, alone with their origin; and what is said without them."""

from pathlib import Path

import httpx2
import pytest

from radiology.settings import Settings
from radiology.viewer.place import base_of, key

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """A viewer of three files."""
    folder = tmp_path / "viewer" / key()
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Images</title>")
    (folder / "app.js").write_text("1;" * 600)
    (folder / "app.js.gz").write_bytes(b"gzip")
    (folder / "app.js.br").write_bytes(b"brotli")
    (folder / "assets" / "a.wasm").write_bytes(b"\0asm")
    (tmp_path / "secret").write_text("secret")
    return settings.model_copy(update={"viewer_dir": tmp_path / "viewer"})


@pytest.fixture
async def reader(client_as) -> httpx2.AsyncClient:  # type: ignore[no-untyped-def]
    return await client_as("radiologist")


@pytest.mark.parametrize(
    ("accepts", "body"),
    [
        ("gzip, deflate, br", b"brotli"),
        ("gzip", b"gzip"),
        ("br;q=0, gzip;q=0.5", b"gzip"),
        ("identity", b"1;" * 600),
        ("*", b"brotli"),
        ("gzip;q=x", b"1;" * 600),
    ],
)
async def test_files_are_sent_as_the_browser_takes_them(reader: httpx2.AsyncClient, accepts: str, body: bytes) -> None:
    request = reader.build_request("GET", base_of(key()) + "app.js", headers={"accept-encoding": accepts})
    answer = await reader.send(request, stream=True)
    assert b"".join([chunk async for chunk in answer.aiter_raw()]) == body
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cross-origin-embedder-policy"] == "require-corp"


@pytest.mark.parametrize("place", ["", "viewer?StudyInstanceUIDs=1.2", "viewer/radiology"])
async def test_every_place_in_it_is_its_page(reader: httpx2.AsyncClient, place: str) -> None:
    answer = await reader.get(f"/viewer/{place}")
    assert answer.text == "<title>Images</title>"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    again = await reader.get(f"/viewer/{place}", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["nothing.js", "../../secret", "..%2f..%2fsecret", "%2e%2e/%2e%2e/secret", "assets"])
async def test_only_its_files_are_sent(reader: httpx2.AsyncClient, name: str) -> None:
    answer = await reader.get(base_of(key()) + name)
    assert "secret" not in answer.text.replace(name, "")
    assert answer.status_code in {404, 200}
    assert answer.status_code == 404 or "Images" in answer.text


async def test_without_files_it_says_how_to_get_them(
    reader: httpx2.AsyncClient, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "viewer" / key()).rename(tmp_path / "elsewhere")
    answer = await reader.get("/viewer/")
    assert answer.status_code == 503
    assert "./radi viewer" in answer.text
    assert "npm pack @ohif/app@3.13.2" in answer.text
    assert "ভিউয়ার" in answer.text


async def test_nobody_gets_its_files_without_signing_in(client: httpx2.AsyncClient) -> None:
    assert (await client.get(base_of(key()) + "app.js")).status_code == 401
