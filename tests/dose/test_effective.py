"""The estimate of the effective dose, by hand: AAPM Report 96, table 3."""

import pytest

from radiology.dose.effective import Region, estimate, k_factor, region_of
from radiology.dose.model import DoseEvent, Reading, Source, Stated


def _reading(*events: DoseEvent, dlp: float | None = None) -> Reading:
    return Reading(Source.REPORT, events, Stated(dlp_mgy_cm=dlp))


@pytest.mark.parametrize(
    ("words", "region"),
    [
        ("Head routine", Region.HEAD), ("paranasal sinuses", Region.HEAD),
        ("Head and neck vessels", Region.HEAD_AND_NECK),
        ("cervical spine", Region.NECK), ("CT Chest HR", Region.CHEST), ("Chest, Abdomen and Pelvis", Region.TRUNK),
        ("kidneys ureters bladder", Region.ABDOMEN), ("Entire body", None), ("hearing", None), ("", None),
    ],
)  # fmt: skip
def test_words_name_a_part_of_the_body(words: str, region: Region | None):
    assert region_of(words) == region


@pytest.mark.parametrize(
    ("region", "age", "factor"),
    [
        (Region.HEAD, 40, 0.0021), (Region.HEAD, None, 0.0021), (Region.HEAD, 0.2, 0.011), (Region.HEAD, 15, 0.0021),
        (Region.CHEST, 5.4, 0.018), (Region.ABDOMEN, 12, 0.015), (Region.TRUNK, 0.9, 0.028),
    ],
)  # fmt: skip
def test_the_factor_is_that_of_the_child_nearest_in_age(region: Region, age: float | None, factor: float):
    assert k_factor(region, age) == factor


def test_each_acquisition_counts_with_its_own_region():
    head = DoseEvent("1", "1", region="Head", dlp_mgy_cm=1000, phantom_cm=16)
    chest = DoseEvent("2", "1", region="Chest", dlp_mgy_cm=300, phantom_cm=32)

    found = estimate(_reading(head, chest, dlp=1300), age_years=45, words=["head"], typical_msv=2)

    assert (found.method, found.msv) == ("dlp", pytest.approx(1000 * 0.0021 + 300 * 0.014))
    assert [factor.factor for factor in found.explain] == ["DLP, head", "DLP, chest"]
    assert all("AAPM Report 96" in factor.source for factor in found.explain)


def test_what_the_machine_states_beyond_its_events_counts_too():
    found = estimate(_reading(dlp=500), age_years=45, words=["", "CT abdomen"], typical_msv=None)

    assert found.msv == pytest.approx(500 * 0.015)


def test_the_trunk_of_a_child_measured_in_the_large_phantom_counts_twice():
    event = DoseEvent("1", "1", region="Chest", dlp_mgy_cm=50, phantom_cm=32)

    found = estimate(_reading(event), age_years=5, words=[], typical_msv=None)

    assert found.msv == pytest.approx(2 * 50 * 0.018)
    assert "32 cm" in found.explain[0].source


def test_without_a_dose_or_a_region_the_typical_value_of_the_procedure_holds_or_none():
    nowhere = DoseEvent("1", "1", region="Entire body", dlp_mgy_cm=50)

    assert estimate(_reading(nowhere), age_years=5, words=["QA"], typical_msv=None).method == "unknown"
    assert estimate(_reading(nowhere), age_years=5, words=["QA"], typical_msv=0.02).msv == 0.02
    assert estimate(
        _reading(DoseEvent("1", "1", kap_gy_cm2=3)), age_years=5, words=["chest"], typical_msv=0.1
    ).method == ("typical")
