"""An access as a line of the spool, and many lines as few records. Pure.

A line is when, how much and in which request; a tab; and what is the same in all that become one record, as JSON. The
second part is made once for all frames of a study that one reader looks at: this is on the path of every read.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import orjson

from radiology.audit.actions import row_of
from radiology.audit.context import Circumstances
from radiology.audit.model import SUCCESS
from radiology.kit.ids import uuid7

LONGEST_SUBJECT: Final = 512
REMEMBERED: Final = 4096
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS: Final = (
    "actor", "actor_kind", "actor_display", "actor_role", "on_behalf_of", "action", "subject", "outcome", "purpose",
    "address", "source", "connection", "detail",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Access:
    """One request that read something: who, how, what, and how many instances or matches. Ids and codes only."""

    actor_id: str
    action: str
    subject: str
    count: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])
    outcome: int = SUCCESS


class Lines:
    """Makes lines, and remembers what they have in common."""

    def __init__(self) -> None:
        self._remembered: dict[tuple[object, ...], bytes] = {}

    def of(self, access: Access, act: Circumstances) -> bytes:
        """The line of one access."""
        own = b"%d %d %s\t" % (time.time_ns() // 1000, access.count, act.request_id.encode("ascii", "replace"))
        return own + self._alike(access, act)

    def _alike(self, access: Access, act: Circumstances) -> bytes:
        actor = act.actor
        key = (
            access.actor_id, access.action, access.subject, access.outcome, *access.detail.items(),
            actor and (actor.id, actor.display, actor.role),
            act.address, act.source, act.calling_ae_title, act.called_ae_title, act.agent, act.purpose,
            act.on_behalf_of,
        )  # fmt: skip
        try:
            known = self._remembered.get(key)
        except TypeError:  # A list in the detail.
            return _alike(access, act)
        if known is None:
            known = _alike(access, act)
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = known
        return known


def _alike(access: Access, act: Circumstances) -> bytes:
    row = row_of(act, access.actor_id, access.action, access.subject, access.detail, outcome=access.outcome)
    row["subject"] = row["subject"][:LONGEST_SUBJECT]
    alike = [row[name] for name in _COLUMNS]
    try:
        text = _json(alike)
    except TypeError:  # Half of a character.
        text = b"\\u0000"
    if b"\\u0000" in text:  # PostgreSQL has no such character in a text.
        text = _json([_sayable(value) for value in alike])
    return text + b"\n"


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def _sayable(value: Any) -> Any:
    """The value with every text in it fit for UTF-8 and for PostgreSQL."""
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {_sayable(str(key)): _sayable(each) for key, each in items}
    if isinstance(value, int | float | None):
        return value
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()


def rows_of(lines: Sequence[bytes]) -> tuple[list[dict[str, Any]], int]:
    """A row for each group of lines that are alike: with the moment of the first, and the counts of all.

    Also how many lines could not be read, as a power cut may leave them.
    """
    together: dict[bytes, list[bytes]] = {}
    for line in lines:
        own, _, alike = line.partition(b"\t")
        together.setdefault(alike, []).append(own)
    rows = [(_row(alike, owns), len(owns)) for alike, owns in together.items()]
    return [row for row, _ in rows if row is not None], sum(count for row, count in rows if row is None)


def _row(alike: bytes, owns: Sequence[bytes]) -> dict[str, Any] | None:
    try:
        values = dict(zip(_COLUMNS, orjson.loads(alike), strict=True))
        parts = [own.split(b" ") for own in owns]
        moment, _, request_id = parts[0]
        counted = {"count": sum(int(count) for _, count, _ in parts), "requests": len(parts)}
        return {
            "id": uuid7(),
            "occurred_at": _EPOCH + timedelta(microseconds=int(moment)),
            **{name: values[name] for name in _COLUMNS[:10]},
            "source": values["source"],
            "request_id": request_id.decode("ascii"),
            "connection": values["connection"],
            "detail": {**values["detail"], **counted},
        }
    except (ValueError, TypeError):
        return None
