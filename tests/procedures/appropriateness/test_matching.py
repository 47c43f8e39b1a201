"""Words of an order: whole words, denials, Bangla, and codes that agree with the words beside them."""

import pytest

from radiology.procedures.appropriateness.matching import Term, days_in, plain, terms_in
from radiology.procedures.appropriateness.model import Indication
from radiology.procedures.appropriateness.ruleset import shipped
from radiology.procedures.model import Coding

SNOMED = "http://snomed.info/sct"


def found(text: str, coding: Coding | None = None) -> frozenset[str]:
    return terms_in([Indication(text, coding)], shipped().terms)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("RUQ pain", "ruq-pain"),
        ("C/o ruq  pain, vomiting", "vomiting"),
        ("পেটে ব্যথা তিন দিন ধরে", "abdominal-pain"),
        ("পিত্তথলিতে পাথর", "ruq-pain"),
        ("post-operative", "post-op"),
        ("GCS 13/15", "low-gcs"),
        ("GCS<15", "low-gcs"),
        ("Back pain with red flag", "red-flag"),
        ("not walking since the fall", "trauma"),
        ("No fever but vomiting", "vomiting"),
        ("মাথায় আঘাত", "head-injury"),
    ],
)
def test_a_term_is_found(text: str, term: str) -> None:
    assert term in found(text)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("No red flag", "red-flag"),
        ("without red flags", "red-flag"),
        ("no history of trauma", "trauma"),
        ("জ্বর নেই", "febrile"),
        ("বমি নাই", "vomiting"),
        ("falling hair", "trauma"),
        ("GCS 15", "low-gcs"),
        ("non-traumatic", "trauma"),
        ("D-dimer negative", "d-dimer-positive"),
        ("ICD-10 M54.5", "mr-hazard"),
    ],
)
def test_a_term_is_not_found(text: str, term: str) -> None:
    assert term not in found(text)


def test_what_would_be_dangerous_to_miss_is_denied_by_the_word_before_it_alone() -> None:
    assert "mr-hazard" not in found("No pacemaker")
    assert "mr-hazard" in found("No improvement since pacemaker was implanted")


def test_letters_of_bangla_are_found_however_they_are_written() -> None:
    composed, apart = "পিত্তথলির ব্যথা পায়ের", "পিত্তথলির ব্যথা পায়ের"
    assert plain(composed) == plain(apart)
    assert plain("১২ সপ্তাহ") == " 12 সপ্তাহ "


def test_a_code_counts_only_where_its_words_agree() -> None:
    chest_pain, dyspnoea = Coding(SNOMED, "29857009"), Coding(SNOMED, "267036007")
    assert "chest-pain" not in found("", chest_pain)
    assert "chest-pain" not in found("Breathlessness", chest_pain)
    assert "chest-pain" in found("Thoracic pain", chest_pain)
    assert "chest-pain" not in found("Thoracic pain", dyspnoea)
    assert "chest-pain" in found("Chest pain", dyspnoea)
    assert "chest-pain" not in found("Thoracic pain")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Cough for two weeks", 14),
        ("cough x 3 days", 3),
        ("২ মাস ধরে কাশি", 60),
        ("pain 2 days, worse for 1 week", 7),
        ("pain", None),
        ("6wks", 42),
        ("aged 40", None),
    ],
)
def test_how_long_it_lasts_is_read(text: str, days: int | None) -> None:
    assert days_in([text]) == days


def test_a_term_without_codes_is_found_by_its_phrases() -> None:
    term = Term("x", (plain("a b"),))
    assert terms_in([Indication("z A-B c")], [term]) == {"x"}
    assert terms_in([Indication("ab")], [term]) == frozenset()
