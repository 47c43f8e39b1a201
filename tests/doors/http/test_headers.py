"""What every answer says to a browser, whoever asked for what."""

from typing import Any

import pytest

from radiology.doors.http import headers
from radiology.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "path", ["/", "/health", "/docs", "/login", "/openapi.json", "/api/radiology/me", "/dicomweb/studies", "/nowhere"]
)
async def test_no_answer_is_guessed_at_framed_or_leaked(client: Any, path: str) -> None:
    answer = await client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"]
    assert answer.headers["cross-origin-resource-policy"] in {"same-origin", "cross-origin"}
    assert "cache-control" in answer.headers
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert "default-src" in answer.headers["content-security-policy"]
        assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert len([name for name, _ in answer.headers.multi_items() if name == "content-security-policy"]) <= 1


async def test_what_tells_of_patients_is_kept_nowhere(client: Any) -> None:
    refused = await client.get("/api/radiology/studies")
    assert refused.headers["cache-control"] == "private, no-store"


def test_a_service_that_is_reached_by_tls_alone_says_so() -> None:
    plain = dict(headers.usual(Settings()))
    safe = dict(headers.usual(Settings(public_url="https://radiology.example.org")))
    assert b"strict-transport-security" not in plain
    assert safe[b"strict-transport-security"] == b"max-age=31536000"


def test_a_confirmed_copy_keeps_what_was_said_of_it() -> None:
    said = dict(headers.missing([(b"ETag", b'"1"')], (), status=304))
    assert b"cache-control" not in said


def test_what_an_answer_says_itself_is_left_alone() -> None:
    given = [(b"Cache-Control", b"public"), (b"Content-Type", b"text/html"), (b"Content-Security-Policy", b"x")]
    assert dict(headers.missing(given, (), status=200)) == {}
