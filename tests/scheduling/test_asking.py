"""What an examination asks for: as it is said, else as the facility or the catalogue has it, else by its words."""

from datetime import date
from typing import Any

import pytest

from radiology.errors import Unprocessable
from radiology.procedures.entries import procedure_of, shipped
from radiology.procedures.lookup import Catalogue
from radiology.procedures.model import LOINC, Coding
from radiology.scheduling.asking import of_procedure

KNOWN = Catalogue([procedure_of(key, body) for key, body in shipped().items()], on=date(2026, 1, 21))


def facts(modality: str, text: str, *codings: Coding, own: dict[str, int] | None = None, **said: Any) -> dict[str, Any]:
    return of_procedure("1", modality, text, said, own or {}, KNOWN, codings)[1]


def test_the_catalogue_is_asked_by_code_whatever_the_words_are() -> None:
    told = facts("US", "পেটের পরীক্ষা", Coding("LN", "24558-9"))
    assert (told["minutes"], told["preparations"], told["fastingHours"]) == (15, ["P4"], 6)
    told = facts("NM", "Ganzkörper", Coding(LOINC, "39818-0"))
    assert (told["minutes"], told["preparations"]) == (45, ["P3", "PG"])
    assert facts("DX", "", Coding("99LOCAL", "34839-5"))["preparations"] == ["P1", "PG"]


def test_contrast_of_the_catalogue_needs_who_gives_it() -> None:
    told = facts("CT", "CTPA")
    assert (told["contrast"], told["minutes"], told["preparations"]) == (True, 30, ["P6", "PG"])
    assert facts("RF", "Contrast study", Coding(LOINC, "30633-2"))["barium"] is True
    assert facts("RF", "HSG")["barium"] is False


def test_what_is_given_with_contrast_is_not_what_the_catalogue_has_without() -> None:
    told = facts("CT", "CT head without contrast", Coding(LOINC, "30799-1"), contrast=True)
    assert (told["minutes"], told["preparations"]) == (30, ["P6", "PG"])


def test_what_is_said_wins_then_the_facility_then_the_catalogue() -> None:
    code = Coding(LOINC, "30799-1")
    assert facts("CT", "", code)["minutes"] == 15
    assert facts("CT", "", code, own={"30799-1": 20, "CT": 40})["minutes"] == 20
    assert facts("CT", "", code, own={"CT": 40}, minutes=25, preparations=["P2"])["minutes"] == 25
    assert facts("CT", "", code, preparations=["P2"])["fastingHours"] == 6
    with pytest.raises(Unprocessable):
        facts("CT", "", code, preparations=["P77"])


def test_words_are_guessed_only_for_what_the_catalogue_does_not_know() -> None:
    told = facts("US", "Doppler of the thigh")
    assert (told["minutes"], told["preparations"]) == (30, ["P0"])
    told = facts("CT", "Somebody's CT of the head", Coding(LOINC, "24648-8", "Chest X-ray"))
    assert (told["minutes"], told["preparations"]) == (15, ["P13", "PG"])
    with pytest.raises(Unprocessable):
        facts("NM", "Unheard of")
