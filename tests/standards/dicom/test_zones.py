"""Dates and times in another zone: what moves, how precisely, and what stays."""

from datetime import UTC, timedelta, timezone
from typing import Any

import pytest

from radiology.standards.dicom.zones import in_zone, parse_offset, with_partners

DHAKA = timezone(timedelta(hours=6))


def attributes(**values: str) -> dict[str, Any]:
    vrs = {"00080020": "DA", "00080030": "TM", "0008002A": "DT", "00080201": "SH", "00100030": "DA"}
    return {f"{tag[1:]}": {"vr": vrs[tag[1:]], "Value": [value]} for tag, value in values.items()}


@pytest.mark.parametrize(
    ("day", "clock", "there"),
    [
        ("20260101", "0530", ("20251231", "2330")),
        ("20260101", "05", ("20251231", "2300")),
        ("20260228", "235959.25", ("20260228", "175959.25")),
        ("00010101", "0000", ("00010101", "0000")),
        ("20260101", "", ("20260101", "")),
        ("2026", "0530", ("2026", "0530")),
        ("20260101", "noon", ("20260101", "noon")),
    ],
)
def test_a_date_and_its_time_move_together_or_not_at_all(day: str, clock: str, there: tuple[str, str]) -> None:
    moved = in_zone(attributes(_00080020=day, _00080030=clock), DHAKA, UTC)
    assert (moved["00080020"]["Value"][0], moved["00080030"]["Value"][0]) == there


def test_the_zone_that_an_object_names_goes_before_the_local_one() -> None:
    moved = in_zone(attributes(_00080020="20260101", _00080030="0530", _00080201="-0100"), DHAKA, UTC)
    assert (moved["00080020"]["Value"], moved["00080030"]["Value"]) == (["20260101"], ["0630"])


def test_moments_with_a_zone_and_dates_of_the_patient_stay() -> None:
    given = attributes(_00100030="19800101")
    assert in_zone(given, DHAKA, UTC) == given
    for value, there in (("20260101053000", "20251231233000"), ("20260101053000+0100",) * 2, ("2026",) * 2):
        assert in_zone(attributes(_0008002A=value), DHAKA, UTC)["0008002A"]["Value"] == [there]


def test_partners_are_dates_and_times_of_the_same_moment() -> None:
    assert with_partners(["00080030", "00100020"]) == {"00080020", "00080030", "00100020"}


@pytest.mark.parametrize("text", ["", "0600", "+6", "+0660", "+1500", "+06:00", "+०६००"])
def test_what_is_no_offset(text: str) -> None:
    with pytest.raises(ValueError, match="no offset"):
        parse_offset(text)


def test_offsets() -> None:
    assert parse_offset("-0530").utcoffset(None) == timedelta(hours=-5, minutes=-30)
    assert parse_offset("+1400").utcoffset(None) == timedelta(hours=14)
