"""The same object again with another header: what a modality corrected. Both are kept, and the newest is served.

It is taken for a correction only where it comes from where the first came, is of the same patient, study and series,
and its pixels are the same bytes described in the same way. What was given out with a header put right and comes back,
as from a workstation, is known. All else is another object under a UID that is taken.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import orjson

from radiology import events
from radiology.audit import actions as audit
from radiology.kit.objects import LocalObjects
from radiology.studies.batch import Batch, study_event
from radiology.studies.corrections import MODIFYING_SYSTEM, ORIGINAL_ATTRIBUTES
from radiology.studies.queries import revising as queries
from radiology.studies.queries.index import KnownStudy
from radiology.studies.queries.revising import Before
from radiology.studies.receive import CHUNK_BYTES, Arrival

#: What says how pixel data is to be read (PS3.3 C.7.6.3): SOP class, samples, photometric interpretation, planar
#: configuration, frames, rows, columns, bits allocated, bits stored, high bit, pixel representation.
_DESCRIBING = (
    "00080016", "00280002", "00280004", "00280006", "00280008", "00280010", "00280011", "00280100", "00280101",
    "00280102", "00280103",
)  # fmt: skip


class Revision(StrEnum):
    """What another header was: `NEW`, or `KNOWN` from before."""

    NEW = "new"
    KNOWN = "known"


def revise(batch: Batch, arrival: Arrival, study: KnownStudy, objects: LocalObjects) -> Revision | None:
    """Serve an object instead of the one that is stored, where only their headers differ; None where more does."""
    before = queries.before(batch.tx, arrival.sop_instance_uid)
    if before is None or not _is_comparable(before, arrival):
        return None
    if arrival.data_set_sha256 in (before.data_set_sha256, *before.earlier):
        return Revision.KNOWN
    was_given_out = _is_put_right_here(arrival)
    if not (was_given_out or before.source_ae_title == arrival.source.ae_title):
        return None
    if not _same_pixels(before, arrival, objects):
        return None
    if was_given_out:
        return Revision.KNOWN
    queries.replace(batch.tx, arrival, pixel_data_offset=arrival.header.pixel_data_offset)
    queries.count(batch.tx, study.id, grown_bytes=arrival.size_bytes - before.size_bytes)
    detail = {"instance": arrival.sop_instance_uid, "before": before.data_set_sha256.hex()}
    audit.record_in_batch(batch.tx, arrival.source.actor, "study.header-revision", str(study.id), detail=detail)
    batch.told.append(events.HeaderRevised(**study_event(study), sop_instance_uid=arrival.sop_instance_uid))
    return Revision.NEW


def _is_comparable(before: Before, arrival: Arrival) -> bool:
    return (
        before.transfer_syntax_uid == arrival.header.transfer_syntax_uid
        and before.pixel_data_length == arrival.header.pixel_data_length
        and _described(orjson.loads(before.attributes)) == _described(arrival.header.attributes)
    )


def _is_put_right_here(arrival: Arrival) -> bool:
    """Whether the last to change its header was this service (PS3.3 C.12.1.1.9)."""
    last = [item for item in arrival.header.values(ORIGINAL_ATTRIBUTES) if item][-1:]
    return any(item.get("04000563", {}).get("Value") == [MODIFYING_SYSTEM] for item in last)


def _described(attributes: Mapping[str, Any]) -> list[Any]:
    return [attributes.get(tag, {}).get("Value") for tag in _DESCRIBING]


def _same_pixels(before: Before, arrival: Arrival, objects: LocalObjects) -> bool:
    """Compare from the first byte of the pixel data on: its length, or where it is encapsulated all that follows."""
    start, other_start = before.pixel_data_offset, arrival.header.pixel_data_offset
    if start is None or other_start is None:
        return False
    length = before.pixel_data_length
    left = before.size_bytes - start if length is None else length
    if length is None and left != arrival.size_bytes - other_start:
        return False
    one, other = objects.open(before.object_key), objects.open(arrival.object_key)
    try:
        while left > 0:
            size = min(left, CHUNK_BYTES)
            chunk = os.pread(one, size, start)
            if len(chunk) != size or chunk != os.pread(other, size, other_start):
                return False
            start, other_start, left = start + size, other_start + size, left - size
    finally:
        os.close(one)
        os.close(other)
    return True
