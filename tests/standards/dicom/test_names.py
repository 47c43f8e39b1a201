"""Person names in Latin and Bangla: encoding, comparison, search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.standards.dicom.bangla import latin_digits, normalise_bangla, transliterate
from radiology.standards.dicom.names import (
    PersonName,
    components,
    display_name,
    in_two_scripts,
    match_text,
    name_found,
    name_keys,
    name_rank,
    name_search_text,
    name_similarity,
    name_tokens,
    normalise_name,
    phonetic_key,
    token_weight,
)

ABDUR = PersonName.parse("Rahman^Md. Abdur=রহমান^মোঃ আব্দুর")


@pytest.mark.parametrize(
    ("text", "encoded", "as_json"),
    [
        ("A^B^^^", "A^B", {"Alphabetic": "A^B"}),
        (" A ^ B =C=D", "A^B=C=D", {"Alphabetic": "A^B", "Ideographic": "C", "Phonetic": "D"}),
        ("A==D", "A==D", {"Alphabetic": "A", "Phonetic": "D"}),
        ("", "", {}),
        ("=C==", "=C", {"Ideographic": "C"}),
    ],
)
def test_encoding(text: str, encoded: str, as_json: dict[str, str]) -> None:
    name = PersonName.parse(text)
    assert name.encode() == encoded
    assert name.as_json() == as_json
    assert PersonName.of_json(as_json) == name


def test_components_and_display() -> None:
    group = "Rahman^Abdur^Karim^Dr.^MD"
    assert components(group) == {
        "family": "Rahman",
        "given": "Abdur",
        "middle": "Karim",
        "prefix": "Dr.",
        "suffix": "MD",
    }
    assert display_name(group) == "Dr. Abdur Karim Rahman MD"
    assert display_name("Rahman") == "Rahman"


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("RAHMAN^Md.  Abdur^^", "rahman^md. abdur"),
        ("Jérôme^Müller", "jerome^muller"),
        ("Ｗａｎｇ^Xiao", "wang^xiao"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("রহ\u200dমান", "রহমান"),
        ("রোকেয়া", "রোকেয\u09bcা"),
        ("山田^太郎", "山田^太郎"),
        ("R*N^?", "r*n^?"),
    ],
)
def test_match_text(group: str, expected: str) -> None:
    assert match_text(group) == expected


@given(st.text(max_size=40))
def test_match_text_is_settled(text: str) -> None:
    once = match_text(text)
    assert match_text(once) == once


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("Md. Abdur Rahman", ("abdur", "rahman")),
        ("Rohman^Mohammad", ("rahman",)),
        ("Mst. Fatema Khatoon", ("fatema", "khatun")),
        ("Mohammad", ("mohammad",)),
        ("মোঃ রহমান", ("rahman",)),
        ("মোছাঃ আয়েশা বেগম", ("ayesha", "begum")),
        ("D'Costa, John", ("dcosta", "john")),
        ("Al-Amin", ("al", "amin")),
        ("Dr. Prof. Hosen", ("hossain",)),
        ("", ()),
    ],
)
def test_tokens(name: str, tokens: tuple[str, ...]) -> None:
    assert name_tokens(name) == tokens
    assert normalise_name(name) == " ".join(tokens)


@pytest.mark.parametrize(
    ("bangla", "latin"),
    [
        ("রহমান", "rahman"),
        ("আব্দুর", "abdur"),
        ("ইসলাম", "islam"),
        ("হোসেন", "hosen"),
        ("উদ্দিন", "uddin"),
        ("বিশ্বাস", "bishwas"),
        ("সরকার", "sarkar"),
        ("সুলতানা", "sultana"),
        ("নাসরিন", "nasrin"),
        ("আয়েশা", "ayesha"),
        ("বাংলা", "bangla"),
        ("করিম ১২", "karim 12"),
        ("Karim", "Karim"),
    ],
)
def test_transliteration(bangla: str, latin: str) -> None:
    assert transliterate(bangla) == latin


def test_one_letter_in_two_encodings_is_one() -> None:
    assert normalise_bangla("\u09af\u09bc") == normalise_bangla("\u09df")
    assert transliterate("\u0986\u09df\u09c7\u09b6\u09be") == transliterate("\u0986\u09af\u09bc\u09c7\u09b6\u09be")


def test_a_national_id_in_bangla_digits() -> None:
    assert latin_digits("১৯৯০১২৩৪৫৬") == "1990123456"


@pytest.mark.parametrize("query", ["রহমান", "Rohman", "Md. Rahman", "md abdur rahaman", "rahman abdur", "RAHMAN"])
@pytest.mark.parametrize("name", ["Md. Abdur Rahman", "Rahman^Md. Abdur", "রহমান^মোঃ আব্দুর"])
def test_one_patient_by_many_spellings(query: str, name: str) -> None:
    assert name_found(query, name)
    assert name_rank(query, name) == pytest.approx(1.0)


@pytest.mark.parametrize("query", ["Karim", "Rahim", "করিম", ""])
def test_others_are_not_found(query: str) -> None:
    assert not name_found(query, ABDUR)
    assert name_rank(query, ABDUR) < 0.9


def test_search_text_has_both_scripts_once() -> None:
    assert name_search_text(ABDUR) == "rahman md abdur রহমান মোঃ আব্দুর"
    assert name_search_text("হোসেন") == "হোসেন hossain"


def test_each_part_of_a_bangla_name_is_written_in_latin_by_itself() -> None:
    assert in_two_scripts("করিম^আব্দুল").encode() == "Karim^Abdul=করিম^আব্দুল"
    assert in_two_scripts("Karim^Abdul", "করিম^আব্দুল").encode() == "Karim^Abdul=করিম^আব্দুল"


def test_keys_of_a_name_in_two_scripts() -> None:
    assert name_keys(ABDUR) == ("rahman", "abdur")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("parveen", "parbin"),
        ("zaman", "jaman"),
        ("shafiq", "safik"),
        ("josna", "jasna"),
        ("noor", "nur"),
        ("fatemah", "fatema"),
        ("mitthu", "mithu"),
        ("yasmin", "iasmin"),
        ("pharuk", "faruk"),
    ],
)
def test_names_that_sound_alike(one: str, other: str) -> None:
    assert phonetic_key(one) == phonetic_key(other)


def test_a_key_is_never_empty() -> None:
    assert phonetic_key("ha") == "ha"


def test_similarity_and_weights() -> None:
    assert name_similarity("Rahman^Md. Abdur", "Abdur Rahman") == 1.0
    assert name_similarity("Rahman^Abdur", "Das^Ratan") < 0.7
    assert token_weight("begum") == 0.3
    assert token_weight("fatema") == 1.0
    assert name_rank("Fatema Begum", "Fatema Khatun") > name_rank("Fatema Begum", "Rokeya Begum")


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_can_be_asked_for(query: str, name: str) -> None:
    name_found(query, name)
    name_search_text(name)
    assert 0.0 <= name_rank(query, name) <= 1.0
    assert 0.0 <= name_similarity(query, name) <= 1.0
