"""Sums of examinations, groups of patients, and deviation indices."""

from datetime import date

import pytest

from radiology.dose.exposure_index import Colour, colour, deviation
from radiology.dose.model import (
    ADULT,
    DoseEvent,
    Patient,
    Reading,
    Source,
    Stated,
    age_years,
    doses_of,
)


def test_the_larger_of_what_is_stated_and_what_the_events_come_to_counts():
    events = (
        DoseEvent("1", "r", dlp_mgy_cm=30, ctdi_vol_mgy=2),
        DoseEvent("2", "r", dlp_mgy_cm=800, ctdi_vol_mgy=45),
        DoseEvent("3", "r", fluoroscopy_seconds=4, kap_gy_cm2=2),
    )
    found = doses_of(Reading(Source.REPORT, events, Stated(dlp_mgy_cm=900, kap_gy_cm2=1.5, fluoroscopy_seconds=28)))

    assert found == {"DLP": 900, "DAP": 2, "FLUORO": 28, "CTDIvol": 45}


def test_entrance_dose_is_known_by_view_and_glandular_dose_is_the_mean_of_images():
    events = (
        DoseEvent("1", "i", view="PA", entrance_mgy=0.12),
        DoseEvent("2", "i", view="LL", entrance_mgy=0.4),
        DoseEvent("3", "i", glandular_dose_mgy=1.0),
        DoseEvent("4", "i", glandular_dose_mgy=2.0),
    )

    assert doses_of(Reading(Source.HEADER, events)) == {"ESD": 0.4, "ESD_PA": 0.12, "ESD_LAT": 0.4, "MGD": 1.5}


@pytest.mark.parametrize(
    ("age", "weight", "group", "standard"),
    [
        (40, 70, ADULT, True), (40, None, ADULT, True), (None, 65, ADULT, True), (40, 91, ADULT, False),
        (40, 49, ADULT, False), (0.1, 3.2, "<5 kg", True), (4, 15, "15-<30 kg", True), (12, 79.9, "50-<80 kg", True),
        (12, 85, "10 y", True), (0.5, None, "0 y", True), (17.5, None, "15 y", True), (5, None, "5 y", True),
    ],
)  # fmt: skip
def test_children_are_compared_by_weight_else_by_age(age, weight, group, standard):
    patient = Patient(age, weight, None)

    assert (patient.group, patient.is_standard) == (group, standard)


def test_an_age_is_known_from_a_year_alone_and_nonsense_is_none():
    assert age_years("20160121", date(2026, 1, 21)) == pytest.approx(10, abs=0.01)
    assert age_years("2016", date(2026, 1, 1)) == pytest.approx(10, abs=0.01)
    for nonsense in ("", "x", "20260231", "20300101", "17000101"):
        assert age_years(nonsense, date(2026, 1, 21)) is None


@pytest.mark.parametrize(
    ("index", "target", "told", "shown"),
    [
        (400, 400, 0, Colour.GREEN), (503, 400, 1.0, Colour.GREEN), (520, 400, 1.1, Colour.AMBER),
        (200, 400, -3.0, Colour.AMBER), (176, 876, -7.0, Colour.RED), (900, 400, 3.5, Colour.RED),
    ],
)  # fmt: skip
def test_the_deviation_is_ten_times_the_logarithm_and_has_a_colour(index, target, told, shown):
    found = deviation(index, target)

    assert found == told
    assert colour(found) == shown


def test_there_is_no_deviation_without_both():
    assert deviation(None, 400) is None
    assert deviation(400, 0) is None
    assert deviation(-1, 400) is None
