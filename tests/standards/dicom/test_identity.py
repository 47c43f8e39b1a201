"""Same patient or not: the score and its two thresholds."""

import pytest

from radiology.standards.dicom.identity import MATCH, NEUTRAL, REVIEW, PatientIdentity, identity_score

ABDUR = PatientIdentity("P1", "F1", "Rahman^Md. Abdur", "19800512", "M")


def test_the_same_is_the_same() -> None:
    assert identity_score(ABDUR, ABDUR) == pytest.approx(1.0)


def test_estimated_birth_date_and_honorific_still_match() -> None:
    other = PatientIdentity("P1", "F1", "Rahman^Abdur", "19800101", "M")
    assert identity_score(ABDUR, other) == pytest.approx(0.955)
    assert identity_score(ABDUR, other) >= MATCH


def test_another_patient_conflicts() -> None:
    other = PatientIdentity("P2", "F1", "Begum^Fatema", "19750301", "F")
    assert identity_score(ABDUR, other) < REVIEW


def test_the_same_name_with_another_id_is_a_conflict_or_review() -> None:
    other = PatientIdentity("P2", "F1", "Rahman^Md. Abdur", "19800512", "M")
    assert identity_score(ABDUR, other) == pytest.approx(0.5)


def test_a_known_alias_is_reviewed() -> None:
    other = PatientIdentity("P2", "F1", "Rahman^Md. Abdur", "19800512", "M", frozenset([("P1", "F1")]))
    assert identity_score(ABDUR, other) == pytest.approx(0.75)
    assert identity_score(other, ABDUR) == pytest.approx(0.75)


def test_names_match_across_scripts() -> None:
    other = PatientIdentity("P1", "F1", "রহমান^মোঃ আব্দুর", "19800512", "M")
    assert identity_score(ABDUR, other) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"patient_id": ""}, 0.75),
        ({"issuer": ""}, 1.0),
        ({"issuer": "F2"}, 0.5),
        ({"birth_date": ""}, 0.925),
        ({"birth_date": "19801205"}, 0.955),
        ({"birth_date": "19800513"}, 0.85),
        ({"birth_date": "19810101"}, 0.85),
        ({"sex": ""}, 0.95),
        ({"sex": "O"}, 0.95),
        ({"sex": "F"}, 0.9),
        ({"name": ""}, 0.875),
    ],
)
def test_each_part(changes: dict[str, str], expected: float) -> None:
    values = {"patient_id": "P1", "issuer": "F1", "name": "Rahman^Md. Abdur", "birth_date": "19800512", "sex": "M"}
    other = PatientIdentity(**{**values, **changes})
    assert identity_score(ABDUR, other) == pytest.approx(expected)
    assert identity_score(other, ABDUR) == pytest.approx(expected)


def test_nothing_said_is_neutral() -> None:
    assert identity_score(ABDUR, PatientIdentity()) == NEUTRAL
    assert identity_score(PatientIdentity(issuer="F1"), ABDUR) == NEUTRAL
    assert REVIEW <= NEUTRAL < MATCH
