"""The SQL of keeping rows as they are before a repair, and of giving them back. Which columns a repair may change
stands here alone: of a row, only those are kept, and only those that it did change are given back.
"""
# ruff: noqa: S608 - every piece is a literal; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString


@dataclass(frozen=True, slots=True)
class Relation:
    """A table whose rows repairs change: its key, and the columns that are kept. `versioned`: changes are counted."""

    name: LiteralString
    key: LiteralString
    key_type: LiteralString
    columns: tuple[LiteralString, ...]
    versioned: bool = False

    @property
    def keep(self) -> LiteralString:
        """Keep rows as they are before."""
        return (
            "INSERT INTO repair_rows (repair_id, relation, row_id, before) SELECT %(repair_id)s, '"
            + self.name + "', present." + self.key + "::text, " + self._kept
            + " FROM " + self.name + " AS present WHERE present." + self.key + " = ANY(%(ids)s::" + self.key_type
            + "[]) ON CONFLICT DO NOTHING"
        )  # fmt: skip

    @property
    def note_after(self) -> LiteralString:
        """Keep the same rows as they are after."""
        return (
            "UPDATE repair_rows AS kept SET after = " + self._kept + " FROM " + self.name + " AS present WHERE "
            + self._is_row + " AND kept.before IS NOT NULL"
        )  # fmt: skip

    @property
    def made(self) -> LiteralString:
        """Keep that rows were made."""
        return (
            "INSERT INTO repair_rows (repair_id, relation, row_id, after) SELECT %(repair_id)s, '" + self.name
            + "', unnest(%(ids)s::" + self.key_type + "[])::text, '{}'"
        )  # fmt: skip

    @property
    def changed_since(self) -> LiteralString:
        """Columns that are not what the repair left any more, each as `column`."""
        return (
            "SELECT DISTINCT left_behind.key FROM repair_rows AS kept JOIN " + self.name + " AS present ON "
            + self._is_row + ", jsonb_each(kept.after) AS left_behind WHERE kept.before IS NOT NULL"
            + " AND to_jsonb(present)->left_behind.key IS DISTINCT FROM left_behind.value"
        )  # fmt: skip

    @property
    def give_back(self) -> LiteralString:
        """Give rows back what they had before."""
        was: tuple[LiteralString, ...] = tuple(_was(column) for column in self.columns)
        counted: LiteralString = ", version = present.version + 1, updated_at = now()" if self.versioned else ""
        return (
            "UPDATE " + self.name + " AS present SET (" + ", ".join(self.columns) + ") = (SELECT " + ", ".join(was)
            + " FROM jsonb_populate_record(present, kept.before) AS was)" + counted
            + " FROM repair_rows AS kept WHERE " + self._is_row + " AND kept.before IS NOT NULL"
        )  # fmt: skip

    @property
    def forget_made(self) -> LiteralString:
        """Remove the rows that the repair made."""
        return (
            "DELETE FROM " + self.name + " AS present USING repair_rows AS kept WHERE " + self._is_row
            + " AND kept.before IS NULL"
        )  # fmt: skip

    @property
    def _kept(self) -> LiteralString:
        pairs: tuple[LiteralString, ...] = tuple(_pair(column) for column in self.columns)
        return "jsonb_build_object(" + ", ".join(pairs) + ")"

    @property
    def _is_row(self) -> LiteralString:
        return (
            "kept.repair_id = %(repair_id)s AND kept.relation = '" + self.name + "' AND present." + self.key
            + " = kept.row_id::" + self.key_type
        )  # fmt: skip


def _pair(column: LiteralString) -> LiteralString:
    return "'" + column + "', present." + column


def _was(column: LiteralString) -> LiteralString:
    return "was." + column


STUDIES = Relation(
    "imaging_studies",
    "id",
    "uuid",
    (
        "patient_id", "status", "completed", "reason_no_images", "started", "based_on", "service_request", "match",
        "planned_study_instance_uid", "study_group_id", "flags", "corrections", "study_description",
        "accession_number", "study_date", "study_time", "procedure_codes", "dicom", "dicom_patient_id",
        "issuer_of_patient_id", "patient_name", "patient_name_search", "patient_birth_date", "patient_sex",
        "dicom_study_id", "referring_physician_search",
    ),
    versioned=True,
)  # fmt: skip
SERIES = Relation("imaging_series", "id", "uuid", ("series_description",))
INSTANCES = Relation(
    "instances",
    "sop_instance_uid",
    "text",
    (
        "series_id", "study_id", "sop_class_uid", "transfer_syntax_uid", "instance_number", "number_of_frames",
        "pixel_rows", "pixel_columns", "bits_allocated", "object_key", "size_bytes", "data_set_offset",
        "pixel_data_offset", "pixel_data_length", "data_set_sha256", "original_transfer_syntax_uid",
        "original_pixel_data_head", "object_sha256", "flags", "source_ae_title", "stored_at", "attributes",
        "corrections",
    ),
)  # fmt: skip
QUARANTINE = Relation("quarantine", "id", "uuid", ("resolved_at", "resolved_by", "resolution"))
ITEMS = Relation("scheduled_procedure_steps", "id", "uuid", ("status",), versioned=True)

RELATIONS: Sequence[Relation] = (INSTANCES, SERIES, STUDIES, QUARANTINE, ITEMS)
"""In the order in which rows that were made can be removed."""
REJECTIONS = "rejections"
"""Rejections that a repair made are withdrawn, not removed: they stay on record."""
