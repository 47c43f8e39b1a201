"""What came in on one day, and what was done: as JSON, and as a table for a spreadsheet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.billing.model import GENERIC, State
from radiology.billing.money import NOTHING, told
from radiology.billing.receipts import queries
from radiology.billing.receipts.model import METHODS, Receipt, receipt_told
from radiology.billing.receipts.queries import Done
from radiology.kit.sheets import Cell

COLUMNS: Final = ("what", "number", "time", "item", "method", "exact_bdt", "rounding_bdt", "total_bdt", "by")


@dataclass(frozen=True, slots=True)
class Day:
    """Receipts and captured charges of one day, in the zone of the service."""

    on: date
    receipts: Sequence[Receipt]
    captured: Sequence[Done]
    zone: ZoneInfo

    @property
    def taken(self) -> Decimal:
        """What changed hands in all, whole taka: refunds taken off."""
        return sum((each.total for each in self.receipts), NOTHING)

    def told(self) -> dict[str, Any]:
        """As JSON. The sums are those of the parts."""
        by_method = {name: sum((r.total for r in self.receipts if r.method == name), NOTHING) for name in METHODS}
        open_ones = [each for each in self.captured if each.state == State.CAPTURED]
        return {
            "on": self.on.isoformat(),
            "receipts": [receipt_told(each, self.zone) for each in self.receipts],
            "total": told(self.taken),
            "rounding": told(sum((each.rounding for each in self.receipts), NOTHING)),
            "byMethod": {name: told(amount) for name, amount in by_method.items()},
            "captured": {
                "charges": len(open_ones),
                "patientShare": told(sum((each.patient_share for each in open_ones), NOTHING)),
                "schemeShare": told(sum((each.scheme_share for each in open_ones), NOTHING)),
            },
            "currency": "BDT",
        }

    def rows(self) -> Iterator[Sequence[Cell]]:
        """As a table: receipts, then what was captured."""
        for each in self.receipts:
            what = "refund" if each.exact < 0 else "payment"
            items = "; ".join(item["item"]["en"] for item in each.body["items"])
            at = each.issued_at.astimezone(self.zone).strftime("%H:%M")
            yield what, each.number, at, items, each.method, each.exact, each.rounding, each.total, each.issued_by
        for one in self.captured:
            at = one.captured_at.astimezone(self.zone).strftime("%H:%M")
            item = GENERIC.english if one.sensitive else one.item
            amount = one.patient_share + one.scheme_share
            yield one.state, str(one.charge_id), at, item, "", amount, None, None, ""


async def day_of(app: App, actor: Actor, on: date, *, facility_code: str | None) -> Day:
    """The day of a facility, or of all that the reader may see."""
    actor.must(Permission.BILL)
    zone = app.settings.zone
    began = datetime.combine(on, time(), zone)
    before = datetime.combine(on + timedelta(days=1), time(), zone)
    async with app.db.transaction() as tx:
        return Day(
            on,
            await queries.of_day(tx, began, before, facility_code=facility_code, visible_to=actor),
            await queries.captured(tx, began, before, facility_code=facility_code, visible_to=actor),
            zone,
        )
