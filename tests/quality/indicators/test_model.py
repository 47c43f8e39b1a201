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


def test_percentiles_are_of_each_group_also_where_values_are_negative_or_large():
    amounts = np.array([5, -3, 2147483647, -2147483648, 0, 7], np.int32)
    grouped = Grouped(3, np.array([0, 1, 1, 0, 1, 0], np.int16), amounts)
    assert grouped.percentiles([1, 50, 95]) == [[-2147483648, 5, 7], [-3, 0, 2147483647], [None, None, None]]
    reals = Grouped(2, np.array([1, 0, 1], np.int16), np.array([2.5, 1.5, -1.0]))
    assert reals.percentiles([50, 51]) == [[1.5, 1.5], [-1.0, 2.5]]


@pytest.mark.parametrize("widest", [3, 400, 10**9])
def test_percentiles_are_those_of_all_values_in_order_however_far_apart_they_are(widest):
    amounts = np.random.default_rng(widest).integers(0, widest, 150, np.int32)
    in_order = sorted(amounts.tolist())
    wanted = [1, 50, 90, 95, 100]
    assert Grouped(1, None, amounts).percentiles(wanted) == [[nearest_rank(in_order, each) for each in wanted]]


def test_a_small_number_of_sensitive_studies_is_hidden_with_the_next_smallest():
    assert hidden({"MG": (3, True), "CT": (40, False), "DX": (7, False)}) == {"MG", "DX"}
    assert hidden({"MG": (3, True), "US": (2, True), "CT": (40, False)}) == {"MG", "US"}
    assert hidden({"MG": (5, True), "CT": (2, False)}) == frozenset()


def test_windows_are_whole_days_and_months():
    assert Window.of_month(2028, 2).days == 29
    with pytest.raises(Invalid):
        Window(Window.of_month(2028, 2).last, Window.of_month(2028, 2).first)
