"""The check digit of LOINC."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.standards.loinc import check_digit, could_exist


@pytest.mark.parametrize(
    "code",
    ["42272-5", "30745-4", "24558-9", "30799-1", "24606-6", "34839-1", "39026-0", "24603-3", "LP29684-5"],
)
def test_codes_that_exist_pass(code: str) -> None:
    assert could_exist(code)


@pytest.mark.parametrize(
    "code", ["34839-5", "39026-1", "24603-0", "39625-0", "", "42272", "42272-", "-5", " 42272-5", "৪২২৭২-5", "LX1-5"]
)
def test_others_do_not(code: str) -> None:
    assert not could_exist(code)


@given(st.integers(min_value=1, max_value=9_999_999), st.data())
def test_a_digit_that_is_mistyped_is_noticed(number: int, data: st.DataObject) -> None:
    text = str(number)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != text[place]]))
    mistyped = text[:place] + other + text[place + 1 :]
    assert check_digit(mistyped) != check_digit(text)
