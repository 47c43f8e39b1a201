"""The documents that are made from the code: `python -m radiology.documents FOLDER` writes them, tests compare them."""

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from radiology import errors, events
from radiology.access.model import ROLES, Permission
from radiology.doors.http.problems import kind_of

T = TypeVar("T")

ERRORS = """\
# Refusals

Over HTTP a refusal is `application/problem+json` (RFC 9457): `type` ends with the word below, `detail` says what to
do, `errors` names each field that is wrong. Over DICOM it is the status; over STOW-RS the failure reason is the same.

| type `urn:radiology:problem:` | HTTP | DIMSE | meaning |
|---|---|---|---|
"""
EVENTS = """\
# Events

Read them in order from `GET /api/radiology/changes?after=`, or as they come from `GET /api/radiology/events`
(server-sent events). They carry ids and codes, never names, findings or images. Each comes at least once; events of one
study, or of one report, keep their order.

"""
PERMISSIONS = """\
# Permissions

An account has one role, and the role decides. `radi token NAME --role ROLE` makes an account and a token for it.

"""


def errors_document() -> str:
    """docs/errors.md."""
    rows = [
        f"| `{kind_of(error)}` | {error.http_status} | {error.dimse_status:04X} | {error.title} |"
        for error in sorted(_below(errors.RadiologyError), key=_order)
    ]
    return ERRORS + "\n".join(rows) + "\n"


def events_document() -> str:
    """docs/events.md."""
    parts = [
        f"## `{event.type}`\n\n{inspect.getdoc(event)}\n\nBody: {_names(event)}.\n"
        for event in _below(events.Event)
        if "type" in vars(event)
    ]
    return EVENTS + "\n".join(parts)


def permissions_document() -> str:
    """docs/permissions.md."""
    head = "| role | " + " | ".join(f"`{permission}`" for permission in Permission) + " |"
    rows = [
        f"| {role} | " + " | ".join("yes" if permission in ROLES[role] else "" for permission in Permission) + " |"
        for role in ROLES
    ]
    return PERMISSIONS + "\n".join([head, "|---" * (len(Permission) + 1) + "|", *rows]) + "\n"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "errors.md": errors_document,
    "events.md": events_document,
    "permissions.md": permissions_document,
}


def _names(event: type[events.Event]) -> str:
    return ", ".join(f"`{each.name}`" for each in fields(event))


def _below(base: type[T]) -> Iterator[type[T]]:
    for kind in base.__subclasses__():
        # A dataclass with slots is made twice, and the first one may still be there.
        if getattr(sys.modules[kind.__module__], kind.__name__) is kind:
            yield kind
        yield from _below(kind)


def _order(error: type[errors.RadiologyError]) -> tuple[int, str]:
    return error.http_status, error.__name__


def main() -> None:
    """Write every document into the folder that is named."""
    for name, made in DOCUMENTS.items():
        (Path(sys.argv[1]) / name).write_text(made(), encoding="utf-8")


if __name__ == "__main__":
    main()
