"""What can be done where: by its devices and operators, never by its tier. Pure.

A survey of 2023 found no working X-ray in 58.8 % of the upazila health complexes and in 11.1 % of the district
hospitals, so nothing is concluded from what a facility is called. A procedure is offered where a device that works can
do it, its licence is valid (the Bangladesh Atomic Energy Regulatory Act 2012 demands one for every source of ionising
radiation), and somebody with a valid licence works it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from radiology.facilities.model import Device, DeviceState, Operator
from radiology.kit.bilingual import Sentence
from radiology.procedures.lookup import is_same
from radiology.procedures.model import IONISING, Procedure


class Filter(StrEnum):
    """Why something is not done at a place. The order is that in which they are looked at."""

    NO_DEVICE = "no-device"
    DEVICE_DOWN = "device-down"
    DEVICE_BLOCKED = "device-blocked"
    NO_LICENCE = "no-licence"
    NO_OPERATOR = "no-operator"
    NO_FEMALE_OPERATOR = "no-female-operator"
    NO_CONTRAST = "no-contrast"
    NO_SEDATION = "no-sedation"
    NO_MR_CONDITIONAL = "no-mr-conditional"
    PATIENT_TOO_HEAVY = "patient-too-heavy"
    PATIENT_TOO_YOUNG = "patient-too-young"
    OVER_BUDGET = "over-budget"
    AFTER_DEADLINE = "after-deadline"


SENTENCES: Final[Mapping[Filter, Sentence]] = MappingProxyType(
    {
        Filter.NO_DEVICE: Sentence("No device here can do it.", "এখানে এই পরীক্ষার কোনো যন্ত্র নেই।"),
        Filter.DEVICE_DOWN: Sentence("The device is out of order.", "যন্ত্রটি বিকল।"),
        Filter.DEVICE_BLOCKED: Sentence(
            "The device may not be used until its tests pass.", "পরীক্ষায় উত্তীর্ণ না হওয়া পর্যন্ত যন্ত্রটি ব্যবহার করা যাবে না।"
        ),
        Filter.NO_LICENCE: Sentence("The licence of the device is not valid.", "যন্ত্রটির লাইসেন্স বৈধ নয়।"),
        Filter.NO_OPERATOR: Sentence(
            "No operator with a valid licence works here.", "এখানে বৈধ লাইসেন্সধারী কোনো অপারেটর নেই।"
        ),
        Filter.NO_FEMALE_OPERATOR: Sentence(
            "No woman who may work the device is here.", "যন্ত্র চালানোর মতো কোনো নারী অপারেটর এখানে নেই।"
        ),
        Filter.NO_CONTRAST: Sentence("Contrast cannot be given here.", "এখানে কন্ট্রাস্ট দেওয়া যায় না।"),
        Filter.NO_SEDATION: Sentence("Nobody can be sedated here.", "এখানে ঘুমের ওষুধ দিয়ে পরীক্ষা করা যায় না।"),
        Filter.NO_MR_CONDITIONAL: Sentence(
            "Patients with an MR-conditional implant are not examined here.",
            "এমআর-শর্তযুক্ত ইমপ্লান্টের রোগীর পরীক্ষা এখানে হয় না।",
        ),
        Filter.PATIENT_TOO_HEAVY: Sentence(
            "The patient is heavier than the table bears.", "রোগীর ওজন টেবিলের সীমার বেশি।"
        ),
        Filter.PATIENT_TOO_YOUNG: Sentence(
            "Patients of this age are not examined here.", "এই বয়সের রোগীর পরীক্ষা এখানে হয় না।"
        ),
        Filter.OVER_BUDGET: Sentence("It costs more than the patient can pay.", "খরচ রোগীর সামর্থ্যের চেয়ে বেশি।"),
        Filter.AFTER_DEADLINE: Sentence("It cannot begin before the deadline.", "নির্ধারিত সময়ের আগে শুরু করা যাবে না।"),
    }
)


def why_unfit(device: Device, on: date) -> Filter | None:
    """Why a device may not be used on a day, whatever for; None where it may.

    A block and an expired licence are set aside while an override lasts. A licence that nobody has told does not stop
    what is booked on the device, yet nothing is offered on it (see `why_not_on`).
    """
    is_back = device.back_on is not None and device.back_on <= on and device.state != DeviceState.RETIRED
    if device.state != DeviceState.UP and not is_back:
        return Filter.DEVICE_DOWN
    if _is_overridden(device, on):
        return None
    if device.blocked is not None:
        return Filter.DEVICE_BLOCKED
    if device.modality in IONISING and device.licence_until is not None and device.licence_until < on:
        return Filter.NO_LICENCE
    return None


def _is_overridden(device: Device, on: date) -> bool:
    return device.override_until is not None and on <= device.override_until


def why_not_on(device: Device, procedure: Procedure, on: date) -> Filter | None:
    """Why a device cannot do a procedure on a day; None where it can."""
    if not is_same(device.modality, procedure.modality):
        return Filter.NO_DEVICE
    if device.procedures is not None and procedure.key not in device.procedures:
        return Filter.NO_DEVICE
    if why := why_unfit(device, on):
        return why
    if procedure.is_ionising and device.licence_until is None and not _is_overridden(device, on):
        return Filter.NO_LICENCE
    return None


def operators_of(modality: str, operators: Iterable[Operator], on: date) -> list[Operator]:
    """Who may work devices of a modality on a day."""
    return [
        each
        for each in operators
        if (modality in each.modalities or any(is_same(modality, one) for one in each.modalities))
        and (each.licence_until is None or on <= each.licence_until)
    ]


def why_not_offered(
    procedure: Procedure, devices: Sequence[Device], operators: Sequence[Operator], on: date
) -> Filter | None:
    """Why a facility with these devices and operators does not offer a procedure on a day; None where it does.

    Of several devices the one that comes furthest says why.
    """
    reasons = [why_not_on(device, procedure, on) for device in devices]
    if None not in reasons:
        order = list(Filter)
        return max((each for each in reasons if each), key=order.index, default=Filter.NO_DEVICE)
    return None if operators_of(procedure.modality, operators, on) else Filter.NO_OPERATOR
