"""What every answer says unless it does itself: nothing guesses its type, frames it, keeps it or runs in it."""

from collections.abc import Iterator, Sequence

from radiology.settings import Settings

Headers = Sequence[tuple[bytes, bytes]]

_USUAL: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_ONLY_BY_TLS = (b"strict-transport-security", b"max-age=31536000")
_NOT_KEPT = (b"cache-control", b"private, no-store")
_NOTHING_RUNS = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_NOT_MODIFIED = 304


def usual(settings: Settings) -> Headers:
    """For all answers of a service. Who is reached by TLS alone says so (RFC 6797)."""
    return (*_USUAL, _ONLY_BY_TLS) if settings.public_url.startswith("https://") else _USUAL


def missing(given: Headers, said: Headers, *, status: int) -> Iterator[tuple[bytes, bytes]]:
    """What an answer with the headers `given` does not say yet."""
    known = {name.lower(): value for name, value in given}
    for header in said:
        if header[0] not in known:
            yield header
    # A 304 would change what was said of the copy that it confirms (RFC 9111 4.3.4).
    if b"cache-control" not in known and status != _NOT_MODIFIED:
        yield _NOT_KEPT
    if b"content-security-policy" not in known and _may_run(known.get(b"content-type", b"")):
        yield _NOTHING_RUNS


def _may_run(media_type: bytes) -> bool:
    """Whether a browser that is led to such an answer would look for scripts in it."""
    return media_type.startswith(b"text/") or b"xml" in media_type
