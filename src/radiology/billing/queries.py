"""SQL of charges. `c` is charges, `o` the order of one, `p` its patient, `s` its study."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.billing.model import Charge, Payer
from radiology.billing.rules import Said
from radiology.errors import NotFound
from radiology.kit.db import Transaction, Where, as_json
from radiology.orders.queries import MADE

_OWN: LiteralString = """
    c.id, c.order_id, c.procedure_id, c.position, c.facility_code, c.study_id, c.state, c.version, c.procedure_key,
    c.modality,
    c.item, c.item_bangla, c.priced_on, c.captured_at, c.list_price, c.own_price, c.package, c.discount, c.vat,
    c.scheme_share, c.patient_share, c.waived, c.waived_reason, c.repeats
"""
COLUMNS: LiteralString = (
    _OWN
    + """, c.sensitive OR coalesce(s.sensitive, false) AS sensitive,
    coalesce((SELECT sum(l.amount) FROM receipt_lines AS l WHERE l.charge_id = c.id), 0) AS paid
"""
)
FROM: LiteralString = " FROM charges AS c LEFT JOIN imaging_studies AS s ON s.id = c.study_id "


@dataclass(frozen=True, slots=True)
class Facts:
    """What an order says now of one of its procedures, and what was made of it."""

    procedure_id: UUID
    position: int
    order_status: str
    facility_code: str
    patient_id: UUID
    accession_number: str
    modality: str
    content: dict[str, Any]
    removed: bool
    study_id: UUID | None
    study_status: str | None
    sensitive: bool


@dataclass(frozen=True, slots=True)
class PayerRow:
    """Who pays for an order, and the day whose rules hold."""

    concession: str
    scheme: str
    member_number: str
    version: int
    rules_on: date

    @property
    def payer(self) -> Payer:
        """Without the day."""
        return Payer(self.concession, self.scheme, self.member_number, self.version)


async def hold(tx: Transaction, order_id: UUID) -> None:
    """Keep the charges of an order from all others until the transaction ends."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtextextended('charges ' || %(id)s, 0))", id=str(order_id))


async def facts(tx: Transaction, order_id: UUID) -> list[Facts]:
    """The procedures of an order in their order, also those that were taken out of it."""
    return await tx.all(
        Facts,
        "SELECT r.id AS procedure_id, r.position, o.status AS order_status, o.facility_code, o.patient_id,"
        " o.accession_number, r.modality, r.content, r.removed_at IS NOT NULL AS removed, study.id AS study_id,"
        " study.status AS study_status, coalesce(told.sensitive, false) AS sensitive FROM orders AS o CROSS JOIN "
        + MADE
        + """
        LEFT JOIN imaging_studies AS told ON told.id = study.id
        WHERE o.id = %(order_id)s
          AND r.order_id = o.id
        ORDER BY r.position
        """,
        order_id=order_id,
    )


async def charges_of(tx: Transaction, order_id: UUID) -> list[Charge]:
    """All charges of an order, in the order of its procedures."""
    return await tx.all(
        Charge,
        "SELECT " + COLUMNS + FROM + " WHERE c.order_id = %(order_id)s ORDER BY c.position",
        order_id=order_id,
    )


async def listed(
    tx: Transaction, *, state: str | None, facility_code: str | None, open_only: bool, behind: UUID | None, limit: int,
    visible_to: Actor,
) -> list[Charge]:  # fmt: skip
    """Charges that the reader may see, the newest first: one more than the page holds, where there are more."""
    where = Where()
    visible_to.add_facility(where, "c.facility_code")
    if state is not None:
        where.add("c.state = {state}", state=state)
    if facility_code is not None:
        where.add("c.facility_code = {facility}", facility=facility_code)
    if behind is not None:
        where.add("c.id < {behind}", behind=behind)
    if open_only:
        where.clauses.append(
            "CASE WHEN c.state = 'credited' THEN 0 ELSE c.patient_share END <> coalesce("
            "(SELECT sum(l.amount) FROM receipt_lines AS l WHERE l.charge_id = c.id), 0)"
        )
    statement: LiteralString = (
        "SELECT " + COLUMNS + FROM + " WHERE " + where.condition + " ORDER BY c.id DESC LIMIT %(limit)s"
    )
    return await tx.all(Charge, statement, limit=limit + 1, **where.parameters)


async def order_of_charge(tx: Transaction, charge_id: UUID, *, visible_to: Actor) -> UUID:
    """The order of a charge that the reader may see. Raises NotFound."""
    where = Where()
    where.add("c.id = {charge_id}", charge_id=charge_id)
    visible_to.add_facility(where, "c.facility_code")
    found = await tx.value("SELECT c.order_id FROM charges AS c WHERE " + where.condition, **where.parameters)
    if found is None:
        raise NotFound("There is no such charge.")
    return found


async def must_have_charges(tx: Transaction, order_id: UUID, *, visible_to: Actor) -> None:
    """Raises NotFound where an order has no charge that the reader may see."""
    where = Where()
    where.add("c.order_id = {order_id}", order_id=order_id)
    visible_to.add_facility(where, "c.facility_code")
    statement: LiteralString = "SELECT EXISTS (SELECT FROM charges AS c WHERE " + where.condition + ")"
    if not await tx.value(statement, **where.parameters):
        raise NotFound("There is no such order, or nothing is charged for it yet.")


async def orders_of_patient(tx: Transaction, order_ids: Sequence[UUID], *, since: datetime) -> list[UUID]:
    """Orders of the patients of these orders that were placed since a moment."""
    return await tx.values(
        """
        SELECT other.id
        FROM orders AS other
        WHERE other.patient_id IN (SELECT patient_id FROM orders WHERE id = ANY(%(ids)s))
          AND other.created_at >= %(since)s
        ORDER BY other.id
        """,
        ids=list(order_ids),
        since=since,
    )


async def repeated(tx: Transaction, charge: Charge, *, patient_id: UUID) -> UUID | None:
    """The charge whose examination this one repeats: captured before, of which all images were rejected for quality.

    The repeat is ordered within 30 days of the rejection.
    One that another charge repeats already is none: it is repeated once for nothing.
    """
    return await tx.value(
        """
        SELECT c.id
        FROM charges AS c
        JOIN orders AS o ON o.id = c.order_id
        JOIN imaging_studies AS s ON s.id = c.study_id
        WHERE o.patient_id = %(patient_id)s
          AND c.facility_code = %(facility_code)s
          AND c.procedure_key = %(procedure_key)s
          AND c.procedure_key <> ''
          AND c.state = 'captured'
          AND c.id < %(id)s
          AND s.number_of_instances = 0
          AND EXISTS (
              SELECT FROM rejections AS r
              WHERE r.study_instance_uid = s.study_instance_uid
                AND r.title = '113001'
                AND r.rejected_at >= %(priced_on)s::date - 30
                AND NOT EXISTS (SELECT FROM rejection_withdrawals AS w WHERE w.rejection_id = r.id)
          )
          AND NOT EXISTS (
              SELECT FROM charges AS other
              WHERE other.repeats = c.id AND other.state <> 'credited' AND other.id <> %(id)s
          )
        ORDER BY c.id
        LIMIT 1
        """,
        patient_id=patient_id,
        facility_code=charge.facility_code,
        procedure_key=charge.procedure_key,
        priced_on=charge.priced_on,
        id=charge.id,
    )


async def save(tx: Transaction, charge: Charge) -> None:
    """Write a charge, whether it is new or not."""
    columns = asdict(charge)
    columns.pop("paid")
    await tx.run(
        """
        INSERT INTO charges (id, order_id, procedure_id, position, facility_code, study_id, state, version,
            procedure_key, modality, item, item_bangla, sensitive, priced_on, captured_at, list_price, own_price,
            package, discount, vat, scheme_share, patient_share, waived, waived_reason, repeats)
        VALUES (%(id)s, %(order_id)s, %(procedure_id)s, %(position)s, %(facility_code)s, %(study_id)s, %(state)s,
            %(version)s, %(procedure_key)s, %(modality)s, %(item)s, %(item_bangla)s, %(sensitive)s, %(priced_on)s,
            %(captured_at)s, %(list_price)s, %(own_price)s, %(package)s, %(discount)s, %(vat)s, %(scheme_share)s,
            %(patient_share)s, %(waived)s, %(waived_reason)s, %(repeats)s)
        ON CONFLICT (id) DO UPDATE SET
            study_id = excluded.study_id, state = excluded.state, version = excluded.version,
            procedure_key = excluded.procedure_key, modality = excluded.modality, item = excluded.item,
            item_bangla = excluded.item_bangla, sensitive = excluded.sensitive, captured_at = excluded.captured_at,
            list_price = excluded.list_price, own_price = excluded.own_price, package = excluded.package,
            discount = excluded.discount, vat = excluded.vat, scheme_share = excluded.scheme_share,
            patient_share = excluded.patient_share, waived = excluded.waived,
            waived_reason = excluded.waived_reason, repeats = excluded.repeats
        """,
        **columns,
    )


async def add_entry(
    tx: Transaction, entry_id: UUID, charge: Charge, verb: str, body: Mapping[str, Any], *, actor: str, reason: str,
    at: datetime,
) -> None:  # fmt: skip
    """One line of the history of a charge."""
    await tx.run(
        """
        INSERT INTO charge_entries (id, charge_id, number, verb, body, actor, reason, occurred_at)
        VALUES (%(id)s, %(charge_id)s, %(number)s, %(verb)s, %(body)s, %(actor)s, %(reason)s, %(at)s)
        """,
        id=entry_id,
        charge_id=charge.id,
        number=charge.version,
        verb=verb,
        body=as_json(dict(body)),
        actor=actor,
        reason=reason,
        at=at,
    )


async def history(tx: Transaction, charge_id: UUID) -> bytes:
    """The history of a charge, the oldest first, with what the billing service said to each line."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(jsonb_strip_nulls(jsonb_build_object(
            'id', e.id, 'number', e.number, 'verb', e.verb, 'charge', e.body, 'actor', e.actor,
            'reason', nullif(e.reason, ''), 'occurredAt', e.occurred_at, 'posting', coalesce(posted.status, 'waiting'),
            'postingReference', nullif(posted.reference, ''), 'postingSentence', nullif(posted.sentence, '')
        )) ORDER BY e.number), '[]')::text
        FROM charge_entries AS e
        LEFT JOIN charge_postings AS posted ON posted.entry_id = e.id
        WHERE e.charge_id = %(charge_id)s
        """,
        charge_id=charge_id,
    )


# --- Who pays ---


async def payer_of(tx: Transaction, order_id: UUID) -> PayerRow | None:
    """Who pays for an order, None where nobody was named."""
    return await tx.maybe(
        PayerRow,
        """
        SELECT concession, scheme, member_number, version, rules_on
        FROM order_payers
        WHERE order_id = %(order_id)s
        """,
        order_id=order_id,
    )


async def save_payer(
    tx: Transaction, order_id: UUID, payer: Payer, *, rules_on: date, reason: str, actor: str, at: datetime
) -> None:
    """Name who pays for an order from now on."""
    await tx.run(
        """
        INSERT INTO order_payers (order_id, version, concession, scheme, member_number, rules_on, reason, set_by,
            set_at)
        VALUES (%(order_id)s, %(version)s, %(concession)s, %(scheme)s, %(member_number)s, %(rules_on)s, %(reason)s,
            %(actor)s, %(at)s)
        ON CONFLICT (order_id) DO UPDATE SET
            version = excluded.version, concession = excluded.concession, scheme = excluded.scheme,
            member_number = excluded.member_number, rules_on = excluded.rules_on, reason = excluded.reason,
            set_by = excluded.set_by, set_at = excluded.set_at
        """,
        order_id=order_id,
        version=payer.version,
        concession=payer.concession,
        scheme=payer.scheme,
        member_number=payer.member_number,
        rules_on=rules_on,
        reason=reason,
        actor=actor,
        at=at,
    )


# --- Rules ---


async def rules_said(tx: Transaction) -> list[Said]:
    """Every version of every rule."""
    return await tx.all(
        Said,
        "SELECT kind, code, version, effective_from, body FROM billing_rules ORDER BY kind, code, version",
    )


async def save_rule(tx: Transaction, said: Said, *, reason: str, actor: str, at: datetime) -> None:
    """Another version of a rule. Raises Conflict where somebody else was first."""
    await tx.run(
        """
        INSERT INTO billing_rules (kind, code, version, effective_from, body, reason, changed_by, changed_at)
        VALUES (%(kind)s, %(code)s, %(version)s, %(effective_from)s, %(body)s, %(reason)s, %(actor)s, %(at)s)
        """,
        kind=said.kind,
        code=said.code,
        version=said.version,
        effective_from=said.effective_from,
        body=as_json(dict(said.body)),
        reason=reason,
        actor=actor,
        at=at,
    )


# --- Holds ---


async def save_hold(tx: Transaction, facility_code: str, *, hold: bool, reason: str, actor: str, at: datetime) -> None:
    """Whether a facility keeps reports from patients until they have paid."""
    await tx.run(
        """
        INSERT INTO payment_holds (facility_code, hold, reason, set_by, set_at)
        VALUES (%(facility_code)s, %(hold)s, %(reason)s, %(actor)s, %(at)s)
        ON CONFLICT (facility_code) DO UPDATE SET
            hold = excluded.hold, reason = excluded.reason, set_by = excluded.set_by, set_at = excluded.set_at
        """,
        facility_code=facility_code,
        hold=hold,
        reason=reason,
        actor=actor,
        at=at,
    )


async def holds(tx: Transaction, facility_code: str) -> bool:
    """Whether it does."""
    return bool(await tx.value("SELECT hold FROM payment_holds WHERE facility_code = %(code)s", code=facility_code))


async def is_held(tx: Transaction, study_id: UUID) -> bool:
    """Whether the patient gets the report of a study only after paying."""
    return await tx.value("SELECT is_held_for_payment(%(study_id)s)", study_id=study_id)


@dataclass(frozen=True, slots=True)
class Whom:
    """Whose order it is, for paper: the name as a PN."""

    accession_number: str
    patient_id: str
    patient_reference: str
    patient_name: str


async def whom(tx: Transaction, order_id: UUID) -> Whom | None:
    """Whose order it is; None where the order is gone, since its time was over."""
    return await tx.maybe(
        Whom,
        """
        SELECT o.accession_number, p.patient_id, p.reference AS patient_reference, p.patient_name
        FROM orders AS o
        JOIN patients AS p ON p.id = o.patient_id
        WHERE o.id = %(order_id)s
        """,
        order_id=order_id,
    )
