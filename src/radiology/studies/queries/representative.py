"""SQL of the one image that stands for a series or a study: the middle one of the largest series of images."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from typing import LiteralString

from radiology.access.model import Actor
from radiology.errors import NotFound, SensitiveStudy
from radiology.kit.db import Transaction, Where
from radiology.studies.queries.retrieve import CORRECTIONS, StoredInstance, Target, add_reach, refusal

#: Objects with pixel data that are shown over images and not by themselves: segmentations, surfaces, doses.
_NOT_ALONE = (
    "1.2.840.10008.5.1.4.1.1.66.4",
    "1.2.840.10008.5.1.4.1.1.66.7",
    "1.2.840.10008.5.1.4.1.1.481.2",
)

_IMAGES: LiteralString = (
    """
    WITH images AS (
        SELECT s.study_instance_uid, e.series_instance_uid, e.series_number, i.sop_instance_uid, i.sop_class_uid,
            i.transfer_syntax_uid, i.number_of_frames, i.object_key, i.size_bytes, i.data_set_offset,
            i.pixel_data_offset, i.pixel_data_length, i.data_set_sha256, i.original_transfer_syntax_uid,
            i.original_pixel_data_head,
            """
    + CORRECTIONS
    + """ AS corrections,
            count(*) OVER (PARTITION BY e.id) AS many,
            row_number() OVER (PARTITION BY e.id ORDER BY i.instance_number NULLS LAST, i.sop_instance_uid) AS place
        FROM imaging_studies s
        JOIN imaging_series e ON e.study_id = s.id
        JOIN instances i ON i.series_id = e.id
        WHERE """
)
_THE_MIDDLE_ONE: LiteralString = """
    )
    SELECT study_instance_uid, series_instance_uid, sop_instance_uid, sop_class_uid, transfer_syntax_uid,
        number_of_frames, object_key, size_bytes, data_set_offset, pixel_data_offset, pixel_data_length,
        data_set_sha256, original_transfer_syntax_uid, original_pixel_data_head, corrections
    FROM images
    WHERE place = (many + 1) / 2
    ORDER BY many DESC, series_number NULLS LAST, series_instance_uid
    LIMIT 1"""


async def representative_of(tx: Transaction, target: Target, *, visible_to: Actor) -> StoredInstance:
    """An image of a study or a series. Raises NotFound where there is none."""
    where = Where(["s.findable", "(i.pixel_data_offset IS NOT NULL OR i.pixel_data_length IS NOT NULL)"])
    where.add("i.sop_class_uid <> ALL({others})", others=list(_NOT_ALONE))
    where.add("s.study_instance_uid = {uid}", uid=target.study_instance_uid)
    if target.series_instance_uid is not None:
        where.add("e.series_instance_uid = {uid}", uid=target.series_instance_uid)
    add_reach(where, visible_to)
    found = await tx.maybe(
        StoredInstance,
        _IMAGES + where.condition + _THE_MIDDLE_ONE,
        **where.parameters,
    )
    if found is None:
        refused = await refusal(tx, target, visible_to)
        raise refused if isinstance(refused, SensitiveStudy) else NotFound("There is no image that could be shown.")
    return found
