"""SQL that packs what images, dose reports and reports tell into sheets: rejects, repeats, doses, versions."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, LiteralString
from uuid import UUID

from radiology.kit.db import Transaction
from radiology.quality.indicators.day_queries import REAL, sheet

CATEGORIES: Final[tuple[LiteralString, ...]] = (
    "positioning", "exposure", "motion", "artefact", "wrong-patient", "equipment", "other"
)  # fmt: skip
_IMAGES: LiteralString = """
    FROM image_exposures AS e
    JOIN indicator_studies AS known ON known.study_id = e.study_id
    JOIN imaging_studies AS s ON s.id = e.study_id AND s.status <> 'entered-in-error'
    WHERE e.taken_at >= asked.begins
      AND e.taken_at < asked.ends
"""
_PROJECTIONS: LiteralString = "      AND e.modality IN ('CR', 'DX', 'MG')\n"
_COUNTED: LiteralString = "SELECT known.cell_id AS cell, count(*)::integer AS amount"
_BY_CELL: LiteralString = " GROUP BY 1"
_PLACED: LiteralString = (
    """
    SELECT cell, count(*)::integer AS amount
    FROM (
        SELECT known.cell_id AS cell, row_number() OVER (
            PARTITION BY e.study_id, e.modality, e.body_part, e.laterality, e.view
            ORDER BY e.taken_at, e.sop_instance_uid
        ) AS place
    """
    + _IMAGES
    + _PROJECTIONS
    + """
      AND e.view <> ''
    ) AS placed
    """
)

OF_IMAGES: Final[Mapping[str, LiteralString]] = {
    "images.accepted": sheet(_COUNTED + _IMAGES + _PROJECTIONS + " AND e.rejected = ''" + _BY_CELL),
    **{
        "images.rejected." + category: sheet(
            _COUNTED + _IMAGES + _PROJECTIONS + " AND e.rejected = '" + category + "'" + _BY_CELL
        )
        for category in CATEGORIES
    },
    "images.projected": sheet(_PLACED + _BY_CELL),
    "images.repeated": sheet(_PLACED + " WHERE place > 1" + _BY_CELL),
    "images.deviation": sheet(
        "SELECT known.cell_id AS cell, e.deviation_index AS amount" + _IMAGES + " AND e.deviation_index IS NOT NULL",
        REAL,
    ),
}

_DOSES: LiteralString = """
    SELECT protocols.id AS cell, told.value::double precision AS amount
    FROM dose_examinations AS dose
    JOIN imaging_studies AS s ON s.id = dose.study_id AND s.status <> 'entered-in-error'
    CROSS JOIN LATERAL jsonb_each_text(dose.doses) AS told
    JOIN indicator_protocols AS protocols
      ON (protocols.facility_code, protocols.modality, protocols.protocol, protocols.procedure_key,
          protocols.patient_group, protocols.quantity)
       = (s.facility_code, dose.modality, dose.protocol, dose.procedure_key, dose.patient_group, told.key)
    WHERE dose.standard_size
      AND dose.performed_at >= asked.begins
      AND dose.performed_at < asked.ends
"""
DOSE: Final = "dose"
OF_DOSES: Final[Mapping[str, LiteralString]] = {DOSE: sheet(_DOSES, REAL)}

_VERSIONS: LiteralString = """
    FROM report_versions AS version
    JOIN radiology_reports AS report ON report.id = version.report_id
    JOIN indicator_studies AS known ON known.study_id = report.study_id
    WHERE version.signed_at >= asked.begins
      AND version.signed_at < asked.ends
      AND report.status NOT IN ('cancelled', 'entered-in-error')
"""
_FINAL: LiteralString = " AND version.status = 'final'"
_IS_TRAINEES: LiteralString = """
      AND EXISTS (
        SELECT FROM accounts AS trainee
        WHERE trainee.role = 'resident'
          AND 'account:' || trainee.name = report.author
      )
      AND NOT report.self_approved
"""
_DIFFERENCE: LiteralString = """
    coalesce(
        (SELECT difference FROM trainee_agreements AS said WHERE said.report_id = report.id),
        CASE WHEN (
            SELECT before.content_json->'sections'
            FROM report_versions AS before
            WHERE before.report_id = report.id AND before.status = 'preliminary'
            ORDER BY before.version_no
            LIMIT 1
        ) = version.content_json->'sections' THEN 'none' END,
        'not-said'
    ) = """
DIFFERENCES: Final[tuple[LiteralString, ...]] = ("none", "minor", "major", "not-said")
OF_REPORTS: Final[Mapping[str, LiteralString]] = {
    "reports.final": sheet(_COUNTED + _VERSIONS + _FINAL + _BY_CELL),
    "reports.self-approved": sheet(_COUNTED + _VERSIONS + _FINAL + " AND report.self_approved" + _BY_CELL),
    "reports.warned": sheet(_COUNTED + _VERSIONS + _FINAL + " AND report.warnings <> '[]'" + _BY_CELL),
    "reports.later": sheet(
        _COUNTED + _VERSIONS + " AND version.status IN ('amended', 'corrected', 'appended')" + _BY_CELL
    ),
    **{
        "reports.trainee." + difference: sheet(
            _COUNTED + _VERSIONS + _FINAL + _IS_TRAINEES + " AND " + _DIFFERENCE + "'" + difference + "'" + _BY_CELL
        )
        for difference in DIFFERENCES
    },
}


async def add_protocols(tx: Transaction, days: Sequence[date], *, zone: str) -> None:
    """What doses of these days are of has a cell of its own."""
    await tx.run(
        """
        INSERT INTO indicator_protocols (facility_code, modality, protocol, procedure_key, patient_group, quantity)
        SELECT DISTINCT s.facility_code, dose.modality, dose.protocol, dose.procedure_key, dose.patient_group, told.key
        FROM unnest(%(days)s::date[]) AS day
        JOIN dose_examinations AS dose
          ON dose.performed_at >= day::timestamp AT TIME ZONE %(zone)s
         AND dose.performed_at < (day + 1)::timestamp AT TIME ZONE %(zone)s
        JOIN imaging_studies AS s ON s.id = dose.study_id
        CROSS JOIN LATERAL jsonb_object_keys(dose.doses) AS told (key)
        WHERE dose.standard_size
        EXCEPT
        SELECT facility_code, modality, protocol, procedure_key, patient_group, quantity
        FROM indicator_protocols
        ON CONFLICT DO NOTHING
        """,
        days=list(days),
        zone=zone,
    )


async def days_of(tx: Transaction, studies: Sequence[UUID], *, zone: str) -> list[tuple[str, date]]:
    """The days on which images, doses and reports of studies count, with the name of their source."""
    return [
        (str(row[0]), row[1])
        for row in await tx.binary(
            """
            SELECT DISTINCT source, (moment AT TIME ZONE %(zone)s)::date
            FROM (
                SELECT 'images' AS source, taken_at AS moment FROM image_exposures WHERE study_id = ANY(%(studies)s)
                UNION ALL
                SELECT 'doses', performed_at FROM dose_examinations WHERE study_id = ANY(%(studies)s)
                UNION ALL
                SELECT 'reports', version.signed_at
                FROM radiology_reports AS report
                JOIN report_versions AS version ON version.report_id = report.id
                WHERE report.study_id = ANY(%(studies)s)
            ) AS moments
            """,
            studies=list(studies),
            zone=zone,
        )
    ]
