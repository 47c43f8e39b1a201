"""The chain of hashes, without database: what a record's hash is made of, and how a break is told from another.

The hash of a record is SHA-256 over the hash of the one before and the record as canonical JSON: an array of its
values, keys of objects sorted, moments as ISO 8601 in UTC with microseconds. The first one follows `BEGINNING`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import orjson

from radiology.audit.model import Record, Sealed

BEGINNING: Final = bytes(32)


def digest(record: Record, sequence: int, sealed_at: datetime, previous_hash: bytes) -> bytes:
    """The hash of a record at its place."""
    return hashlib.sha256(previous_hash + content(record, sequence, sealed_at)).digest()


def content(record: Record, sequence: int, sealed_at: datetime) -> bytes:
    """The canonical JSON of a record."""
    values = (
        sequence,
        _moment(sealed_at),
        str(record.id),
        _moment(record.occurred_at),
        record.actor,
        record.actor_kind,
        record.actor_display,
        record.actor_role,
        record.on_behalf_of,
        record.action,
        record.subject,
        record.outcome,
        record.purpose,
        record.address,
        record.source,
        record.request_id,
        record.connection,
        record.detail,
        record.study_instance_uid,
        record.patient_reference,
    )
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def links(
    records: Sequence[Record], *, after: tuple[int, bytes], sealed_at: datetime
) -> list[tuple[int, bytes, bytes]]:
    """Sequence, previous hash and hash of each record, behind the last one of the chain."""
    sequence, previous = after
    chained: list[tuple[int, bytes, bytes]] = []
    for record in records:
        sequence += 1
        own = digest(record, sequence, sealed_at, previous)
        chained.append((sequence, previous, own))
        previous = own
    return chained


class Break(StrEnum):
    """What was done to the record."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place where the chain does not hold."""

    kind: Break
    sequence: int
    sentence: str


@dataclass(slots=True)
class Walk:
    """Goes along the chain, record by record, from the one before: its sequence, its hash and its own predecessor."""

    sequence: int
    hash: bytes
    before: bytes | None = None

    def step(self, row: Sealed, *, follows_later: bool) -> Broken | None:
        """Take the next row. `follows_later`: whether a row behind it has the hash that it names as the one before."""
        if row.sequence <= self.sequence:
            return Broken(Break.INSERTED, row.sequence, f"There are two records {row.sequence}.")
        if row.previous_hash != self.hash:
            return self._misplaced(row, follows_later=follows_later)
        if row.sequence != self.sequence + 1:
            return self._missing()
        if digest(row, row.sequence, row.sealed_at, row.previous_hash) != row.hash:
            return Broken(Break.CHANGED, row.sequence, f"Record {row.sequence} is not as it was sealed.")
        self.before, self.sequence, self.hash = self.hash, row.sequence, row.hash
        return None

    def _misplaced(self, row: Sealed, *, follows_later: bool) -> Broken:
        if follows_later:
            return Broken(Break.REORDERED, row.sequence, f"Record {row.sequence} stood behind another one.")
        if row.sequence != self.sequence + 1:
            return self._missing()
        if row.previous_hash == self.before:
            return Broken(Break.INSERTED, self.sequence, f"Record {self.sequence} was put in later.")
        return Broken(Break.REMOVED, row.sequence, f"What stood before record {row.sequence} is gone.")

    def _missing(self) -> Broken:
        return Broken(Break.REMOVED, self.sequence + 1, f"Record {self.sequence + 1} is gone.")
