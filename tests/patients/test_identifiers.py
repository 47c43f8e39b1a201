"""Numbers are checked and made one form."""

import pytest

from radiology.errors import Unprocessable
from radiology.patients.identifiers import Kind, birth_year, identifier, kind_of_system
from radiology.patients.record import phone_number


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        (Kind.NID, "১২৩ ৪৫৬ ৭৮৯০", "1234567890"),
        (Kind.NID, "1234567890123", "1234567890123"),
        (Kind.NID, "1980-1234567890123", "19801234567890123"),
        (Kind.BRN, "20101234567890123", "20101234567890123"),
        (Kind.UHID, "97000416912", "97000416912"),
        (Kind.UHID, "ab12cd34ef5", "AB12CD34EF5"),
        (Kind.HOSPITAL, " DMC-১০০১ ", "DMC-1001"),
    ],
)
def test_a_number_has_one_form(kind: Kind, typed: str, kept: str) -> None:
    number = identifier(kind, typed, issuer="10000033")
    assert number.value == kept
    assert kind_of_system(number.system) == kind
    assert number.issuer == ("10000033" if kind == Kind.HOSPITAL else "")


@pytest.mark.parametrize(
    ("kind", "typed"),
    [(Kind.NID, "123456789"), (Kind.NID, "17001234567890123"), (Kind.NID, "12345678AB"), (Kind.BRN, "1234567890"),
     (Kind.UHID, "a"), (Kind.HOSPITAL, ""), (Kind.HOSPITAL, "A\\B"), (Kind.HOSPITAL, "x" * 65)],
)  # fmt: skip
def test_what_cannot_be_right_is_refused(kind: Kind, typed: str) -> None:
    with pytest.raises(Unprocessable):
        identifier(kind, typed)


def test_a_long_number_begins_with_the_year_of_birth() -> None:
    assert birth_year(identifier(Kind.NID, "19801234567890123")) == "1980"
    assert birth_year(identifier(Kind.NID, "1234567890123")) is None


@pytest.mark.parametrize("typed", ["01712345678", "+8801712345678", "880 1712-345678", "০১৭১২৩৪৫৬৭৮"])
def test_mobiles_have_one_form(typed: str) -> None:
    assert phone_number(typed) == "+8801712345678"
