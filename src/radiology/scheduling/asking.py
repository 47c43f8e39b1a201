"""From an item of the worklist, and what is said of it, to an examination that can be booked and kept. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from radiology.errors import Unprocessable
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.scheduling.model import Examination, Priority, default_minutes
from radiology.scheduling.preparations import PREPARATIONS, fasting_hours, preparations_of

#: Requested Procedure Priority (0040,1003) -> how urgent.
_PRIORITIES: Final[Mapping[str, Priority]] = {"STAT": Priority.STAT, "HIGH": Priority.URGENT}
_SAID: Final = ("diabetic", "isolation", "femaleOperator", "sedation")

Facts = Mapping[str, Any]
"""What an examination asks for, as bodies and the column `facts` have it."""


def of_item(
    item: ScheduledProcedureStep, said: Facts, minutes: Mapping[str, int], *, key: str | None = None
) -> tuple[Examination, dict[str, Any]]:
    """The examination of an item, and its facts to keep. What is said wins over what the item tells."""
    details = item.details
    codes = [code["code"] for code in details.get("requestedProcedureCode", ())]
    told: dict[str, Any] = {
        "priority": _PRIORITIES.get(details.get("priority", ""), Priority.ROUTINE),
        "contrast": bool(details.get("contrastAgent")),
    }
    procedure = str(details.get("requestedProcedure", ""))
    return of_procedure(key or str(item.id), item.modality, procedure, {**told, **said}, minutes, codes=codes)


def of_procedure(
    key: str, modality: str, procedure: str, said: Facts, minutes: Mapping[str, int], *, codes: list[str] | None = None
) -> tuple[Examination, dict[str, Any]]:
    """The same of a procedure that has no item yet. Raises Unprocessable where nobody knows how long it takes."""
    contrast = bool(said.get("contrast"))
    preparations = said.get("preparations") or preparations_of(modality, procedure, contrast=contrast)
    if unknown := [code for code in preparations if code not in PREPARATIONS]:
        raise Unprocessable(f"{', '.join(unknown)} is no preparation. There are {', '.join(PREPARATIONS)}.")
    facts: dict[str, Any] = {
        "minutes": said.get("minutes")
        or default_minutes(modality, procedure, contrast=contrast, own=minutes, codes=codes or []),
        "priority": Priority(said.get("priority", Priority.ROUTINE)),
        "fastingHours": said.get("fastingHours", fasting_hours(preparations)),
        "contrast": contrast,
        "barium": said.get("barium", modality == "RF" and "barium" in procedure.casefold()),
        "preparations": list(preparations),
        **{name: bool(said.get(name)) for name in _SAID},
    }
    if said.get("deadline"):
        facts["deadline"] = said["deadline"]
    return from_facts(key, modality, facts, rooms=frozenset(said.get("rooms") or ())), facts


def from_facts(key: str, modality: str, facts: Facts, *, rooms: frozenset[str] = frozenset()) -> Examination:
    """The examination that was kept."""
    deadline = facts.get("deadline")
    return Examination(
        key,
        modality,
        facts["minutes"],
        Priority(facts["priority"]),
        facts["fastingHours"],
        diabetic=facts["diabetic"],
        contrast=facts["contrast"],
        barium=facts["barium"],
        isolation=facts["isolation"],
        female_operator=facts["femaleOperator"],
        sedation=facts["sedation"],
        deadline=datetime.fromisoformat(deadline) if deadline else None,
        rooms=rooms,
    )
