"""What a failed validation says to people."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails


def sentence_of(error: ErrorDetails | Mapping[str, Any]) -> str:
    """What would be right, in one sentence."""
    kind, message = error["type"], str(error["msg"]).removeprefix("Value error, ")
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return "is not a field of this body; /docs lists those there are"
    if kind == "literal_error":
        return f"must be one of {error.get('ctx', {}).get('expected')}"
    return message[:1].lower() + message[1:]
