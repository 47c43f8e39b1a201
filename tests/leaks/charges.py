"""What money and quality tell of a study, each with a text of its own."""

from datetime import UTC, datetime
from uuid import UUID

from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7

CHARGE = """
    INSERT INTO charges (id, order_id, procedure_id, position, facility_code, study_id, state, version, procedure_key,
        modality, item, item_bangla, sensitive, priced_on, captured_at, list_price, patient_share)
    VALUES (%(charge_id)s, %(order_id)s, %(id)s, 1, %(facility)s, %(study_id)s, 'captured', 1,
        %(secret)s || ' procedure', 'CT', %(secret)s || ' item', %(secret)s || ' item', false, '2026-01-21', %(at)s, 10,
        10)
"""
ENTRY = """
    INSERT INTO charge_entries (id, charge_id, number, verb, body, actor, reason, occurred_at)
    VALUES (%(id)s, %(charge_id)s, 1, 'plan', '{}', 'system', '', now())
"""
FEE = """
    INSERT INTO reading_fees (id, report_id, study_id, kind, account, practitioner, facility_code, procedure_key,
        modality, rvu, amount_bdt, earned_at, booked_at, booked_by)
    VALUES (%(fee_id)s, %(id)s, %(study_id)s, 'fee', 'account:writer', '', %(facility)s, %(secret)s || ' procedure',
        'CT', 1, 0, %(at)s, %(at)s, 'system')
"""
REVIEW = """
    INSERT INTO peer_reviews (id, report_id, study_id, facility_code, modality, reader, practitioner, involved,
        drawn_for, final_at, state, reviewer, score, comment, scored_at)
    SELECT %(review_id)s, report.id, %(study_id)s, %(facility)s, 'CT', 'account:writer', '', '{account:writer}',
        'random', %(at)s, 'arbitration', 'account:other', '3b', %(secret)s || ' missed', now()
    FROM radiology_reports AS report
    WHERE report.study_id = %(study_id)s
"""


async def seed_charge(tx: Transaction, order_id: UUID, study_id: UUID, facility: str, secret: str) -> dict[str, str]:
    """A charge with its history, a fee and a review; their identifiers by the path parameters that name them."""
    made = {name: uuid7() for name in ("charge_id", "fee_id", "review_id")}
    known = {"order_id": order_id, "study_id": study_id, "facility": facility, "secret": secret}
    for statement in (CHARGE, ENTRY, FEE, REVIEW):
        await tx.run(statement, id=uuid7(), at=datetime(2026, 1, 21, 6, tzinfo=UTC), **made, **known)
    return {name: str(value) for name, value in made.items()}
