"""SQL of the check of orders: what is known of the patient, what was answered, and what was shown."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.kit.db import Transaction, Where, as_json
from radiology.kit.ids import uuid7
from radiology.orders.checking.model import HELD, Alert, Checked, Circumstances, Earlier, Kept
from radiology.orders.model import Order


async def earlier(
    tx: Transaction, patient_id: UUID, *, since: date, but_of: str, zone: str, visible_to: Actor
) -> list[Earlier]:
    """Studies of a patient since a day, also under numbers that were merged, and whether the actor may know of each.

    but_of: the order whose own studies are left out.
    """
    where = Where()
    if visible_to.may(Permission.READ):
        visible_to.staff_reach.add_to(where, "s")
    else:
        where.clauses.append("FALSE")
    return await tx.all(
        Earlier,
        """
        SELECT s.id, s.study_instance_uid,
            CASE WHEN s.modalities_in_study <> '{}' THEN s.modalities_in_study
                ELSE array_remove(ARRAY[s.modality -> 0 -> 'coding' -> 0 ->> 'code'], NULL) END AS modalities,
            s.procedure_code, s.study_description, s.status, s.number_of_instances, s.sensitive,
            coalesce(s.study_date, (coalesce(s.started, s.created_at) AT TIME ZONE %(zone)s)::date) AS on, """
        + where.condition
        + """ AS seen
        FROM imaging_studies AS s
        WHERE s.patient_id IN (
                SELECT id FROM patients WHERE id = %(patient_id)s OR merged_into = %(patient_id)s
            )
          AND s.status NOT IN ('cancelled', 'entered-in-error')
          AND s.service_request IS DISTINCT FROM %(but_of)s
          AND coalesce(s.study_date, (coalesce(s.started, s.created_at) AT TIME ZONE %(zone)s)::date) >= %(since)s
        ORDER BY s.id DESC
        LIMIT 500
        """,
        patient_id=patient_id,
        since=since,
        but_of=but_of,
        zone=zone,
        **where.parameters,
    )


async def circumstances(tx: Transaction, patient_id: UUID, facility_code: str) -> Circumstances:
    """Whether the patient lies in a ward now, and who owns the facility: public where nobody has said."""
    return await tx.one(
        Circumstances,
        """
        SELECT EXISTS (
                SELECT FROM encounters
                WHERE patient_id = %(patient_id)s AND class = 'IMP' AND status = 'in-progress'
            ) AS inpatient,
            coalesce((SELECT ownership FROM facilities WHERE code = %(code)s), 'public') AS ownership
        """,
        patient_id=patient_id,
        code=facility_code,
    )


async def insert_check(
    tx: Transaction, order: Order, checked: Checked, *, trigger: str, held: bool, by: str, at: datetime
) -> None:
    """Keep what was answered with the order."""
    await tx.run(
        """
        INSERT INTO order_checks (id, order_id, facility_code, trigger, rule_set_version, decision, answers, overrides,
            held, asked_by, asked_at)
        VALUES (%(id)s, %(order_id)s, %(facility_code)s, %(trigger)s, %(version)s, %(decision)s, %(answers)s,
            %(overrides)s, %(held)s, %(by)s, %(at)s)
        """,
        id=uuid7(),
        order_id=order.id,
        facility_code=order.facility_code,
        trigger=trigger,
        version=checked.rule_set_version,
        decision=checked.decision,
        answers=as_json(checked.kept()),
        overrides=as_json([_override(each) for each in checked.overrides]),
        held=held,
        by=by,
        at=at,
    )


async def last(tx: Transaction, order_id: UUID) -> Kept | None:
    """What was answered last."""
    return await tx.maybe(
        Kept,
        """
        SELECT decision, overrides, asked_at
        FROM order_checks
        WHERE order_id = %(order_id)s
        ORDER BY asked_at DESC, id DESC
        LIMIT 1
        """,
        order_id=order_id,
    )


async def why_held(tx: Transaction, order_id: UUID) -> str | None:
    """Why the check put an order on hold, where that was the last who did so."""
    return await tx.value(
        """
        SELECT reason
        FROM (
            SELECT reason, reason_code FROM order_history
            WHERE order_id = %(order_id)s AND verb = 'hold'
            ORDER BY id DESC
            LIMIT 1
        ) AS held
        WHERE reason_code = %(code)s
        """,
        order_id=order_id,
        code=HELD,
    )


async def history(tx: Transaction, order_id: UUID, *, zone: str) -> bytes:
    """All that was answered of an order that was loaded, the newest first, as a JSON array."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT coalesce(jsonb_agg(jsonb_build_object('askedAt', asked_at, 'askedBy', asked_by, 'trigger', trigger,
            'decision', decision, 'ruleSetVersion', rule_set_version, 'held', held, 'overrides', overrides,
            'procedures', answers) ORDER BY asked_at DESC, id DESC), '[]')::text
        FROM shown, order_checks
        WHERE order_id = %(order_id)s
        """,
        order_id=order_id,
        zone=zone,
    )


async def insert_alerts(
    tx: Transaction,
    alerts: Sequence[Alert],
    *,
    order_id: UUID | None,
    facility_code: str,
    priority: str,
    rule_set_version: str,
    stopped: str,
    at: datetime,
) -> None:
    """Note what was shown. stopped: the outcome of what blocks, refused or held."""
    await tx.run(
        """
        INSERT INTO order_alerts (id, order_id, requested_procedure_id, facility_code, rule, rule_set_version, effect,
            procedure_key, modality, priority, cost_bdt, dose_msv, outcome, shown_at)
        SELECT shown.id, %(order_id)s, shown.requested_procedure_id, %(facility_code)s, shown.rule, %(version)s,
            shown.effect, shown.procedure_key, shown.modality, %(priority)s, shown.cost_bdt, shown.dose_msv,
            CASE WHEN shown.overridden THEN 'overridden' WHEN shown.effect = 'blocked' THEN %(stopped)s
                ELSE 'shown' END, %(at)s
        FROM json_to_recordset(%(rows)s) AS shown (id uuid, requested_procedure_id text, rule text, effect text,
            procedure_key text, modality text, cost_bdt numeric, dose_msv double precision, overridden boolean)
        """,
        order_id=order_id,
        facility_code=facility_code,
        priority=priority,
        version=rule_set_version,
        stopped=stopped,
        at=at,
        rows=as_json([_alert(each) for each in alerts]),
    )


async def end_alerts(tx: Transaction, order_id: UUID, *, at: datetime) -> None:
    """Alerts of an order that is asked anew: what was shown before is not counted twice."""
    await tx.run(
        "UPDATE order_alerts SET ended_at = %(at)s WHERE order_id = %(order_id)s AND ended_at IS NULL",
        order_id=order_id,
        at=at,
    )


async def accept_alerts(
    tx: Transaction,
    order_id: UUID,
    *,
    at: datetime,
    procedures: Sequence[str] | None = None,
    less_bdt: Decimal = Decimal(0),
    less_msv: float = 0,
) -> int:
    """What was advised against was cancelled or replaced: the advice was taken. Returns how many alerts there were.

    Each procedure is saved once, whatever number of rules spoke against it. procedures: those alone, None for all;
    less_...: what is ordered in their place.
    """
    return await tx.run(
        """
        WITH open AS (
            SELECT id, row_number() OVER (PARTITION BY requested_procedure_id ORDER BY rule, id) AS place,
                row_number() OVER (ORDER BY requested_procedure_id, rule, id) AS number
            FROM order_alerts
            WHERE order_id = %(order_id)s
              AND ended_at IS NULL
              AND effect IN ('suggest_alternative', 'consult_radiologist', 'blocked')
              AND (%(procedures)s::text[] IS NULL OR requested_procedure_id = ANY(%(procedures)s::text[]))
        )
        UPDATE order_alerts AS alert
        SET outcome = 'accepted',
            ended_at = %(at)s,
            saved_bdt = CASE WHEN open.place = 1 THEN alert.cost_bdt ELSE 0 END
                - CASE WHEN open.number = 1 THEN %(less_bdt)s ELSE 0 END,
            saved_msv = CASE WHEN open.place = 1 THEN alert.dose_msv ELSE 0 END
                - CASE WHEN open.number = 1 THEN %(less_msv)s ELSE 0 END
        FROM open
        WHERE open.id = alert.id
        """,
        order_id=order_id,
        at=at,
        procedures=None if procedures is None else list(procedures),
        less_bdt=less_bdt,
        less_msv=less_msv,
    )


def _override(each: Any) -> Mapping[str, str]:
    return {"rule": each.rule, "reason": each.reason, "text": each.text, "by": each.by, "role": each.role}


def _alert(each: Alert) -> Mapping[str, Any]:
    return {
        "id": str(uuid7()),
        "requested_procedure_id": each.requested_procedure_id,
        "rule": each.rule,
        "effect": each.effect,
        "procedure_key": each.procedure_key,
        "modality": each.modality,
        "cost_bdt": each.cost_bdt,
        "dose_msv": each.dose_msv,
        "overridden": each.overridden,
    }
