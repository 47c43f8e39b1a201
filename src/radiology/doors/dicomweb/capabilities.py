"""What this service offers (PS3.18 8.9): a WADL or JSON document, made of the routes themselves."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from radiology.doors.dicomweb.media_types import JSON, accepted, choose
from radiology.doors.dicomweb.parameters import PREFIX, base_url

WADL: Final = "application/vnd.sun.wadl+xml"
_NAMESPACE: Final = "http://wadl.dev.java.net/2009/02"


async def retrieve_capabilities(request: Request) -> Response:
    """`OPTIONS /` and `GET /`: which resources there are, and what can be done with them."""
    media_type = choose(accepted(request), (WADL, JSON))
    resources = list(_resources(request.app.routes))
    base = f"{base_url(request)}/"
    body = _wadl(base, resources) if media_type == WADL else orjson.dumps({"base": base, "resources": resources})
    return Response(body, media_type=media_type, headers={"Allow": "GET, HEAD, OPTIONS"})


def _resources(routes: Sequence[BaseRoute]) -> Iterator[dict[str, Any]]:
    for route in routes:
        if isinstance(route, Route | WebSocketRoute) and route.path.startswith(PREFIX + "/"):
            methods = sorted((route.methods or set()) - {"HEAD"}) if isinstance(route, Route) else ["GET"]
            resource: dict[str, Any] = {
                "path": route.path.removeprefix(PREFIX + "/").replace(":path}", "}"),
                "parameters": list(route.param_convertors),
                "methods": methods,
                "description": _sentence(route.endpoint),
            }
            yield resource | ({"protocol": "websocket"} if isinstance(route, WebSocketRoute) else {})


def _sentence(endpoint: Any) -> str:
    return " ".join((endpoint.__doc__ or "").split("\n\n")[0].split()).replace("`", "")


def _wadl(base: str, resources: Sequence[dict[str, Any]]) -> bytes:
    return "".join(_wadl_pieces(base, resources)).encode()


def _wadl_pieces(base: str, resources: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<application xmlns="{_NAMESPACE}"><resources base={quoteattr(base)}>'
    for resource in resources:
        yield f"<resource path={quoteattr(resource['path'])}><doc>{escape(resource['description'])}</doc>"
        for name in resource["parameters"]:
            yield f'<param name="{name}" style="template" required="true"/>'
        for method in resource["methods"]:
            yield f'<method name="{method}"/>'
        yield "</resource>"
    yield "</resources></application>"
