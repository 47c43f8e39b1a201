"""Tell the billing service of charges: one job for each line of a history, in its order, until it was heard."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from radiology.app import App
from radiology.billing import posting_queries as queries
from radiology.billing.model import GENERIC
from radiology.billing.posting_queries import Entry
from radiology.errors import Unprocessable
from radiology.external.billing.model import ChargeItem
from radiology.kit.log import get_logger

log = get_logger()


async def post(app: App, arguments: Mapping[str, Any]) -> None:
    """Tell one line, unless it was told. Raises Unavailable, upon which the job is done again later.

    A crash between the call and its row makes the call again, under the same id.
    """
    entry_id = UUID(arguments["entry_id"])
    async with app.db.transaction() as tx:
        entry = await queries.waiting(tx, entry_id)
    if entry is None:
        return
    try:
        status, reference, sentence = "posted", await app.billing.post(_item(entry_id, entry)), ""
    except Unprocessable as error:
        status, reference, sentence = "refused", "", error.sentence
        log.warning("billing.refused", entry_id=str(entry_id), reason=error.sentence)
    async with app.db.transaction() as tx:
        await queries.note(tx, entry_id, status=status, reference=reference, sentence=sentence, at=app.clock.now())


def _item(entry_id: UUID, entry: Entry) -> ChargeItem:
    body = entry.body
    own, listed = body["ownPrice"], body["listPrice"]
    price = own if own is not None else listed
    return ChargeItem(
        id=entry_id,
        charge_id=entry.charge_id,
        number=entry.number,
        state=body["state"],
        facility_code=entry.facility_code,
        accession_number=entry.accession_number,
        patient_reference=entry.patient_reference,
        code="" if entry.sensitive else body["procedureKey"],
        text=GENERIC.english if entry.sensitive else entry.item,
        price=None if price is None else Decimal(price),
        discount=Decimal(body["discount"]),
        vat=Decimal(body["vat"]),
        scheme=entry.scheme,
        scheme_share=Decimal(body["schemeShare"]),
        patient_share=Decimal(body["patientShare"]),
        occurred_at=entry.occurred_at.isoformat(),
    )
