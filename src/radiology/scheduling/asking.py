"""From an item of the worklist, and what is said of it, to an examination that can be booked and kept. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from radiology.errors import Unprocessable
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.procedures.lookup import Catalogue
from radiology.procedures.model import Coding, Procedure
from radiology.procedures.preparations import PREPARATIONS, fasting_hours
from radiology.scheduling.model import Examination, Priority, default_minutes, own_minutes
from radiology.scheduling.preparations import preparations_of

#: Requested Procedure Priority (0040,1003) -> how urgent.
_PRIORITIES: Final[Mapping[str, Priority]] = {"STAT": Priority.STAT, "HIGH": Priority.URGENT}
#: Contrast that stays in the bowel, and hides what is examined afterwards.
_SWALLOWED: Final = frozenset({"oral", "rectal"})
_SAID: Final = ("diabetic", "isolation", "femaleOperator", "sedation")

Facts = Mapping[str, Any]
"""What an examination asks for, as bodies and the column `facts` have it."""


def of_item(
    item: ScheduledProcedureStep, said: Facts, minutes: Mapping[str, int], known: Catalogue, *, key: str | None = None
) -> tuple[Examination, dict[str, Any]]:
    """The examination of an item, and its facts to keep. What is said wins over what the item tells."""
    details = item.details
    codings = [
        Coding(code.get("scheme", ""), code["code"], code.get("display", ""))
        for code in details.get("requestedProcedureCode", ())
    ]
    told: dict[str, Any] = {
        "priority": _PRIORITIES.get(details.get("priority", ""), Priority.ROUTINE),
        "contrast": bool(details.get("contrastAgent")),
    }
    procedure = str(details.get("requestedProcedure", ""))
    return of_procedure(key or str(item.id), item.modality, procedure, {**told, **said}, minutes, known, codings)


def of_procedure(
    key: str, modality: str, text: str, said: Facts, minutes: Mapping[str, int], known: Catalogue,
    codings: Sequence[Coding] = (),
) -> tuple[Examination, dict[str, Any]]:  # fmt: skip
    """The same of a procedure that has no item yet: as it is said, else as the catalogue has it, else by its words.

    Raises Unprocessable where nobody knows how long it takes.
    """
    contrast = bool(said.get("contrast"))
    procedure = _known(known, codings, modality, text, contrast=contrast)
    contrast = contrast or (procedure is not None and procedure.contrast == "iv")
    preparations = (
        said.get("preparations")
        or (procedure and procedure.preparations)
        or preparations_of(modality, text, contrast=contrast)
    )
    if unknown := [code for code in preparations if code not in PREPARATIONS]:
        raise Unprocessable(f"{', '.join(unknown)} is no preparation. There are {', '.join(PREPARATIONS)}.")
    facts: dict[str, Any] = {
        "minutes": said.get("minutes")
        or own_minutes(modality, minutes, codes=[each.code for each in codings])
        or (procedure.minutes if procedure else default_minutes(modality, text, contrast=contrast)),
        "priority": Priority(said.get("priority", Priority.ROUTINE)),
        "fastingHours": said.get("fastingHours", fasting_hours(preparations)),
        "contrast": contrast,
        "barium": said.get("barium", modality == "RF" and _is_barium(procedure, text)),
        "preparations": list(preparations),
        **{name: bool(said.get(name)) for name in _SAID},
    }
    if said.get("deadline"):
        facts["deadline"] = said["deadline"]
    return from_facts(key, modality, facts, rooms=frozenset(said.get("rooms") or ())), facts


def _known(
    known: Catalogue, codings: Sequence[Coding], modality: str, text: str, *, contrast: bool
) -> Procedure | None:
    """What the catalogue knows of it; nothing where contrast is given that the procedure there is done without."""
    found = known.find(codings, modality, text)
    return None if found is not None and contrast and found.contrast == "none" else found


def _is_barium(procedure: Procedure | None, text: str) -> bool:
    return procedure.contrast in _SWALLOWED if procedure else "barium" in text.casefold()


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
