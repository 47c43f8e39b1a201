"""Pages that hold values: each `{name}` is replaced once, and what is put in is text, never markup."""

import html
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

_place = re.compile(r"\{([a-z_A-Z]+)\}")


def filled(name: str, values: Mapping[str, str], *, json: str = "", markup: str = "") -> str:
    """The page of that name. `json` goes, as it is, where `{json}` stands: into a script element that is data.

    `markup` goes, as it is, where `{markup}` stands: whoever made it has escaped what is text in it.
    """
    raw = {"json": json, "markup": markup}

    def value(match: re.Match[str]) -> str:
        return raw[match[1]] if match[1] in raw else html.escape(values.get(match[1], ""))

    return _place.sub(value, _template(name))


def as_data(text: bytes) -> str:
    """JSON for a script element: in there, only `<` could begin something that ends it."""
    return text.decode().replace("<", "\\u003c")


@lru_cache(maxsize=16)
def _template(name: str) -> str:
    return files("radiology.doors.http").joinpath("pages", name).read_text(encoding="utf-8")
