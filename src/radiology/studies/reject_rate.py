"""The reject rate: which share of exposures was rejected for quality, by reason and by machine. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from radiology.studies.queries.reject_rate import MODALITIES, Counted

GOAL = 0.08
"""At most so many. Far more says that something is wrong, and so does far less: that nobody rejects on record."""
INVESTIGATE_ABOVE, INVESTIGATE_BELOW = 0.10, 0.02


def reject_rate(counted: Sequence[Counted]) -> dict[str, Any]:
    """The rate and what it is made of; None where there was no exposure."""
    categories: Counter[str] = Counter()
    devices: dict[str, list[Counted]] = {}
    for one in counted:
        devices.setdefault(one.ae_title, []).append(one)
        if one.category:
            categories[one.category] += one.instances
    rate = _share(counted)
    return {
        **rate,
        "modalities": list(MODALITIES),
        "goal": GOAL,
        "investigate": rate["rate"] is not None and not INVESTIGATE_BELOW <= rate["rate"] <= INVESTIGATE_ABOVE,
        "byCategory": [{"category": name, "rejected": count} for name, count in categories.most_common()],
        "byDevice": [{"aeTitle": title, **_share(of)} for title, of in sorted(devices.items())],
    }


def _share(counted: Sequence[Counted]) -> dict[str, Any]:
    rejected = sum(one.instances for one in counted if one.category)
    total = sum(one.instances for one in counted)
    return {"rejected": rejected, "exposures": total, "rate": round(rejected / total, 4) if total else None}
