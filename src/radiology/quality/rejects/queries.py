"""SQL of rejected and repeated exposures. `e` is image_exposures, `study` the study of the image."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from typing import LiteralString

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where
from radiology.quality.rejects.model import Exposures, Repeats
from radiology.quality.schemas import Span
from radiology.studies.queries.reject_rate import MODALITIES

_FROM: LiteralString = """
    FROM image_exposures AS e
    JOIN imaging_studies AS study ON study.id = e.study_id
    WHERE """


def _of(span: Span, visible_to: Actor, facility: str | None) -> Where:
    where = Where(["study.status <> 'entered-in-error'"])
    where.add("e.modality = ANY({modalities})", modalities=list(MODALITIES))
    where.add("e.taken_at >= {began}", began=span.began)
    where.add("e.taken_at < {before}", before=span.before)
    visible_to.add_facility(where, "study.facility_code")
    if facility is not None:
        where.add("study.facility_code = {facility}", facility=facility)
    return where


async def exposures(
    tx: Transaction, span: Span, *, visible_to: Actor, facility: str | None, zone: str
) -> list[Exposures]:
    """Original images of CR, DX and MG of a span of time, by month, machine, radiographer and reason."""
    where = _of(span, visible_to, facility)
    return await tx.all(
        Exposures,
        """
        SELECT to_char(e.taken_at AT TIME ZONE %(zone)s, 'YYYY-MM') AS month, e.ae_title, e.operator,
            e.rejected AS category, count(*) AS instances
        """
        + _FROM
        + where.condition
        + """
        GROUP BY 1, 2, 3, 4
        ORDER BY 1, 2, 3, 4
        """,
        zone=zone,
        **where.parameters,
    )


async def repeats(tx: Transaction, span: Span, *, visible_to: Actor, facility: str | None, zone: str) -> list[Repeats]:
    """Images whose projection is known, and those that are not the first of theirs in their study."""
    where = _of(span, visible_to, facility)
    return await tx.all(
        Repeats,
        """
        SELECT month, ae_title, operator, count(*) AS exposures, count(*) FILTER (WHERE place > 1) AS repeated
        FROM (
            SELECT to_char(e.taken_at AT TIME ZONE %(zone)s, 'YYYY-MM') AS month, e.ae_title, e.operator,
                row_number() OVER (
                    PARTITION BY e.study_id, e.modality, e.body_part, e.laterality, e.view
                    ORDER BY e.taken_at, e.sop_instance_uid
                ) AS place
        """
        + _FROM
        + where.condition
        + """
              AND e.view <> ''
        ) AS placed
        GROUP BY 1, 2, 3
        ORDER BY 1, 2, 3
        """,
        zone=zone,
        **where.parameters,
    )
