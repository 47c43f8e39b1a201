"""Reference levels by hand: which one holds, what is compared, and what is noted."""

from datetime import date

import pytest

from radiology.quality.dose.model import (
    Cell,
    Level,
    Levels,
    Note,
    Noted,
    Standing,
    compared,
    far_over,
    notes_of,
)

CATALOGUE = {"CT_HEAD_WO": {"DLP": 790.0}}


def level(value: float | None, on: str, facility: str | None = None, group: str = "adult") -> Level:
    return Level("CT_HEAD_WO", "DLP", group, facility, date.fromisoformat(on), value, "survey")


@pytest.mark.parametrize(
    ("on", "facility", "group", "value", "scope"),
    [
        ("2025-12-31", "A", "adult", 790, "catalogue"),
        ("2026-01-01", "A", "adult", 900, "national"),
        ("2026-02-01", "A", "adult", 700, "facility"),
        ("2026-02-01", "B", "adult", 900, "national"),
        ("2026-03-01", "A", "adult", 900, "national"),
        ("2026-02-01", "A", "5 y", 400, "national"),
        ("2025-12-31", "A", "5 y", None, None),
    ],
)
def test_the_facility_goes_before_the_country_and_both_before_the_catalogue(on, facility, group, value, scope):
    levels = Levels(
        [
            level(900, "2026-01-01"),
            level(700, "2026-02-01", "A"),
            level(None, "2026-03-01", "A"),
            level(400, "2026-01-15", group="5 y"),
        ],
        CATALOGUE,
    )

    found = levels.standing("CT_HEAD_WO", "DLP", group, facility, date.fromisoformat(on))

    assert (found.value if found else None, found.scope if found else None) == (value, scope)


def cell(patients: int, median: float = 800) -> Cell:
    return Cell("A", "CT_HEAD_WO", "CT_HEAD_WO", "adult", "DLP", patients, 0, median, 900, [median] * patients)


def test_below_twenty_nothing_is_said_but_how_many_there_were():
    told = compared(cell(19), Standing(790, "catalogue", "catalogue"))

    assert (told["status"], told["n"], told["median"], told["ratio"], told["investigate"]) == (
        "insufficient", 19, None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("median", "ratio", "investigate"), [(790, 1.0, False), (800, 1.0127, True), (395, 0.5, False)]
)
def test_from_twenty_on_the_ratio_is_that_of_the_median(median, ratio, investigate):
    told = compared(cell(20, median), Standing(790, "catalogue", "catalogue"))

    assert (told["status"], told["ratio"], told["investigate"]) == ("compared", ratio, investigate)


def test_without_a_level_there_is_a_median_and_no_ratio():
    told = compared(cell(20), None)

    assert (told["status"], told["median"], told["ratio"]) == ("no-reference", 800, None)


def test_twice_the_level_is_noted_and_three_times_was_not_meant():
    levels = {"DLP": Standing(790, "catalogue", "catalogue")}

    assert notes_of({"DLP": 1580}, levels) == []
    assert notes_of({"DLP": 1581, "RAK": 900}, levels) == [Noted(Note.OVER_TWICE, "DLP", 1581, 790)]
    assert far_over(notes_of({"DLP": 2370}, levels)) is None
    assert far_over(notes_of({"DLP": 2371}, levels)) == Noted(Note.OVER_TWICE, "DLP", 2371, 790)


@pytest.mark.parametrize(
    ("kerma", "kind"), [(2000, None), (2001, Note.AIR_KERMA), (5000, Note.AIR_KERMA), (5001, Note.SKIN_DOSE)]
)
def test_air_kerma_is_noted_above_two_gray_and_followed_up_above_five(kerma, kind):
    found = notes_of({"RAK": kerma}, {})

    assert [note.kind for note in found] == ([kind] if kind else [])
