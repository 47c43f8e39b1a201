"""Whether a facility can do what is needed for this patient, by which device, or which filter stops it. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from radiology.facilities.capability import Filter, operators_of, why_not_on
from radiology.facilities.choosing.model import Candidate, Need, Rules
from radiology.facilities.choosing.weighing import charge, wait_minutes
from radiology.facilities.model import Device

_ORDER: Final = list(Filter)


def fitting(candidate: Candidate, need: Need, now: datetime, rules: Rules) -> tuple[Device | None, Filter | None]:
    """The device that does it and None; or the filter that stops it, with the device where only the hour does."""
    device, why = _able(candidate.devices, need, now.date())
    if device is not None:
        why = _why_not_staffed(candidate, need, now.date()) or _why_not_afforded(candidate, need)
    if why is not None:
        return None, why
    if need.deadline is None:
        return device, None
    begins = now + timedelta(minutes=wait_minutes(candidate, rules) + (candidate.travel.minutes or 0))
    return device, Filter.AFTER_DEADLINE if begins >= need.deadline else None


def _able(devices: Sequence[Device], need: Need, on: date) -> tuple[Device | None, Filter | None]:
    """The first device that can do it for this patient; otherwise why the one that comes furthest cannot."""
    furthest = Filter.NO_DEVICE
    for device in devices:
        why = why_not_on(device, need.procedure, on) or _why_not_for(device, need)
        if why is None:
            return device, None
        furthest = max(furthest, why, key=_ORDER.index)
    return None, furthest


def _why_not_for(device: Device, need: Need) -> Filter | None:
    if (need.contrast or need.procedure.contrast == "iv") and not device.contrast:
        return Filter.NO_CONTRAST
    if need.mr_conditional and not device.mr_conditional:
        return Filter.NO_MR_CONDITIONAL
    if need.weight_kg is not None and device.max_weight_kg is not None and need.weight_kg > device.max_weight_kg:
        return Filter.PATIENT_TOO_HEAVY
    youngest = device.youngest_months
    if need.age_months is not None and youngest is not None and need.age_months < youngest:
        return Filter.PATIENT_TOO_YOUNG
    return None


def _why_not_staffed(candidate: Candidate, need: Need, on: date) -> Filter | None:
    operators = operators_of(need.procedure.modality, candidate.operators, on)
    if not operators:
        return Filter.NO_OPERATOR
    if need.female_operator and all(each.sex != "F" for each in operators):
        return Filter.NO_FEMALE_OPERATOR
    return Filter.NO_SEDATION if need.sedation and not candidate.facility.sedation else None


def _why_not_afforded(candidate: Candidate, need: Need) -> Filter | None:
    """A price that nobody has told is none that a patient with a limit can rely on."""
    if need.budget is None:
        return None
    charged = charge(candidate)
    return Filter.OVER_BUDGET if charged is None or charged > need.budget else None
