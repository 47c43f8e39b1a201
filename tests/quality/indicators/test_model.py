import numpy as np
import pytest

from radiology.errors import Invalid
from radiology.quality.indicators.model import Window, hidden, nearest_rank
from radiology.quality.indicators.sheets import Grouped


@pytest.mark.parametrize(("percentile", "expected"), [(30, 20), (40, 20), (41, 35), (50, 35), (90, 50), (100, 50)])
def test_nearest_rank_is_a_value_that_was_measured(percentile, expected):
    assert nearest_rank([15, 20, 35, 40, 50], percentile) == expected


def test_nothing_has_no_percentile():
    assert nearest_rank([], 50) is None


def test_groups_are_sorted_apart_also_where_values_are_negative_or_large():
    amounts = np.array([5, -3, 2147483647, -2147483648, 0, 7], np.int64)
    numbers = np.array([0, 1, 1, 0, 1, 0], np.int64)
    grouped = Grouped(3, numbers, amounts, np.zeros(6, np.bool_))
    assert [each.tolist() for each in grouped.in_order()] == [[-2147483648, 5, 7], [-3, 0, 2147483647], []]
    reals = Grouped(2, np.array([1, 0, 1]), np.array([2.5, 1.5, -1.0]), np.zeros(3, np.bool_))
    assert [each.tolist() for each in reals.in_order()] == [[1.5], [-1.0, 2.5]]


def test_a_small_number_of_sensitive_studies_is_hidden_with_the_next_smallest():
    assert hidden({"MG": (3, True), "CT": (40, False), "DX": (7, False)}) == {"MG", "DX"}
    assert hidden({"MG": (3, True), "US": (2, True), "CT": (40, False)}) == {"MG", "US"}
    assert hidden({"MG": (5, True), "CT": (2, False)}) == frozenset()


def test_windows_are_whole_days_and_months():
    assert Window.of_month(2028, 2).days == 29
    with pytest.raises(Invalid):
        Window(Window.of_month(2028, 2).last, Window.of_month(2028, 2).first)
