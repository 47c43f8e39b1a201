"""Which rows belong to a patient, and move with a merge. A test compares this with the foreign keys of the database."""
# ruff: noqa: S608 - every piece is a literal; the type checker proves it by LiteralString.

from collections.abc import Mapping
from typing import LiteralString


def _move(table: LiteralString) -> LiteralString:
    return "UPDATE " + table + " SET patient_id = %(to)s WHERE patient_id = %(from)s RETURNING id::text"


def _move_back(table: LiteralString) -> LiteralString:
    return (
        "UPDATE " + table + " SET patient_id = %(to)s WHERE patient_id = %(from)s AND id = ANY(%(ids)s::uuid[])"
        " RETURNING id::text"
    )


_TABLES: tuple[LiteralString, ...] = (
    "imaging_studies",
    "radiology_reports",
    "orders",
    "encounters",
    "care_relations",
    "patient_restrictions",
    "patient_notes",
    "legal_holds",
    "break_glass_uses",
    "record_copies",
)
MOVE: Mapping[LiteralString, LiteralString] = {table: _move(table) for table in _TABLES}
MOVE_BACK: Mapping[LiteralString, LiteralString] = {table: _move_back(table) for table in _TABLES}

STAYS = frozenset({"patients", "patient_identifiers", "patient_links", "patient_repairs", "erasures", "relabellings"})
"""Numbers and the row itself stay with who was merged and lead on; what is over stays on record as it was."""
