"""What holds of the identity score for whomever: symmetry, bounds, spelling, and that agreeing never lowers it."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from radiology.standards.dicom.bangla import bangla_digits
from radiology.standards.dicom.identity import MATCH, REVIEW, PatientIdentity, identity_score

HONORIFICS = ("Md.", "Mohammad", "Mst.", "Dr", "মোঃ", "মোছাঃ")
SPELLINGS = (
    ("Rahman", "Rohman"), ("Hossain", "Hussain"), ("Chowdhury", "Choudhury"), ("Uddin", "Oddin"), ("Akter", "Akhtar"),
    ("Rahman", "রহমান"),
)  # fmt: skip

words = st.sampled_from(["Abdul", "Karim", "Rahima", "Begum", "Jahangir", "Sultana", "Kamal", "Nasrin", "করিম", "ফাতেমা"])
names = st.lists(words, min_size=1, max_size=3).map("^".join)
numbers = st.from_regex(r"[A-Z]{0,2}[0-9]{1,8}", fullmatch=True)
dates = st.dates().map(lambda day: f"{day:%Y}".zfill(4) + f"{day:%m%d}") | st.integers(1900, 2026).map(
    lambda year: f"{year}0101"
)
people = st.builds(
    PatientIdentity,
    patient_id=numbers | st.just(""),
    issuer=st.sampled_from(["", "DMC", "CMC"]),
    name=names | st.text(max_size=20) | st.just(""),
    birth_date=dates | st.just(""),
    sex=st.sampled_from(["", "M", "F", "O"]),
    aliases=st.frozensets(st.tuples(numbers, st.sampled_from(["DMC", "CMC"])), max_size=2),
)
known = st.builds(
    PatientIdentity, patient_id=numbers, issuer=st.just("DMC"), name=names, birth_date=dates,
    sex=st.sampled_from(["M", "F"]),
)  # fmt: skip


@given(people, people)
def test_it_is_the_same_both_ways_and_from_0_to_1(one: PatientIdentity, other: PatientIdentity) -> None:
    score = identity_score(one, other)
    assert score == pytest.approx(identity_score(other, one))
    assert 0 <= score <= 1 + 1e-9


@given(known)
def test_who_is_known_in_full_is_him_or_herself(one: PatientIdentity) -> None:
    assert identity_score(one, one) == pytest.approx(1)


@given(known, st.sampled_from(HONORIFICS))
def test_honorifics_do_not_count(one: PatientIdentity, honorific: str) -> None:
    family, *rest = one.name.split("^")
    assert identity_score(one, replace(one, name=f"{honorific} {one.name}")) == pytest.approx(1)
    assert identity_score(one, replace(one, name="^".join([family, *rest, honorific]))) == pytest.approx(1)


@given(known, st.sampled_from(SPELLINGS))
def test_spellings_of_one_name_are_one_name(one: PatientIdentity, pair: tuple[str, str]) -> None:
    first, second = (replace(one, name=f"{spelling}^{one.name}") for spelling in pair)
    assert identity_score(first, second) == pytest.approx(1)


@given(known)
def test_bangla_digits_are_digits(one: PatientIdentity) -> None:
    assert identity_score(one, replace(one, patient_id=bangla_digits(one.patient_id))) == pytest.approx(1)


@given(people, people, st.sampled_from(["number", "name", "birth_date", "sex"]))
def test_to_agree_in_one_more_thing_never_lowers_it(one: PatientIdentity, other: PatientIdentity, what: str) -> None:
    fields = ("patient_id", "issuer") if what == "number" else (what,)
    agreeing = replace(other, **{name: getattr(one, name) for name in fields})
    # Who says nothing is neither: a person looks, whatever the other says.
    assume(not (one.says_nothing or other.says_nothing or agreeing.says_nothing))
    assert identity_score(one, agreeing) >= identity_score(one, other) - 1e-9


@given(known, known)
def test_another_number_is_never_a_match(one: PatientIdentity, other: PatientIdentity) -> None:
    assume(one.patient_id != other.patient_id)
    assert identity_score(one, other) < REVIEW


@given(known, dates)
def test_the_number_and_the_name_are_enough_for_a_match(one: PatientIdentity, date: str) -> None:
    assert identity_score(one, replace(one, birth_date=date)) >= MATCH


@given(known, known)
def test_the_number_alone_is_never_enough(one: PatientIdentity, other: PatientIdentity) -> None:
    assert identity_score(one, PatientIdentity(one.patient_id, one.issuer)) == pytest.approx(0.75)
    different = replace(other, patient_id=one.patient_id, sex={"M": "F", "F": "M"}[one.sex])
    assume(one.birth_date[:4] != other.birth_date[:4])
    assert identity_score(one, different) < MATCH


@given(known)
def test_a_number_from_before_a_merge_is_looked_at(one: PatientIdentity) -> None:
    merged = replace(one, patient_id="NEW-1", aliases=frozenset([(one.patient_id, one.issuer)]))
    assert REVIEW <= identity_score(one, merged) < MATCH


def test_there_are_two_thresholds() -> None:
    assert (REVIEW, MATCH) == (0.60, 0.85)
