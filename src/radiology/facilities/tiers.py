"""The levels of care, for referral upwards. They never say what a facility can do."""

from collections.abc import Mapping
from typing import Final

LEVELS: Final[Mapping[str, int]] = {
    "Upazila_Health_Complexes": 1,
    "Private_Clinics": 1,
    "NGO_Charity_Hospitals": 2,
    "Diagnostic_Centres": 2,
    "District_Hospitals": 2,
    "Urban_Hospitals": 3,
    "Medical_College_Hospitals": 3,
    "Nuclear_Medicine_Institutes": 3,
    "Specialised_Institutes": 4,
}


def level(tier: str) -> int:
    """How high a facility stands in the chain of referral; 0 for one whose tier is not known."""
    return LEVELS.get(tier, 0)
