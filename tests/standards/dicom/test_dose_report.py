"""Dose reports of CT and of projections, in the units of our names; and whatever is none."""

import copy
import random
import shutil
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pydicom
import pytest

import dose_reports
import make
from radiology.standards.dicom.dose_report import NotADoseReportError, is_dose_report, read_dose_report
from radiology.standards.dicom.header import read_header
from radiology.standards.dicom.part10 import read_file_meta


def _attributes(data_set: pydicom.Dataset) -> dict[str, Any]:
    """As our own reader gives them."""
    file = make.as_file(data_set)
    meta = read_file_meta(file)
    header = read_header(
        file, data_set_offset=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid, size=len(file)
    )
    return header.attributes


def test_a_report_of_ct_tells_each_acquisition_and_the_sum():
    report = read_dose_report(_attributes(dose_reports.ct_report((2.0, 30.5), (45.5, 812.25), phantom_cm=16)))

    assert (report.manufacturer, report.model, report.serial_number) == ("Maker", "Model 1", "SN7")
    assert str(report.began) == "2026-01-21 14:05:00"
    assert report.total_dlp_mgy_cm == 842.75
    assert [(event.ctdi_vol_mgy, event.dlp_mgy_cm) for event in report.events] == [(2.0, 30.5), (45.5, 812.25)]
    last = report.events[-1]
    assert (last.kind, last.protocol, last.phantom_cm, last.kvp) == ("ct", "Head routine", 16, 120)
    assert (last.tube_current_ma, last.exposure_time_seconds) == (200, 4.5)
    assert last.region is not None
    assert last.region.meaning == "Head"
    assert len({event.uid for event in report.events}) == 2


def test_a_report_of_projections_comes_in_gray_and_square_metres_and_is_told_in_our_units():
    report = read_dose_report(_attributes(dose_reports.projection_report((0.0005, 0.02), (0.0125, 0.48))))

    assert report.total_kap_gy_cm2 == pytest.approx(130)
    assert report.total_air_kerma_mgy == pytest.approx(500)
    assert report.total_fluoroscopy_seconds == 20
    first = report.events[0]
    assert (first.kap_gy_cm2, first.air_kerma_mgy) == (pytest.approx(5), pytest.approx(20))
    assert (first.exposure_mas, first.kvp, first.fluoroscopy_seconds) == (2.5, 70, 10)
    assert first.started == datetime(2026, 1, 21, 14, 15, tzinfo=timezone(timedelta(hours=6)))
    assert first.started.astimezone(UTC).hour == 8


@pytest.mark.parametrize(
    ("unit", "number", "told"),
    [
        ("Gym2", 0.0001, 1), ("uGy.m2", 100, 1), ("dGy.cm2", 10, 1), ("cGy.cm2", 100, 1), ("mGy.cm2", 1000, 1),
        ("uGym2", 100, 1), ("furlong", 1, None), ("", 1, None), ("Gy.m2", -1, None), ("Gy.m2", 1e300, None),
    ],
)  # fmt: skip
def test_units_are_converted_and_unknown_ones_are_left_out(unit: str, number: float, told: float | None):
    made = dose_reports.projection_report((1, 1))
    event = made.ContentSequence[-1].ContentSequence
    product = next(item for item in event if item.ConceptNameCodeSequence[0].CodeValue == "122130")
    product.MeasuredValueSequence[0].NumericValue = f"{number:g}"
    product.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue = unit

    value = read_dose_report(_attributes(made)).events[0].kap_gy_cm2

    assert value == (None if told is None else pytest.approx(told))


def test_what_is_no_dose_report_is_refused_by_name(shared_data: Path):
    for name in ("dicom/pydicom/test-SR.dcm", "dicom/highdicom/sr_document.dcm", "dicom/pydicom/CT_small.dcm"):
        attributes = pydicom.dcmread(shared_data / name, stop_before_pixels=True).to_json_dict()
        assert not is_dose_report(attributes)
        with pytest.raises(NotADoseReportError, match="113701"):
            read_dose_report(attributes)


@pytest.mark.parametrize("seed", range(40))
def test_garbage_raises_nothing_but_that_it_is_no_report(seed: int):
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose.
    attributes: Any = copy.deepcopy(_attributes(dose_reports.ct_report((2, 30), (40, 800))))
    for _ in range(60):
        _spoil(attributes, chance)
    try:
        report = read_dose_report(attributes)
    except NotADoseReportError:
        return
    assert all(event.dlp_mgy_cm is None or event.dlp_mgy_cm >= 0 for event in report.events)


def _spoil(value: Any, chance: random.Random) -> None:
    """Put something that does not belong there at some place of the document."""
    while True:
        if isinstance(value, dict) and value:
            key = chance.choice(list(value))
        elif isinstance(value, list) and value:
            key = chance.randrange(len(value))
        else:
            return
        if chance.random() < 0.12 or not isinstance(value[key], dict | list):
            value[key] = chance.choice(
                [None, {}, [], "", "x", -1, 10**400, float("nan"), True, {"Value": "no list"}, {"Value": [None]}, [[]],
                 {"vr": "SQ", "Value": [3, "x", {"0040A043": 7}]}]
            )  # fmt: skip
            return
        value = value[key]


def test_a_document_that_nests_for_ever_is_read_as_far_as_it_goes():
    attributes: dict[str, Any] = {}
    for _ in range(300):
        attributes = {"0040A730": {"vr": "SQ", "Value": [attributes]}}
    attributes["0040A043"] = {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["113701"]}}]}

    assert read_dose_report(attributes).events == ()


@pytest.mark.skipif(shutil.which("dsrdump") is None, reason="DCMTK is not installed")
def test_what_these_tests_read_is_a_dose_report_to_dcmtk_too(tmp_path: Path):
    for made in (dose_reports.ct_report((2, 30)), dose_reports.projection_report((0.0001, 0.01))):
        path = tmp_path / "report.dcm"
        path.write_bytes(make.as_file(made))
        shown = subprocess.run(["dsrdump", str(path)], capture_output=True, text=True, timeout=30, check=False)
        assert "X-Ray Radiation Dose SR Document" in shown.stdout, shown.stdout + shown.stderr
        assert shown.returncode == 0, shown.stderr
