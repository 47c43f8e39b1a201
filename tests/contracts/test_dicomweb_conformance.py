"""docs/conformance/dicomweb.md lists exactly the paths that there are."""

import re
from pathlib import Path

from starlette.routing import Route

from radiology.doors.dicomweb.qido import PREFIX
from radiology.doors.dicomweb.routes import routes

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "conformance" / "dicomweb.md"


def test_the_document_lists_every_path_and_no_other() -> None:
    listed = set(re.findall(r"^\| `(/[^`]*)` \| (GET|POST) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    there = {
        (route.path.removeprefix(PREFIX).replace(":path}", "}"), method)
        for route in routes
        if isinstance(route, Route)
        for method in (route.methods or ()) - {"HEAD"}
    }
    assert listed == there
