"""docs/conformance/dicomweb.md lists exactly the paths that there are."""

import re
from pathlib import Path

from starlette.routing import Route, WebSocketRoute

from radiology.doors.dicomweb.parameters import PREFIX
from radiology.doors.dicomweb.routes import routes

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "conformance" / "dicomweb.md"


def test_the_document_lists_every_path_and_no_other() -> None:
    line = re.compile(r"^\| `(/[^`]*)` \| (GET|POST|PUT|DELETE|OPTIONS|WebSocket) \|", re.MULTILINE)
    listed = set(line.findall(DOCUMENT.read_text(encoding="utf-8")))
    there = {
        (route.path.removeprefix(PREFIX).replace(":path}", "}") or "/", method)
        for route in routes
        if isinstance(route, Route | WebSocketRoute)
        for method in _methods(route)
    }
    assert listed == there


def _methods(route: Route | WebSocketRoute) -> set[str]:
    return set(route.methods or ()) - {"HEAD"} if isinstance(route, Route) else {"WebSocket"}
