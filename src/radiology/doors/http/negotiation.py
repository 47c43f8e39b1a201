"""What a client takes of what there is (RFC 9110 12.5)."""

from collections.abc import Sequence

from starlette.requests import HTTPConnection


def encoding_of(request: HTTPConnection, offered: Sequence[str]) -> str | None:
    """The offered content coding that the client likes best, the first of equals; None for the content as it is."""
    weights: dict[str, float] = {}
    for entry in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, parameters = entry.partition(";")
        weights[name.strip()] = _weight(parameters)
    liked = {encoding: weights.get(encoding, weights.get("*", 0.0)) for encoding in offered}
    best = max(offered, key=liked.__getitem__, default=None)
    return best if best is not None and liked[best] > 0 else None


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
