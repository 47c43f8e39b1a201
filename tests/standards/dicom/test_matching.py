"""Matching rules of PS3.4 C.2.2.2, key by key."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.standards.dicom.attributes import UnknownAttributeError, keyword_of, tag_of
from radiology.standards.dicom.matching import (
    DICOMWEB,
    AnyOf,
    Condition,
    DateRange,
    DateTimeRange,
    EmptyValue,
    MatchingError,
    MatchingOptions,
    PersonNameMatch,
    Sequence,
    SingleValue,
    TimeRange,
    UIDList,
    Universal,
    Wildcard,
    combine,
    parse_identifier,
    parse_key,
)

DHAKA = timezone(timedelta(hours=6))
END = time(23, 59, 59, 999999)


def key(name: str, text: str, options: MatchingOptions | None = None) -> Condition:
    return parse_key(tag_of(name), text, options or MatchingOptions())


@pytest.mark.parametrize("name", ["PatientID", "PatientName", "StudyDate", "StudyInstanceUID", "InstanceNumber"])
def test_zero_length_is_universal(name: str) -> None:
    assert key(name, "") == Universal()
    assert key(name, " \0") == Universal()


@pytest.mark.parametrize("name", ["PatientID", "PatientName", "StudyInstanceUID", "Modality"])
def test_a_lone_star_is_universal(name: str) -> None:
    assert key(name, "*") == Universal()


def test_single_values_are_case_sensitive() -> None:
    condition = key("Modality", "CT ")
    assert condition == SingleValue("CT")
    assert isinstance(condition, SingleValue)
    assert condition.matches("CT ")
    assert not condition.matches("ct")


def test_uid_lists() -> None:
    expected = UIDList(("1.2", "1.3"))
    assert key("StudyInstanceUID", "1.2\\1.3") == expected
    assert key("StudyInstanceUID", "1.2,1.3", DICOMWEB) == expected
    assert expected.matches("1.3\0")
    with pytest.raises(MatchingError, match=r"StudyInstanceUID: '1\.2,1\.3' is not a UID"):
        key("StudyInstanceUID", "1.2,1.3")


@pytest.mark.parametrize(
    ("pattern", "like", "fits", "misses"),
    [
        ("C*", "C%", ["C", "CT", "C*"], ["c", "MC"]),
        ("C?", "C_", ["CT", "CR"], ["C", "CTX"]),
        ("50%*", "50\\%%", ["50% off"], ["500"]),
        ("a_b*", "a\\_b%", ["a_bc"], ["axbc"]),
        ("*x*y", "%x%y", ["xy", "axbxcy"], ["yx", "xyz"]),
        ("?*?", "_%_", ["ab", "abc"], ["a", ""]),
    ],
)
def test_wildcards(pattern: str, like: str, fits: list[str], misses: list[str]) -> None:
    condition = key("PatientID", pattern)
    assert condition == Wildcard(pattern)
    assert isinstance(condition, Wildcard)
    assert condition.to_like() == like
    assert all(condition.matches(text) for text in fits)
    assert not any(condition.matches(text) for text in misses)


def test_backslash_is_escaped_for_like() -> None:
    assert Wildcard("a\\*").to_like() == "a\\\\%"


def test_a_pattern_made_to_be_slow_is_not() -> None:
    assert not Wildcard("*a" * 200 + "b").matches("a" * 5000)


@pytest.mark.parametrize("name", ["StudyDate", "InstanceNumber", "StudyInstanceUID", "AcquisitionDateTime"])
def test_no_wildcards_for_other_vrs(name: str) -> None:
    with pytest.raises(MatchingError, match=name):
        key(name, "2*")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("20260131", date(2026, 1, 31), date(2026, 1, 31)),
        ("20260101-20260131", date(2026, 1, 1), date(2026, 1, 31)),
        ("-20260131", None, date(2026, 1, 31)),
        ("20260101-", date(2026, 1, 1), None),
        ("202602", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("202512-2026", date(2025, 12, 1), date(2026, 12, 31)),
        ("2026.01.31", date(2026, 1, 31), date(2026, 1, 31)),
        ("2026-01-31", date(2026, 1, 31), date(2026, 1, 31)),
    ],
)
def test_dates(text: str, start: date | None, end: date | None) -> None:
    assert key("StudyDate", text) == DateRange(start, end)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("08", time(8), time(8, 59, 59, 999999)),
        ("0830", time(8, 30), time(8, 30, 59, 999999)),
        ("083015", time(8, 30, 15), time(8, 30, 15, 999999)),
        ("083015.5", time(8, 30, 15, 500000), time(8, 30, 15, 599999)),
        ("083015.123456", time(8, 30, 15, 123456), time(8, 30, 15, 123456)),
        ("08-0930", time(8), time(9, 30, 59, 999999)),
        ("-12", None, time(12, 59, 59, 999999)),
        ("12-", time(12), None),
        ("235960", time(23, 59, 59), time(23, 59, 59, 999999)),
        ("08:30:15", time(8, 30, 15), time(8, 30, 15, 999999)),
    ],
)
def test_times(text: str, start: time | None, end: time | None) -> None:
    assert key("StudyTime", text) == TimeRange(start, end)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", datetime(2026, 1, 1), datetime.combine(date(2026, 12, 31), END)),  # noqa: DTZ001
        ("2025-2026", datetime(2025, 1, 1), datetime.combine(date(2026, 12, 31), END)),  # noqa: DTZ001
        (
            "202601311200+0600",
            datetime(2026, 1, 31, 12, tzinfo=DHAKA),
            datetime(2026, 1, 31, 12, 0, 59, 999999, tzinfo=DHAKA),
        ),
        (
            "20260131-0500",
            datetime(2026, 1, 31, tzinfo=timezone(timedelta(hours=-5))),
            datetime.combine(date(2026, 1, 31), END, timezone(timedelta(hours=-5))),
        ),
        (
            "20260131-0500-20260201+0000",
            datetime(2026, 1, 31, tzinfo=timezone(timedelta(hours=-5))),
            datetime.combine(date(2026, 2, 1), END, UTC),
        ),
        ("-20260131-0500", None, datetime.combine(date(2026, 1, 31), END, timezone(timedelta(hours=-5)))),
        ("20260131-0500-", datetime(2026, 1, 31, tzinfo=timezone(timedelta(hours=-5))), None),
        ("20260131-", datetime(2026, 1, 31), None),  # noqa: DTZ001
    ],
)
def test_moments(text: str, start: datetime | None, end: datetime | None) -> None:
    assert key("AcquisitionDateTime", text) == DateTimeRange(start, end)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("StudyDate", "20261301"),
        ("StudyDate", "20260230"),
        ("StudyDate", "yesterday"),
        ("StudyDate", "-"),
        ("StudyDate", "20260101-20260102-20260103"),
        ("StudyDate", "00000101"),
        ("StudyTime", "25"),
        ("StudyTime", "1"),
        ("AcquisitionDateTime", "20260131+2500"),
        ("AcquisitionDateTime", "26"),
        ("InstanceNumber", "one"),
        ("Rows", "1.5"),
        ("SOPInstanceUID", "1.2/../3"),
        ("PatientID", "a\\b"),
        ("RequestAttributesSequence", "x"),
    ],
)
def test_what_a_vr_forbids_names_the_key(name: str, text: str) -> None:
    with pytest.raises(MatchingError) as refused:
        key(name, text)
    assert refused.value.key == name
    assert str(refused.value).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("RAHMAN*", "Rahman^Md. Abdur"),
        ("rahman^md. abdur", "Rahman^Md. Abdur^^"),
        ("*abdur", "Rahman^Md. Abdur"),
        ("R?hman*", "Rahman^X"),
        ("Muller", "Müller"),
        ("山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("Yamada*=山田*", "Yamada^Tarou=山田^太郎"),
        ("=山田*", "Yamada^Tarou=山田^太郎"),
        ("রহমান*", "Rahman^Abdur=রহমান^আব্দুর"),
    ],
)
def test_names_match(pattern: str, name: str) -> None:
    condition = key("PatientName", pattern)
    assert isinstance(condition, PersonNameMatch)
    assert condition.matches(name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("Rahman", "Rahman^Abdur"), ("Abdur*", "Rahman^Abdur"), ("Yamada=太郎", "Yamada=山田"), ("A", "")],
)
def test_other_names_do_not(pattern: str, name: str) -> None:
    condition = key("PatientName", pattern)
    assert isinstance(condition, PersonNameMatch)
    assert not condition.matches(name)


def test_names_as_like_patterns() -> None:
    condition = key("PatientName", "RAH_N*^A?")
    assert isinstance(condition, PersonNameMatch)
    assert condition.wildcard
    assert condition.to_like() == "rah\\_n%^a_"


def test_modalities_in_study_may_be_several() -> None:
    assert key("ModalitiesInStudy", "CT\\MR") == AnyOf((SingleValue("CT"), SingleValue("MR")))


def test_empty_and_multiple_values_only_when_agreed() -> None:
    options = MatchingOptions(empty_value=True, multiple_values=True)
    assert key("PatientID", '""', options) == EmptyValue()
    assert key("PatientID", '""') == SingleValue('""')
    assert key("PatientID", '"a"\\"b*"', options) == AnyOf((SingleValue("a"), Wildcard("b*")))


def test_combined_date_and_time() -> None:
    combined = combine(DateRange(date(2026, 1, 1), date(2026, 1, 2)), TimeRange(time(22), time(6)))
    assert combined == DateTimeRange(datetime(2026, 1, 1, 22), datetime(2026, 1, 2, 6))  # noqa: DTZ001
    assert combine(DateRange(None, date(2026, 1, 2)), TimeRange(None, None)).end == datetime.combine(
        date(2026, 1, 2), time.max
    )


def test_identifiers() -> None:
    conditions = parse_identifier(
        {
            "00080020": {"vr": "DA", "Value": ["20260101-"]},
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Rahman*"}]},
            "0020000D": {"vr": "UI", "Value": ["1.2", "1.3"]},
            "00200013": {"vr": "IS", "Value": [4]},
            "00100020": {"vr": "LO"},
            "00400275": {"vr": "SQ", "Value": [{"00401001": {"vr": "SH", "Value": ["RP1"]}, "00400009": {"vr": "SH"}}]},
            "00081110": {"vr": "SQ"},
            "00321064": {"vr": "SQ", "Value": [{"00080100": {"vr": "SH"}}]},
        }
    )
    assert conditions == {
        "00080020": DateRange(date(2026, 1, 1), None),
        "00100010": PersonNameMatch(("rahman*",)),
        "0020000D": UIDList(("1.2", "1.3")),
        "00200013": SingleValue("4"),
        "00100020": Universal(),
        "00400275": Sequence({"00401001": SingleValue("RP1"), "00400009": Universal()}),
        "00081110": Universal(),
        "00321064": Universal(),
    }
    with pytest.raises(MatchingError, match=r"RequestAttributesSequence\.ScheduledProcedureStepStartDate: "):
        parse_identifier({"00400275": {"vr": "SQ", "Value": [{"00400002": {"vr": "DA", "Value": ["soon"]}}]}})


@pytest.mark.parametrize(
    ("text", "tags", "vr", "shown"),
    [
        ("PatientID", ("00100020",), "LO", "PatientID"),
        ("00100020", ("00100020",), "LO", "PatientID"),
        ("0020000d", ("0020000D",), "UI", "StudyInstanceUID"),
        ("(0010,0020)", ("00100020",), "LO", "PatientID"),
        ("0040A730.0040A043.CodeValue", ("0040A730", "0040A043", "00080100"), "SH", None),
        ("00091001", ("00091001",), "UN", "00091001"),
        ("60003000", ("60003000",), "OW", "60003000"),
    ],
)
def test_attribute_names(text: str, tags: tuple[str, ...], vr: str, shown: str | None) -> None:
    path = tag_of(text)
    assert (path.tags, path.vr, path.tag) == (tags, vr, tags[-1])
    assert str(path) == (shown or "ContentSequence.ConceptNameCodeSequence.CodeValue")


@pytest.mark.parametrize(
    "text", ["", "PatientIdd", "0010002", "PatientID.PatientName", ".", "0010002G", "0040A730" + ".0040A730" * 20]
)
def test_unknown_attribute_names(text: str) -> None:
    with pytest.raises(UnknownAttributeError):
        tag_of(text)


def test_keywords() -> None:
    assert keyword_of("00100020") == "PatientID"
    assert keyword_of("00091001") == ""


NAMES = st.sampled_from(
    ("PatientID", "PatientName", "StudyDate", "StudyTime", "AcquisitionDateTime", "StudyInstanceUID", "Rows")
)


@given(NAMES, st.text(max_size=60) | st.text('0123456789-+.*?\\"', max_size=30), st.booleans())
def test_any_text_gives_a_condition_or_one_error(name: str, text: str, everything: bool) -> None:
    options = MatchingOptions(comma_lists=everything, empty_value=everything, multiple_values=everything)
    try:
        condition = key(name, text, options)
    except MatchingError:
        return
    if isinstance(condition, Wildcard | PersonNameMatch):
        assert condition.to_like()
        condition.matches("anything")
