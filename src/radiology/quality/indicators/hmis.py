"""The monthly aggregate for the health management information system: DHIS2 dataValueSets.

Complete studies of a month by modality, facility, sex and age band; the organisation unit is the code of the facility.
Numbers below five are left out, and with a single one the next smallest of its facility and modality.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import orjson

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Unavailable
from radiology.kit.db import Transaction, Where
from radiology.quality.indicators.model import Window, hidden
from radiology.scheduling.openings import midnight

DATA_SET: Final = "RADIOLOGY_MONTHLY"
AGE_BANDS: Final = ((0, "00_04"), (5, "05_14"), (15, "15_24"), (25, "25_49"), (50, "50_plus"))
"""From which year of age on; an age that nobody knows is `unknown`."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many studies of a facility and modality were of a sex and an age band."""

    facility_code: str
    modality: str
    sex: str
    band: str
    studies: int


async def export(app: App, actor: Actor, year: int, month: int) -> dict[str, Any]:
    """The data value set of a month, with the codes of this deployment. Raises NotPermitted, Unavailable."""
    actor.must(Permission.QUALITY)
    codes = _codes(app)
    window = Window.of_month(year, month)
    async with app.db.transaction() as tx:
        counted = await _counted(tx, app, window, visible_to=actor)
        await audit.record(tx, actor, "export.indicators", f"{year:04}-{month:02}")
    return data_value_set(counted, codes, period=f"{year:04}{month:02}", complete=window.last.isoformat())


def data_value_set(
    counted: Sequence[Counted], codes: Mapping[str, str], *, period: str, complete: str
) -> dict[str, Any]:
    """As DHIS2 takes it at `/api/dataValueSets`; `codes` maps our names of elements, options and units to others."""
    places = defaultdict[tuple[str, str], list[Counted]](list)
    for each in counted:
        places[each.facility_code, each.modality].append(each)
    values: list[dict[str, str]] = []
    for (facility, modality), rows in sorted(places.items()):
        unseen = hidden({f"{each.sex} {each.band}": (each.studies, True) for each in rows})
        values += [
            {
                "dataElement": _code(codes, f"RAD_{modality}"),
                "period": period,
                "orgUnit": _code(codes, facility),
                "categoryOptionCombo": _code(codes, f"{each.sex}_{each.band}"),
                "value": str(each.studies),
            }
            for each in rows
            if f"{each.sex} {each.band}" not in unseen
        ]
    return {"dataSet": _code(codes, DATA_SET), "completeDate": complete, "period": period, "dataValues": values}


def _code(codes: Mapping[str, str], name: str) -> str:
    return codes.get(name, name)


def _codes(app: App) -> dict[str, str]:
    path = app.settings.hmis_codes_file
    if path is None:
        return {}
    try:
        found: dict[str, Any] = orjson.loads(path.read_bytes())
        return {str(name): str(code) for name, code in found.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise Unavailable(f"hmis_codes_file {path} cannot be read: it must be one JSON object of codes.") from error


async def _counted(tx: Transaction, app: App, window: Window, *, visible_to: Actor) -> list[Counted]:
    where = Where(["NOT EXISTS (SELECT FROM facilities AS f WHERE f.code = c.facility_code AND f.test)"])
    visible_to.add_facility(where, "c.facility_code")
    zone = app.settings.zone
    return await tx.all(
        Counted,
        """
        SELECT facility_code, modality, sex, coalesce(band, 'unknown') AS band, count(*) AS studies
        FROM (
            SELECT c.facility_code, c.modality,
                CASE WHEN upper(s.patient_sex) IN ('F', 'M', 'O') THEN upper(s.patient_sex) ELSE 'U' END AS sex,
                (
                    SELECT band FROM unnest(%(years)s::integer[], %(bands)s::text[]) AS bands (years, band)
                    WHERE s.patient_birth_date ~ '^[12][0-9]{7}$'
                      AND years <= (to_char(k.completed_at AT TIME ZONE %(zone)s, 'YYYYMMDD')::integer
                          - s.patient_birth_date::integer) / 10000
                    ORDER BY years DESC
                    LIMIT 1
                ) AS band
            FROM indicator_studies AS k
            JOIN indicator_cells AS c ON c.id = k.cell_id
            JOIN imaging_studies AS s ON s.id = k.study_id
            WHERE k.completed_at >= %(begins)s
              AND k.completed_at < %(ends)s
              AND """  # noqa: S608 - literals of ours.
        + where.condition
        + """
        ) AS studies
        GROUP BY 1, 2, 3, 4
        ORDER BY 1, 2, 3, 4
        """,
        years=[years for years, _ in AGE_BANDS],
        bands=[band for _, band in AGE_BANDS],
        begins=midnight(window.first, zone),
        ends=midnight(window.last + timedelta(days=1), zone),
        zone=zone.key,
        **where.parameters,
    )
