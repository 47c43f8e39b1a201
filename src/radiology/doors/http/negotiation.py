"""What a client takes of what there is (RFC 9110 12.5)."""

from collections.abc import Sequence

from starlette.requests import HTTPConnection


def encoding_of(request: HTTPConnection, offered: Sequence[str]) -> str | None:
    """The first of the offered content codings that the client takes, None for the content as it is (12.5.3)."""
    weights: dict[str, float] = {}
    for entry in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, parameters = entry.partition(";")
        weights[name.strip()] = _weight(parameters)
    for encoding in offered:
        if weights.get(encoding, weights.get("*", 0.0)) > 0:
            return encoding
    return None


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
