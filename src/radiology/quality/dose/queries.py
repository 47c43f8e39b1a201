"""SQL of comparisons with reference levels, and of the notes about examinations."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit import pages
from radiology.kit.db import Transaction, Where
from radiology.kit.ids import uuid7
from radiology.quality.dose.model import Cell, Level, Noted


@dataclass(frozen=True, slots=True)
class Window:
    """Which examinations are compared: of a span of time, and perhaps of one facility, procedure or machine."""

    began: datetime
    before: datetime
    facility_code: str | None = None
    protocol: str | None = None
    ae_title: str | None = None


async def cells(tx: Transaction, window: Window, *, visible_to: Actor) -> list[Cell]:
    """What each quantity came to for patients of standard size, by facility, protocol and group."""
    where = Where(["dose.standard_size", "study.status <> 'entered-in-error'"])
    # What a machine calls its protocol is free text, and may say what nobody is to know of a sensitive study.
    where.clauses.append("(dose.procedure_key <> '' OR NOT study.sensitive)")
    where.add("dose.performed_at >= {began}", began=window.began)
    where.add("dose.performed_at < {before}", before=window.before)
    visible_to.add_facility(where, "study.facility_code")
    if window.facility_code is not None:
        where.add("study.facility_code = {facility}", facility=window.facility_code)
    if window.protocol is not None:
        where.add("dose.protocol = {protocol}", protocol=window.protocol)
    if window.ae_title is not None:
        where.add("dose.ae_title = {title}", title=window.ae_title)
    return await tx.all(
        Cell,
        """
        SELECT study.facility_code, dose.protocol, max(dose.procedure_key) AS procedure_key, dose.patient_group,
            told.key AS quantity, count(*) AS patients,
            count(*) FILTER (WHERE dose.weight_kg IS NULL) AS without_weight,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY told.value::double precision) AS median,
            percentile_cont(0.75) WITHIN GROUP (ORDER BY told.value::double precision) AS third_quartile,
            array_agg(told.value::double precision) AS values
        FROM dose_examinations AS dose
        JOIN imaging_studies AS study ON study.id = dose.study_id
        CROSS JOIN LATERAL jsonb_each_text(dose.doses) AS told
        WHERE """
        + where.condition
        + """
        GROUP BY study.facility_code, dose.protocol, dose.patient_group, told.key
        ORDER BY study.facility_code, dose.protocol, dose.patient_group, told.key
        """,
        **where.parameters,
    )


async def levels(tx: Transaction) -> list[Level]:
    """All reference levels that were ever set."""
    return await tx.all(
        Level,
        """
        SELECT procedure_key, quantity, patient_group, facility_code, valid_from, value, source
        FROM reference_levels
        """,
    )


async def levels_body(tx: Transaction, *, visible_to: Actor, procedure_key: str | None) -> bytes:
    """The levels that were set, those of the country and of the reader's facilities, as a JSON array."""
    where = Where()
    if visible_to.facility_codes is not None:
        where.add("(facility_code IS NULL OR facility_code = ANY({codes}))", codes=sorted(visible_to.facility_codes))
    if procedure_key is not None:
        where.add("procedure_key = {key}", key=procedure_key)
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('procedureKey', procedure_key, 'quantity', quantity,
            'patientGroup', patient_group, 'facilityCode', facility_code, 'validFrom', valid_from, 'value', value,
            'source', source, 'setBy', set_by, 'setAt', set_at)
            ORDER BY procedure_key, quantity, patient_group, facility_code NULLS FIRST, valid_from DESC), '[]')::text
        FROM reference_levels
        WHERE """
        + where.condition,
        **where.parameters,
    )


async def save_level(tx: Transaction, level: Level, *, by: str, at: datetime) -> None:
    """Set a level from a day on, in place of what was said of that day before."""
    await tx.run(
        """
        INSERT INTO reference_levels (id, procedure_key, quantity, patient_group, facility_code, valid_from, value,
            source, set_by, set_at)
        VALUES (%(id)s, %(key)s, %(quantity)s, %(group)s, %(facility)s, %(valid_from)s, %(value)s, %(source)s, %(by)s,
            %(at)s)
        ON CONFLICT (procedure_key, quantity, patient_group, facility_code, valid_from) DO UPDATE
        SET value = excluded.value,
            source = excluded.source,
            set_by = excluded.set_by,
            set_at = excluded.set_at
        """,
        id=uuid7(),
        key=level.procedure_key,
        quantity=level.quantity,
        group=level.patient_group,
        facility=level.facility_code,
        valid_from=level.valid_from,
        value=level.value,
        source=level.source,
        by=by,
        at=at,
    )


# --- Notes ---


async def keep_notes(tx: Transaction, study_id: UUID, notes: Sequence[Noted], *, at: datetime) -> int:
    """Let exactly these notes be open about a study; those that somebody has closed stay. Returns how many are new."""
    await tx.run(
        """
        DELETE FROM dose_notes
        WHERE study_id = %(study_id)s
          AND closed_at IS NULL
          AND NOT (kind || ' ' || quantity) = ANY(%(kept)s)
        """,
        study_id=study_id,
        kept=[f"{note.kind} {note.quantity}" for note in notes],
    )
    return sum([await _keep_note(tx, study_id, note, at) for note in notes])


async def _keep_note(tx: Transaction, study_id: UUID, note: Noted, at: datetime) -> bool:
    return await tx.value(
        """
        INSERT INTO dose_notes (id, study_id, kind, quantity, value, over, made_at)
        VALUES (%(id)s, %(study_id)s, %(kind)s, %(quantity)s, %(value)s, %(over)s, %(at)s)
        ON CONFLICT (study_id, kind, quantity) DO UPDATE SET value = excluded.value, over = excluded.over
        RETURNING xmax = 0
        """,
        id=uuid7(),
        study_id=study_id,
        kind=note.kind,
        quantity=note.quantity,
        value=note.value,
        over=note.over,
        at=at,
    )


async def notes(
    tx: Transaction, *, visible_to: Actor, still_open: bool, after: tuple[datetime, UUID] | None, limit: int, zone: str
) -> tuple[bytes, str | None]:
    """One page of notes as a JSON array, the newest first, and the cursor of the page behind it."""
    where = Where(["note.closed_at IS NULL"] if still_open else [])
    visible_to.reach.add_to(where, "study")
    if after is not None:
        where.add("(note.made_at, note.id) < ({at}, {id})", at=after[0], id=after[1])
    rows = await tx.values(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT json_build_array(json_strip_nulls(json_build_object(
                'id', note.id, 'kind', note.kind, 'quantity', note.quantity, 'value', note.value, 'over', note.over,
                'studyId', study.study_id, 'studyInstanceUID', study.study_instance_uid,
                'facilityCode', study.facility_code, 'protocol', dose.protocol, 'performedAt', dose.performed_at,
                'madeAt', note.made_at, 'closedAt', note.closed_at, 'closedBy', note.closed_by,
                'comment', nullif(note.comment, '')
            )), note.made_at AT TIME ZONE 'UTC', note.id)::text
        FROM shown, dose_notes AS note
        JOIN imaging_studies AS study ON study.id = note.study_id
        LEFT JOIN dose_examinations AS dose ON dose.study_id = note.study_id
        WHERE """
        + where.condition
        + """
        ORDER BY note.made_at DESC, note.id DESC
        LIMIT %(limit)s
        """,
        zone=zone,
        limit=limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=limit)


@dataclass(frozen=True, slots=True)
class OpenNote:
    """A note that somebody is about to close."""

    id: UUID
    kind: str
    closed_by: str | None


async def lock_note(tx: Transaction, note_id: UUID, *, visible_to: Actor) -> OpenNote:
    """A note, kept from all others until the transaction ends. Raises NotFound."""
    where = Where()
    where.add("note.id = {id}", id=note_id)
    visible_to.reach.add_to(where, "study")
    return await tx.one(
        OpenNote,
        """
        SELECT note.id, note.kind, note.closed_by
        FROM dose_notes AS note
        JOIN imaging_studies AS study ON study.id = note.study_id
        WHERE """
        + where.condition
        + """
        FOR UPDATE OF note
        """,
        **where.parameters,
    )


async def close_note(tx: Transaction, note_id: UUID, *, by: str, at: datetime, comment: str) -> None:
    """Close a note that is locked."""
    await tx.run(
        """
        UPDATE dose_notes
        SET closed_at = %(at)s,
            closed_by = %(by)s,
            comment = %(comment)s
        WHERE id = %(id)s
        """,
        id=note_id,
        by=by,
        at=at,
        comment=comment,
    )


# --- Single examinations ---


async def study_body(tx: Transaction, study_id: UUID, *, zone: str) -> bytes:
    """The dose of a study that the reader may see, event by event, with its notes; null where none is known."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT json_build_object(
            'source', dose.source, 'performedAt', dose.performed_at, 'aeTitle', dose.ae_title,
            'modality', dose.modality, 'procedureKey', nullif(dose.procedure_key, ''), 'protocol', dose.protocol,
            'patientGroup', dose.patient_group, 'standardSize', dose.standard_size, 'ageYears', dose.age_years,
            'weightKg', dose.weight_kg, 'heightM', dose.height_m, 'doses', dose.doses,
            'effectiveDose', json_build_object('mSv', dose.effective_dose_msv, 'method', dose.effective_dose_method,
                'explain', dose.explain),
            'notes', (SELECT coalesce(json_agg(json_build_object('kind', kind, 'quantity', quantity, 'value', value,
                'over', over, 'closed', closed_at IS NOT NULL) ORDER BY kind, quantity), '[]')
                FROM dose_notes WHERE study_id = dose.study_id),
            'events', (SELECT coalesce(json_agg(json_strip_nulls(json_build_object(
                    'irradiationEventUID', event_uid, 'toldBy', told_by, 'startedAt', started_at, 'protocol', protocol,
                    'acquisition', acquisition, 'region', region, 'laterality', laterality, 'view', view,
                    'plane', plane, 'kVp', kvp, 'tubeCurrentMa', tube_current_ma, 'exposureMas', exposure_mas,
                    'exposureTimeSeconds', exposure_time_seconds, 'fluoroscopySeconds', fluoroscopy_seconds,
                    'CTDIvolMgy', ctdi_vol_mgy, 'phantomCm', phantom_cm, 'DLPMgyCm', dlp_mgy_cm,
                    'KAPGyCm2', kap_gy_cm2, 'airKermaMgy', air_kerma_mgy, 'entranceMgy', entrance_mgy,
                    'glandularDoseMgy', glandular_dose_mgy)) ORDER BY started_at NULLS FIRST, event_uid), '[]')
                FROM dose_events WHERE study_id = dose.study_id))::text
        FROM shown, dose_examinations AS dose
        WHERE dose.study_id = %(study_id)s
        """,
        study_id=study_id,
        zone=zone,
    )
