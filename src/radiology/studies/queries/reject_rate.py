"""SQL of the reject rate: of what was exposed on purpose, how much had to be done again (`Title.QUALITY` alone)."""

from dataclasses import dataclass
from datetime import datetime

from radiology.access.model import Actor
from radiology.errors import NotPermitted
from radiology.kit.db import Transaction, Where
from radiology.studies.rejection import MAY_REJECT, Title

MODALITIES = ("CR", "DX", "MG")
"""What is counted: projections, of which each image is one exposure."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many original images a machine made, and why some were rejected. `category` is empty for accepted ones."""

    ae_title: str
    category: str
    instances: int


async def exposures(
    tx: Transaction, *, began: datetime | None, before: datetime | None, visible_to: Actor
) -> list[Counted]:
    """Images of exposures of a span of time by machine and reason; what belongs elsewhere counts where it is now.

    Detectors call what they processed themselves DERIVED, PRIMARY; what was made afterwards is SECONDARY (PS3.3
    C.7.6.1.1.2). The raw image beside the processed one is of the same exposure (PS3.3 C.8.11.1.1.1).

    Rejections for other reasons count neither as rejected nor as accepted; withdrawn ones count as accepted. Raises
    NotPermitted for who cannot reject.
    """
    if visible_to.role not in MAY_REJECT:
        raise NotPermitted("The reject rate is for quality officers and administrators.")
    where = Where(["s.status <> 'entered-in-error'", "e.modality = ANY(%(modalities)s)"])
    visible_to.add_facility(where, "s.facility_code")
    if began is not None:
        where.add("i.stored_at >= {began}", began=began)
    if before is not None:
        where.add("i.stored_at < {before}", before=before)
    return await tx.all(
        Counted,
        """
        SELECT i.source_ae_title AS ae_title, i.category, count(*) AS instances
        FROM (
            SELECT series_id, source_ae_title, stored_at, attributes, '' AS category
            FROM instances
            UNION ALL
            SELECT hidden.series_id, hidden.source_ae_title, hidden.stored_at, hidden.attributes, rejection.category
            FROM rejected_instances AS hidden
            JOIN rejections AS rejection ON rejection.id = hidden.rejection_id
            WHERE rejection.title = %(quality)s
        ) AS i
        JOIN imaging_series AS e ON e.id = i.series_id
        JOIN imaging_studies AS s ON s.id = e.study_id
        CROSS JOIN LATERAL (
            SELECT replace(convert_from(i.attributes, 'UTF8'), '\\u0000', '')::jsonb AS attributes
        ) AS told
        WHERE told.attributes #>> '{00080008,Value,1}' IS DISTINCT FROM 'SECONDARY'
          AND told.attributes #>> '{00080068,Value,0}' IS DISTINCT FROM 'FOR PROCESSING'
          AND """  # noqa: S608 - literals of ours.
        + where.condition
        + """
        GROUP BY 1, 2
        ORDER BY 1, 2
        """,
        quality=Title.QUALITY,
        modalities=list(MODALITIES),
        **where.parameters,
    )
