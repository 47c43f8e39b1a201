"""What codes, keys and names mean, and on which terms a procedure is done."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from radiology.errors import NotFound
from radiology.procedures.entries import body_of, procedure_of, shipped
from radiology.procedures.lookup import Catalogue, codings_of
from radiology.procedures.model import LOCAL_SYSTEM, LOINC, PRIORITIES, SUBSPECIALTIES, Agreed, Coding
from radiology.procedures.preparations import PREPARATIONS

TODAY = date(2026, 1, 21)
SNOMED = "http://snomed.info/sct"
ENTRIES = [procedure_of(key, body) for key, body in shipped().items()]
CATALOGUE = Catalogue(ENTRIES, on=TODAY)


def found(*codings: Coding, modality: str = "", text: str = "") -> str | None:
    procedure = CATALOGUE.find(codings, modality, text)
    return procedure.key if procedure else None


def test_what_is_shipped_is_whole() -> None:
    assert len(CATALOGUE.procedures) == 84
    for each in CATALOGUE.procedures:
        assert each.display_bangla
        assert each.codings
        assert each.subspecialty in SUBSPECIALTIES
        assert each.priority in PRIORITIES
        assert set(each.preparations) <= set(PREPARATIONS)
        assert each.minutes % 5 == 0
        assert procedure_of(each.key, body_of(each)) == each


def test_a_code_or_a_key_is_found() -> None:
    assert found(Coding(LOINC, "24648-8")) == "XR_CHEST_PA"
    assert found(Coding("LN", "24648-8")) == "XR_CHEST_PA"
    assert found(Coding("", "24648-8")) == "XR_CHEST_PA"
    assert found(Coding("http://www.radlex.org", "RPID145")) == "CT_ABDOMEN_PELVIS_W"
    assert found(Coding(LOCAL_SYSTEM, "US_THYROID")) == "US_THYROID"
    assert found(Coding(LOINC, "99999-9")) is None


def test_codes_of_the_specification_are_understood_under_either_system() -> None:
    for system in (LOCAL_SYSTEM, LOINC, ""):
        assert found(Coding(system, "34839-5", "Chest X-ray")) == "CHEST_XRAY"
    assert found(Coding(LOINC, "30745-4")) == "CHEST_XRAY"
    # The code that names a procedure goes before one that means it, too.
    assert found(Coding(LOINC, "42272-5")) == "XR_CHEST_PA_LAT"


def test_of_several_that_a_code_means_the_text_decides_and_then_the_longest() -> None:
    code = Coding(LOINC, "11525-3")
    assert found(code, text="growth scan with doppler") == "US_OB_GROWTH_DOPPLER"
    assert found(code) == "US_OB_ANOMALY"


def test_a_code_is_not_believed_against_its_words_or_the_modality() -> None:
    code = Coding(LOINC, "30799-1", "CT abdomen")
    assert CATALOGUE.disagrees(code)
    assert found(code) is None
    assert found(code, text="CT KUB") == "CT_KUB_WO"
    assert found(Coding(LOINC, "30799-1"), modality="MR") is None
    assert found(Coding(LOINC, "24648-8"), modality="CR") == "XR_CHEST_PA"


@pytest.mark.parametrize(
    "coding",
    [
        Coding(LOINC, "30799-1", "Brain CT plain"),
        Coding(LOINC, "30799-1", "NCCT"),
        Coding(LOINC, "36813-4", "Abdominal CT with contrast"),
        Coding(LOINC, "24558-9", "পেটের আল্ট্রাসনোগ্রাফি"),
        Coding(LOINC, "24648-8", "CXR"),
        Coding(LOINC, "30799-1", ""),
        Coding("urn:hospital", "1", "MRI knee"),
        Coding(SNOMED, "29857009", "Chest pain"),
        Coding(SNOMED, "267036007", "Dyspnoea on exertion"),
    ],
)
def test_words_that_are_another_name_or_nobody_knows_do_not_disagree(coding: Coding) -> None:
    assert not CATALOGUE.disagrees(coding)


def test_words_of_another_code_disagree() -> None:
    assert CATALOGUE.disagrees(Coding(SNOMED, "267036007", "Chest pain"))
    assert CATALOGUE.disagrees(Coding(SNOMED, "40199007", "Pelvic ultrasound"))
    assert CATALOGUE.disagrees(Coding(LOINC, "24648-8", "MRI knee"))


@pytest.mark.parametrize(
    ("text", "modality", "key"),
    [
        ("USG of whole abdomen", "US", "US_ABDOMEN_WHOLE"),
        ("HRCT", "CT", "CT_CHEST_HRCT"),
        ("Chest X-Ray", "", "CHEST_XRAY"),
        ("chest xray", "DX", "CHEST_XRAY"),
        ("বুকের এক্সরে", "", "CHEST_XRAY"),
        ("মস্তিষ্কের এমআরআই", "MR", "MR_BRAIN_WO"),
        ("CT head", "MR", None),
        ("nobody knows this", "", None),
    ],
)
def test_a_name_is_found_by_its_words(text: str, modality: str, key: str | None) -> None:
    assert found(modality=modality, text=text) == key


def test_people_search_in_either_language() -> None:
    keys = [each.key for each in CATALOGUE.search("head ct")]
    assert keys[0] == "CT_HEAD_WO"
    assert {"CT_HEAD_W_WO", "CT_ANGIO_HEAD_NECK"} <= set(keys)
    assert [each.key for each in CATALOGUE.search("মস্তিষ্কের", "MR")][:1] == ["MR_ANGIO_HEAD_WO"]
    assert "XR_CHEST_PA" in [each.key for each in CATALOGUE.search("বুকের এক্স-রে")]
    assert [each.key for each in CATALOGUE.search("hysterosalpingogrm")] == ["RF_HSG"]
    assert [each.key for each in CATALOGUE.search("24648-8")] == ["XR_CHEST_PA"]
    assert [each.key for each in CATALOGUE.search("renal colic", "US")] == ["US_KUB_PROSTATE"]
    assert CATALOGUE.search("zzz") == []


def test_the_entry_that_began_last_holds() -> None:
    first = CATALOGUE.by_key("XR_FOOT")
    assert first
    entries = [
        *ENTRIES,
        replace(first, turnaround_hours=6, version=2, effective_from=date(2026, 1, 1)),
        replace(first, turnaround_hours=5, version=3, effective_from=date(2026, 1, 1)),
        replace(first, turnaround_hours=2, version=4, effective_from=date(2026, 2, 1)),
    ]
    for day, hours in ((date(2025, 12, 31), 8), (TODAY, 5), (date(2026, 2, 1), 2)):
        procedure = Catalogue(entries, on=day).by_key("XR_FOOT")
        assert procedure
        assert procedure.turnaround_hours == hours


def test_what_begins_later_is_known_and_cannot_be_ordered_yet() -> None:
    first = CATALOGUE.by_key("XR_FOOT")
    assert first
    later = replace(first, key="XR_TOE", codings=(Coding(LOCAL_SYSTEM, "TOE"),), effective_from=date(2026, 2, 1))
    for day, key in ((TODAY, None), (date(2026, 2, 1), "XR_TOE")):
        catalogue = Catalogue([*ENTRIES, later], on=day)
        procedure = catalogue.find([Coding(LOCAL_SYSTEM, "TOE")])
        assert (procedure.key if procedure else None) == key
        told = catalogue.by_key("XR_TOE")
        assert told
        assert told.active == bool(key)


def test_what_is_withdrawn_is_still_known_by_its_key() -> None:
    first = CATALOGUE.by_key("XR_FOOT")
    assert first
    withdrawn = Catalogue([*ENTRIES, replace(first, active=False, version=2)], on=TODAY)
    assert withdrawn.find([Coding(LOINC, "30784-3")]) is None
    assert "XR_FOOT" not in [each.key for each in withdrawn.search("foot")]
    assert withdrawn.by_key("XR_FOOT")


def test_terms_are_of_the_facility_then_of_its_ownership_then_of_the_entry() -> None:
    agreed = [
        Agreed("CT_HEAD_WO", "", "private", 1, date(2026, 1, 1), price_bdt=Decimal("5000.00")),
        Agreed("CT_HEAD_WO", "10000033", "", 1, date(2026, 1, 1), turnaround_hours=3),
        Agreed("CT_HEAD_WO", "10000033", "", 2, date(2026, 3, 1), price_bdt=Decimal("4000.00"), priority="stat"),
    ]
    catalogue = Catalogue(ENTRIES, agreed, on=TODAY)
    public = catalogue.terms("CT_HEAD_WO", "10000099")
    assert (public.price, public.turnaround_hours, public.priority) == (Decimal("2250.00"), 6, "urgent")
    here = catalogue.terms("CT_HEAD_WO", "10000033", ownership="private")
    assert (here.price, here.turnaround_hours, here.priority) == (Decimal("5000.00"), 3, "urgent")
    later = catalogue.terms("CT_HEAD_WO", "10000033", date(2026, 3, 1), ownership="private")
    assert (later.price, later.turnaround_hours, later.priority) == (Decimal("4000.00"), 6, "stat")
    assert catalogue.terms("CT_BRAIN", ownership="private").price == Decimal("2500.00")
    assert [here.hours_for(each) for each in ("stat", "urgent", "routine")] == [1, 3, 3]
    with pytest.raises(NotFound):
        catalogue.terms("NOTHING")


def test_the_text_of_a_concept_speaks_for_a_code_without_words() -> None:
    concept = {"coding": [{"system": SNOMED, "code": "267036007"}, {"code": ""}], "text": "Chest pain"}
    (coding,) = codings_of([concept])
    assert CATALOGUE.disagrees(coding)
