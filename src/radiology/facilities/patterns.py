"""What kinds of facilities usually have: defaults for planning, and never what a facility can do.

The first four are the specification's, word for word, with its "MRI" for the modality MR. `247_service` is null where
it differs from one facility to the next.
"""

from collections.abc import Mapping
from typing import Any, Final


def _pattern(modalities: str, subspecialties: str, *, advanced: bool, all_hours: bool | None) -> Mapping[str, Any]:
    return {
        "common_modalities": modalities.split(),
        "advanced_imaging": advanced,
        "247_service": all_hours,
        "subspecialty": [each.strip() for each in subspecialties.split(",")],
    }


PATTERNS: Final[Mapping[str, Mapping[str, Any]]] = {
    "Urban_Hospitals": _pattern(
        "DX CT MRI US MG",
        "Neuroradiology, Cardiac Imaging, Interventional Radiology",
        advanced=True,
        all_hours=True,
    ),
    "District_Hospitals": _pattern("DX US CT", "General Radiology", advanced=False, all_hours=False),
    "Upazila_Health_Complexes": _pattern("DX US", "Basic Radiology", advanced=False, all_hours=False),
    "Private_Clinics": _pattern("DX US CT", "General Radiology", advanced=False, all_hours=False),
    "Medical_College_Hospitals": _pattern(
        "DX US CT MR MG RF XA",
        "General Radiology, Neuroradiology, Body Imaging, Paediatric Radiology, Interventional Radiology",
        advanced=True,
        all_hours=True,
    ),
    "Specialised_Institutes": _pattern("", "By specialty", advanced=True, all_hours=True),
    "NGO_Charity_Hospitals": _pattern("DX US MG", "General Radiology", advanced=False, all_hours=None),
    "Diagnostic_Centres": _pattern("DX US CT MR MG RF XA BMD NM PT", "By contract", advanced=True, all_hours=None),
    "Nuclear_Medicine_Institutes": _pattern("NM PT US BMD", "Nuclear Medicine", advanced=True, all_hours=False),
}
