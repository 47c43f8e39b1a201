"""SQL of reading what is stored: which objects, and their attributes. Loading is checking."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.errors import NotFound, RadiologyError, SensitiveStudy
from radiology.kit.db import Transaction, Where
from radiology.studies.corrections import corrected_json


@dataclass(frozen=True, slots=True)
class Target:
    """A study, one of its series, or one instance of that: what a request names (PS3.18 table 10.4.1-1)."""

    study_instance_uid: str
    series_instance_uid: str | None = None
    sop_instance_uid: str | None = None


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """One stored object: what it is, and where its bytes lie."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    number_of_frames: int | None
    object_key: str
    size_bytes: int
    data_set_offset: int
    pixel_data_offset: int | None
    pixel_data_length: int | None
    data_set_sha256: bytes
    #: Both of what was compressed at rest: what it was received in, and the head that its pixel data had.
    original_transfer_syntax_uid: str | None = None
    original_pixel_data_head: bytes | None = None
    #: What is served instead of what the object says (`studies.corrections`); None for nearly all.
    corrections: bytes | None = None

    @property
    def header_id(self) -> bytes:
        """What tells the attributes that are served of this object from all others."""
        return self.data_set_sha256 + (self.corrections or b"")

    @property
    def bytes_id(self) -> bytes:
        """What tells the bytes of this object from all others, also from those of the object before compression."""
        if self.original_transfer_syntax_uid is None:
            return self.header_id
        return self.header_id + self.object_key.encode()


@dataclass(frozen=True, slots=True)
class _WithAttributes(StoredInstance):
    attributes: bytes = b""

    def instance(self) -> StoredInstance:
        """The instance without them."""
        return StoredInstance(*(getattr(self, each.name) for each in fields(StoredInstance)))


@dataclass(frozen=True, slots=True)
class Attributes:
    """All attributes of an instance as DICOM JSON, as they are served; bulk data is named by `@/` and its path."""

    series_instance_uid: str
    sop_instance_uid: str
    stored: bytes
    corrections: bytes | None

    @property
    def attributes(self) -> bytes:
        """What is served."""
        return corrected_json(self.stored, self.corrections)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a C-MOVE or C-GET names: unique keys of the levels (PS3.4 C.4.2.1.4); an empty one is not asked about."""

    patient_id: str = ""
    study_instance_uids: Sequence[str] = ()
    series_instance_uids: Sequence[str] = ()
    sop_instance_uids: Sequence[str] = ()


#: The corrections of instance `i` and of its study `s`, as `studies.corrections` reads them.
CORRECTIONS: LiteralString = """CASE WHEN i.corrections IS NOT NULL OR s.corrections IS NOT NULL THEN
            convert_to(jsonb_build_array(i.corrections, s.corrections)::text, 'UTF8') END"""
_COLUMNS: LiteralString = """
    SELECT s.study_instance_uid, e.series_instance_uid, i.sop_instance_uid, i.sop_class_uid, i.transfer_syntax_uid,
        i.number_of_frames, i.object_key, i.size_bytes, i.data_set_offset, i.pixel_data_offset,
        i.pixel_data_length, i.data_set_sha256, i.original_transfer_syntax_uid, i.original_pixel_data_head,
        """ + CORRECTIONS + " AS corrections"  # fmt: skip
_OBJECTS: LiteralString = """
    FROM imaging_studies s
    JOIN imaging_series e ON e.study_id = s.id
    JOIN instances i ON i.series_id = e.id
    WHERE """
_ORDER: LiteralString = """
    ORDER BY e.series_number NULLS LAST, e.series_instance_uid, i.instance_number NULLS LAST, i.sop_instance_uid
    """


async def instances_of(tx: Transaction, target: Target, *, visible_to: Actor) -> list[StoredInstance]:
    """The instances of a target, in order of series and instance number. Raises NotFound where there is none."""
    where = _where(target, visible_to)
    found = await tx.all(StoredInstance, _COLUMNS + _OBJECTS + where.condition + _ORDER, **where.parameters)
    if not found:
        raise await refusal(tx, target, visible_to)
    return found


async def instance_with_attributes(
    tx: Transaction, target: Target, *, visible_to: Actor
) -> tuple[StoredInstance, bytes]:
    """One instance and its attributes, in one round trip. Raises NotFound."""
    where = _where(target, visible_to)
    statement: LiteralString = _COLUMNS + ", i.attributes" + _OBJECTS + where.condition
    found = await tx.maybe(_WithAttributes, statement, **where.parameters)
    if found is None:
        raise await refusal(tx, target, visible_to)
    return found.instance(), corrected_json(found.attributes, found.corrections)


@dataclass(frozen=True, slots=True)
class Version:
    """How many instances a target has, and a digest that changes with any of them."""

    count: int
    digest: bytes


async def version_of(tx: Transaction, target: Target, *, visible_to: Actor) -> Version:
    """What tells whether something known of a target still holds. Raises NotFound where there is nothing."""
    where = _where(target, visible_to)
    version = await tx.one(
        Version,
        """
        SELECT count(*) AS count, coalesce(sha256(string_agg(
            i.data_set_sha256 || convert_to(i.sop_instance_uid || coalesce(i.corrections::text, ''), 'UTF8'), ''::bytea
            ORDER BY i.sop_instance_uid) || convert_to(coalesce(min(s.corrections::text), ''), 'UTF8')), '')
            AS digest"""
        + _OBJECTS
        + where.condition,
        **where.parameters,
    )
    if not version.count:
        raise await refusal(tx, target, visible_to)
    return version


async def selected_instances(
    tx: Transaction, selection: Selection, *, visible_to: Sequence[Actor]
) -> list[StoredInstance]:
    """The instances of a selection that all of these may see, in order of series and instance number."""
    where = _selected(selection)
    for actor in visible_to:
        add_reach(where, actor)
    return await tx.all(StoredInstance, _COLUMNS + _OBJECTS + where.condition + _ORDER, **where.parameters)


async def is_anything_selected(tx: Transaction, selection: Selection) -> bool:
    """Whether there is something, seen by whomever: so that one who sees none of it is told that he may not."""
    where = _selected(selection)
    return await tx.value("SELECT EXISTS (SELECT 1" + _OBJECTS + where.condition + ")", **where.parameters)


async def attributes_of(tx: Transaction, sop_instance_uids: Sequence[str]) -> list[Attributes]:
    """The attributes of instances that `instances_of` gave, in the order given."""
    return await tx.all(
        Attributes,
        "SELECT e.series_instance_uid, i.sop_instance_uid, i.attributes AS stored, "  # noqa: S608 - literals of ours.
        + CORRECTIONS
        + """ AS corrections
        FROM unnest(%(uids)s::text[]) WITH ORDINALITY AS asked (uid, place)
        JOIN instances i ON i.sop_instance_uid = asked.uid
        JOIN imaging_series e ON e.id = i.series_id
        JOIN imaging_studies s ON s.id = i.study_id
        ORDER BY asked.place
        """,
        uids=list(sop_instance_uids),
    )


async def study_instance_uid_of(tx: Transaction, study_id: UUID) -> str:
    """The Study Instance UID of a study that was resolved."""
    return await tx.value("SELECT study_instance_uid FROM imaging_studies WHERE id = %(study_id)s", study_id=study_id)


def _where(target: Target, visible_to: Actor) -> Where:
    where = Where(["s.findable"])
    where.add("s.study_instance_uid = {uid}", uid=target.study_instance_uid)
    if target.series_instance_uid is not None:
        where.add("e.series_instance_uid = {uid}", uid=target.series_instance_uid)
    if target.sop_instance_uid is not None:
        where.add("i.sop_instance_uid = {uid}", uid=target.sop_instance_uid)
    add_reach(where, visible_to)
    return where


def _selected(selection: Selection) -> Where:
    where = Where(["s.findable"])
    if selection.patient_id:
        where.add("s.dicom_patient_id = {patient_id}", patient_id=selection.patient_id)
    if selection.study_instance_uids:
        where.add("s.study_instance_uid = ANY({uids})", uids=list(selection.study_instance_uids))
    if selection.series_instance_uids:
        where.add("e.series_instance_uid = ANY({uids})", uids=list(selection.series_instance_uids))
    if selection.sop_instance_uids:
        where.add("i.sop_instance_uid = ANY({uids})", uids=list(selection.sop_instance_uids))
    return where


def add_reach(where: Where, visible_to: Actor) -> None:
    """Only studies `s` that the reader may see. Raises NotPermitted for who may not read."""
    visible_to.reach.add_to(where, "s")


async def refusal(tx: Transaction, target: Target, visible_to: Actor) -> RadiologyError:
    """Why there is nothing: clinicians are told that a study is sensitive where breaking the glass would open it."""
    if visible_to.may(Permission.BREAK_GLASS) and visible_to.is_shown_masked:
        where = Where(["s.findable", "s.sensitive", "NOT 'S4' = ANY(s.sensitive_classes)"])
        where.add("s.study_instance_uid = {uid}", uid=target.study_instance_uid)
        visible_to.reach.add_to(where, "s", also_masked=True)
        seen: LiteralString = visible_to.reach.seen(where, "s")
        statement: LiteralString = (
            "SELECT NOT " + seen + " FROM imaging_studies AS s WHERE " + where.condition  # noqa: S608 - literals of ours.
        )
        if await tx.value(statement, **where.parameters):
            return SensitiveStudy(breaks_glass=True)
    kind = "instance" if target.sop_instance_uid else "series" if target.series_instance_uid else "study"
    return NotFound(f"There is no such {kind}.")
