"""Whether a station's worklist query shows an order, and where it does not, why. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from radiology.kit.bilingual import Sentence
from radiology.modality_worklist.model import ScheduledProcedureStep, Station, why_not_shown
from radiology.orders.model import Order, Status

_BY_STATUS: Final[Mapping[Status, Sentence]] = {
    Status.DRAFT: Sentence(
        "The order is a draft: make it active, and its items are placed.",
        "অর্ডারটি খসড়া: সক্রিয় করলে ওয়ার্কলিস্টে আসবে।",
    ),
    Status.ON_HOLD: Sentence(
        "The order is on hold: resume it, and its items are back.",
        "অর্ডারটি স্থগিত: আবার চালু করলে ওয়ার্কলিস্টে ফিরবে।",
    ),
    Status.REVOKED: Sentence(
        "The order was cancelled: reinstate it, or place a new one.",
        "অর্ডারটি বাতিল করা হয়েছে: পুনর্বহাল করুন, অথবা নতুন অর্ডার দিন।",
    ),
    Status.ENTERED_IN_ERROR: Sentence(
        "The order was entered in error: place a new one.",
        "অর্ডারটি ভুলে দেওয়া হয়েছিল: নতুন অর্ডার দিন।",
    ),
    Status.COMPLETED: Sentence(
        "The order is completed: nothing is left to be done for it.",
        "অর্ডারটি সম্পন্ন হয়েছে: আর কিছু করার নেই।",
    ),
}
_NO_ITEM: Final = Sentence(
    "The procedure has no item in the worklist: change the order, or place it anew.",
    "পরীক্ষাটির জন্য ওয়ার্কলিস্টে কোনো আইটেম নেই: অর্ডারটি বদলান, অথবা নতুন করে দিন।",
)


def why_not(
    order: Order, item: ScheduledProcedureStep | None, station: Station, *, at: datetime, zone: ZoneInfo
) -> Sentence | None:
    """Why a station is not shown a procedure of an order; None where it is shown."""
    if item is None:
        return _BY_STATUS.get(Status(order.status), _NO_ITEM)
    reason = why_not_shown(item, station, at=at, zone=zone)
    return reason and (_BY_STATUS.get(Status(order.status)) or reason)
