"""SQL of routing rules, and of what they are asked about."""

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time
from typing import Any, LiteralString
from uuid import UUID

from radiology.delivery.routing.model import Conditions, Rule, Subject
from radiology.errors import NotFound
from radiology.kit.db import Transaction, as_json

_RULES: LiteralString = """
    SELECT id, name, enabled, priority, conditions, destinations, send_when, send_from, send_until, time_zone,
        bandwidth_kib_per_second, give_up_after_days, created_at
    FROM routing_rules
    """


@dataclass(frozen=True, slots=True)
class Study:
    """A study of a day, for the dry run."""

    study_id: UUID
    study_instance_uid: str


async def rules(tx: Transaction, *, enabled_only: bool = False) -> list[Rule]:
    """The rules in the order in which they are asked."""
    found = await tx.all(
        Rule,
        _RULES + "WHERE enabled OR NOT %(enabled_only)s ORDER BY priority DESC, name",
        enabled_only=enabled_only,
    )
    return [_with_conditions(rule) for rule in found]


async def rule(tx: Transaction, id: UUID) -> Rule:
    """One rule. Raises NotFound."""
    found = await tx.maybe(Rule, _RULES + "WHERE id = %(id)s", id=id)
    if found is None:
        raise NotFound("There is no such routing rule.")
    return _with_conditions(found)


def _with_conditions(rule: Rule) -> Rule:
    stored: dict[str, Any] = asdict(rule)["conditions"]
    times: dict[str, Any] = {
        key: time.fromisoformat(value) for key, value in stored.items() if key.startswith("arrived_") and value
    }
    return replace(rule, conditions=Conditions(**stored | times))


async def save_rule(tx: Transaction, rule: Rule) -> None:
    """Add a rule, or change it; since when it applies stays."""
    conditions = asdict(rule.conditions)
    for key in ("arrived_from", "arrived_until"):
        conditions[key] = conditions[key].isoformat() if conditions[key] is not None else None
    columns = {name: getattr(rule, name) for name in Rule.__slots__} | {"conditions": as_json(conditions)}
    await tx.run(
        """
        INSERT INTO routing_rules (id, name, enabled, priority, conditions, destinations, send_when, send_from,
            send_until, time_zone, bandwidth_kib_per_second, give_up_after_days, created_at)
        VALUES (%(id)s, %(name)s, %(enabled)s, %(priority)s, %(conditions)s, %(destinations)s, %(send_when)s,
            %(send_from)s, %(send_until)s, %(time_zone)s, %(bandwidth_kib_per_second)s, %(give_up_after_days)s,
            %(created_at)s)
        ON CONFLICT (id) DO UPDATE
        SET name = excluded.name,
            enabled = excluded.enabled,
            priority = excluded.priority,
            conditions = excluded.conditions,
            destinations = excluded.destinations,
            send_when = excluded.send_when,
            send_from = excluded.send_from,
            send_until = excluded.send_until,
            time_zone = excluded.time_zone,
            bandwidth_kib_per_second = excluded.bandwidth_kib_per_second,
            give_up_after_days = excluded.give_up_after_days
        """,
        **columns,
    )


async def remove_rule(tx: Transaction, id: UUID) -> bool:
    """Forget a rule; what waits by it is still sent. False where there is none."""
    return bool(await tx.run("DELETE FROM routing_rules WHERE id = %(id)s", id=id))


async def subjects_of(tx: Transaction, study_id: UUID, *, stored_since: datetime | None = None) -> list[Subject]:
    """What rules are asked about in a study."""
    return await tx.all(
        Subject,
        """
        SELECT e.id AS series_id, date_trunc('minute', i.stored_at) AS minute, i.source_ae_title, e.modality,
            coalesce(e.dicom->'00081010'->'Value'->>0, '') AS station_name,
            coalesce(e.dicom->'00180015'->'Value'->>0, e.body_site->>'text', '') AS body_part,
            s.procedure_codes, coalesce(s.study_description, '') AS study_description, s.facility_code
        FROM imaging_studies AS s
        JOIN imaging_series AS e ON e.study_id = s.id
        JOIN instances AS i ON i.series_id = e.id
        WHERE s.id = %(study_id)s
          AND (%(stored_since)s::timestamptz IS NULL OR i.stored_at >= %(stored_since)s)
        GROUP BY s.id, e.id, i.source_ae_title, date_trunc('minute', i.stored_at)
        ORDER BY minute, e.id, i.source_ae_title
        """,
        study_id=study_id,
        stored_since=stored_since,
    )


async def studies_of_day(tx: Transaction, day: date, *, limit: int) -> list[Study]:
    """The studies with this study date."""
    return await tx.all(
        Study,
        """
        SELECT id AS study_id, study_instance_uid
        FROM imaging_studies
        WHERE study_date = %(day)s
          AND findable
        ORDER BY study_instance_uid
        LIMIT %(limit)s
        """,
        day=day,
        limit=limit,
    )
