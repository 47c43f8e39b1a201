"""What an order says of safety: what cannot be right is refused, and what is dangerous comes first."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from radiology.orders import safety as facts
from radiology.orders.safety import Safety


@pytest.mark.parametrize(
    "wrong",
    [
        {"weightKg": 0},
        {"weightKg": 2000},
        {"pregnancy": "maybe"},
        {"pregnancyWeeks": 12},
        {"pregnancyWeeks": 60, "pregnancy": "definitely"},
        {"lastMenstrualPeriod": "0026-01-01"},
        {"allergies": [{}]},
        {"allergies": [{"text": "Iodine"}], "noKnownAllergies": True},
        {"renalFunction": {"egfr": 60}},
        {"renalFunction": {"measuredOn": "2026-01-20"}},
        {"renalFunction": {"measuredOn": "2026-01-20", "creatinine": 88, "creatinineUnit": "mg/dL"}},
        {"renalFunction": {"measuredOn": "2026-01-20", "egfr": 60, "unit": "mL/s"}},
        {"implants": [{"text": "Pacemaker", "mrSafety": "maybe"}]},
        {"mobility": "flying"},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_right(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Safety.model_validate(wrong)


def test_what_is_dangerous_comes_first() -> None:
    said = Safety.model_validate(
        {
            "allergies": [
                {"text": "House dust"},
                {"text": "Penicillin", "severity": "severe"},
                {"code": {"coding": [{"code": "1", "display": "Iohexol"}]}, "contrast": True},
            ],
            "contrast": {"previousReaction": "moderate"},
            "infections": [{"text": "MRSA", "isolation": "contact"}],
            "implants": [{"text": "Pacemaker", "mrSafety": "unsafe"}],
            "renalFunction": {"measuredOn": "2026-01-20", "creatinine": 2.5, "creatinineUnit": "mg/dL", "egfr": 28},
            "mobility": "wheelchair",
            "specialNeeds": "Interpreter for Chakma",
        }
    )
    assert facts.allergies(said) == "Contrast reaction: moderate; Contrast: Iohexol; Penicillin (s..."
    assert facts.alerts(said) == "Infection: MRSA (contact isolation); Implant: Pacemaker (MR u..."
    assert facts.needs(said) == "Interpreter for Chakma; Wheelchair"
    everything = ". ".join(facts.everything(said))
    for part in ("House dust", "Pacemaker (MR unsafe)", "eGFR 28, creatinine 2.5 mg/dL on 20/01/2026", "wheelchair"):
        assert part in everything


def test_what_is_not_said_is_not_known() -> None:
    said = Safety()
    assert (facts.allergies(said), facts.alerts(said), facts.needs(said)) == (None, None, None)
    assert facts.allergies(Safety(noKnownAllergies=True)) == "No known allergies"


@given(st.text(), st.integers(4, 100))
def test_a_text_always_fits_an_attribute(text: str, longest: int) -> None:
    fitted = facts.fitted(text, longest)
    if fitted is not None:
        assert 1 <= len(fitted) <= longest
        assert fitted.isprintable()
        assert "\\" not in fitted
        assert fitted == fitted.strip()
