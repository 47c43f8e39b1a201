"""The pure parts of the benchmarks: budgets, tables, logs and the generated instances. No time is measured here."""

import hashlib
import io
import os
import sys
from pathlib import Path

import pytest
from pydicom import dcmread

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `bench` is no part of the installed package.

from bench import check, large, processes, retrieving, sending, sets, storing

DCMSEND_LOG = """\
100.250 checking input files ...
100.500 starting association #1
100.500 negotiating network association ...
100.502 sending SOP instances ...
102.750
102.750 Status Summary
102.750 - sent to the peer       : 3
102.750   * with status SUCCESS  : 3
"""


def test_every_case_of_storing_has_a_budget() -> None:
    assert {f"{case.key}_ratio" for case in storing.CASES} == check.load()["storing"].keys()


def test_every_case_of_retrieving_has_a_budget() -> None:
    assert {f"{case.key}_ratio" for case in retrieving.CASES} == check.load()["retrieving"].keys()


@pytest.mark.parametrize(
    ("at_least", "figure", "kept"),
    [(True, 3.0, True), (True, 2.99, False), (False, 64.0, True), (False, 64.1, False), (True, None, False)],
)
def test_a_budget_is_kept_up_to_its_limit_and_never_by_what_was_not_measured(
    at_least: bool, figure: float | None, kept: bool
) -> None:
    assert check.Budget("one", 3 if at_least else 64, at_least).kept_by(figure) is kept


def test_judging_names_the_broken_budget() -> None:
    budgets = {"a": check.Budget("x.a", 3, True), "b": check.Budget("x.b", 5, False)}
    lines, broken = check.judge(budgets, {"a": 2.5, "b": 4})
    assert broken == 1
    assert lines == ["FAILED x.a: 2.5, at least 3", "ok     x.b: 4, at most 5"]


def test_a_budget_without_a_direction_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "budgets.toml"
    path.write_text("[storing]\none = { limit = 3 }\n")
    with pytest.raises(ValueError, match=r"storing\.one"):
        check.load(path)


def test_the_association_is_timed_from_its_request_to_its_release() -> None:
    span = sending.read_log(DCMSEND_LOG)
    assert (span.began, span.ended, span.stored) == (100.5, 102.75, 3)


def test_a_log_without_release_is_refused() -> None:
    with pytest.raises(RuntimeError, match="did not finish"):
        sending.read_log(DCMSEND_LOG.partition("102.750")[0])


def test_a_stow_answer_that_misses_one_instance_is_refused() -> None:
    report = b'{"00081199": {"vr": "SQ", "Value": [{}]}}'
    sending.check_stow_answer("peer", 200, report, 1)
    with pytest.raises(RuntimeError, match="stored 1 of 2"):
        sending.check_stow_answer("peer", 200, report, 2)


def test_the_ratio_is_of_medians() -> None:
    row = storing.Row("ct_one", "a case", {"orthanc": [100.0, 300.0, 110.0], "ours": [440.0, 10.0, 900.0]})
    assert row.ratio() == pytest.approx(4.0)
    assert "| a case | 110 | 440 | 4.00 | 3 | yes |" in storing.table([row])


def test_a_case_measured_on_one_server_has_no_ratio() -> None:
    row = storing.Row("ct_one", "a case", {"orthanc": [100.0]})
    assert row.ratio() is None
    assert "| a case | 100 |  |  | 3 |  |" in storing.table([row])


def test_generated_instances_are_always_the_same_and_distinct(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sets.SPECS, "tiny", sets.SetSpec("tiny", 4, 2, 8))
    digests: list[list[str]] = []
    for folder in ("one", "two"):
        monkeypatch.setattr(sets, "CACHE", tmp_path / folder)
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in sets.files("tiny")])
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 4
    read = [dcmread(path) for path in sets.files("tiny")]
    assert [ds.SOPInstanceUID for ds in read] == [sets.sop_instance_uid("tiny", index) for index in range(4)]
    assert len({ds.SeriesInstanceUID for ds in read}) == 2
    assert {len(ds) for ds in read} == {48}  # 47 elements of header, and the pixel data.


def test_the_large_object_is_valid_and_numbers_its_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sets, "CACHE", tmp_path)
    path = sets.large_file(frames=3)
    pixels = dcmread(path).PixelData
    assert len(pixels) == 3 * sets.FRAME_BYTES
    assert [pixels[n * sets.FRAME_BYTES] for n in range(3)] == [0, 1, 2]
    stream = io.BytesIO(b"--b\r\n\r\n" + path.read_bytes() + b"\r\n--b--")
    assert large.pixel_digest(stream.read, frames=3) == hashlib.sha256(pixels).hexdigest()


def test_a_tree_of_processes_begins_with_its_root() -> None:
    assert os.getpid() in processes.tree(os.getpid())
    assert processes.tree(2**22 + 1) == []
    assert processes.pss_kib(os.getpid()) > 0
