"""The trace of an association: values that are plain JSON in the database and for whoever reads them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

OPEN: Final = "open"
REJECTED: Final = "rejected"
OPERATIONS_KEPT: Final = 64
QUERIES_KEPT: Final = 20
SYNTAXES_KEPT: Final = 32

_DIGIT: Final = re.compile(r"[0-9]")
_LETTER: Final = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Context:
    """A presentation context as it was proposed, and our answer (PS3.8 table 9-18); None where there was no answer."""

    abstract_syntax_uid: str
    transfer_syntax_uids: Sequence[str]
    result: int | None = None
    transfer_syntax_uid: str = ""


@dataclass(slots=True)
class Operation:
    """Requests of one kind with one final status: how many, and how long they took together."""

    operation: str
    sop_class_uid: str
    status: int
    count: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class WorklistQuery:
    """What a worklist query asked for, and how many answers it got. A patient's number is kept as its shape only."""

    matches: int
    station_ae_title: str = ""
    modality: str = ""
    date: str = ""
    patient_id_shape: str = ""


@dataclass(slots=True)
class Trace:
    """One association, or one that was refused; `times` counts refusals of the same kind within a minute.

    refusal: code of the reason, empty where the association was accepted. charset: what is wrong with the text of
    stored objects, a code of `diagnosis.TEXTS`. ahead_seconds: how far the dates of what was made just now lie ahead of
    our clock, negative behind it, None where nothing said so.
    """

    id: UUID
    opened_at: datetime
    calling_ae_title: str
    called_ae_title: str
    host: str
    port: int
    tls: str = ""
    certificate_subject: str = ""
    implementation_class_uid: str = ""
    implementation_version_name: str = ""
    max_pdu_length: int = 0
    identity_kind: int | None = None
    roles: list[str] = field(default_factory=list[str])
    contexts: list[Context] = field(default_factory=list[Context])
    operations: list[Operation] = field(default_factory=list[Operation])
    worklist_queries: list[WorklistQuery] = field(default_factory=list[WorklistQuery])
    charset: str = ""
    ahead_seconds: float | None = None
    outcome: str = OPEN
    sentence: str = ""
    refusal: str = ""
    ended_at: datetime | None = None
    times: int = 1

    def performed(self, operation: str, sop_class_uid: str, status: int, seconds: float) -> None:
        """Count a request. What differs from the first 64 kinds is not kept."""
        for known in self.operations:
            if (known.operation, known.sop_class_uid, known.status) == (operation, sop_class_uid, status):
                break
        else:
            if len(self.operations) >= OPERATIONS_KEPT:
                return
            known = Operation(operation, sop_class_uid, status)
            self.operations.append(known)
        known.count += 1
        known.seconds += seconds

    def asked(self, query: WorklistQuery) -> None:
        """Keep a worklist query, the last ones."""
        self.worklist_queries = [*self.worklist_queries[1 - QUERIES_KEPT :], query]


def as_json(trace: Trace) -> dict[str, Any]:
    """The trace as plain values."""
    return asdict(trace)


def from_json(body: Mapping[str, Any]) -> Trace:
    """The trace that `as_json` gave."""
    values = dict(body)
    values["id"] = UUID(values["id"])
    values["opened_at"] = datetime.fromisoformat(values["opened_at"])
    values["ended_at"] = datetime.fromisoformat(values["ended_at"]) if values["ended_at"] else None
    values["contexts"] = [Context(**each) for each in values["contexts"]]
    values["operations"] = [Operation(**each) for each in values["operations"]]
    values["worklist_queries"] = [WorklistQuery(**each) for each in values["worklist_queries"]]
    return Trace(**values)


def shape_of(text: str) -> str:
    """A number without its value: `A` for letters, `9` for digits, other signs as they are."""
    return _LETTER.sub("A", _DIGIT.sub("9", text))[:64]
