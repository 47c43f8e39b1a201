"""JSON bodies, read strictly: what two readers could understand in two ways is refused."""

import json
from collections.abc import Callable, Coroutine
from typing import Any, cast

import orjson
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from radiology.errors import Invalid, NotSupported

DEEPEST = 64


class StrictJSONRoute(APIRoute):
    """A route whose JSON body is read by `parse`, before anything looks at its fields."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with the body already parsed."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def strict(request: Request) -> Response:
            body = await request.body()
            if body:
                _must_be_json(request)
                # Starlette keeps a parsed body under this name, and FastAPI takes it from there.
                request._json = parse(body)  # pyright: ignore[reportPrivateUsage]
            return await handle(request)

        return strict


def parse(body: bytes) -> Any:
    """The value of a JSON text. Raises Invalid for NaN, a name given twice, NUL, bad UTF-8, or nesting beyond 64."""
    try:
        orjson.loads(body)  # Refuses NaN, Infinity, lone surrogates and invalid UTF-8, and never recurses far.
        value = json.loads(body, object_pairs_hook=_object_of)
    except ValueError as error:
        raise Invalid(f"The body is not JSON: {error}.") from error
    except RecursionError as error:
        raise _too_deep() from error
    if body.count(b"[") + body.count(b"{") > DEEPEST:
        _check_depth(value)
    if b"\\u0000" in body:
        raise Invalid("The body holds the character U+0000, which no text may hold.")
    return value


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Invalid(f"The field {twice!r} is given twice in one object.")
    return value


def _check_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise _too_deep()


def _children(value: Any) -> list[Any]:
    children = cast("Any", value.values() if isinstance(value, dict) else value)
    return [child for child in children if isinstance(child, dict | list)]


def _too_deep() -> Invalid:
    return Invalid(f"The body is nested deeper than {DEEPEST} levels.")


def _must_be_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise NotSupported("The body must be application/json.")
