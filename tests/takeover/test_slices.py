"""What a foreign archive is asked for so that all its studies are listed, however few it gives to one query."""

from datetime import date

from radiology.remotes.model import ForeignStudy
from radiology.takeover.model import Parts, Slice, recent, whole_archive

DAY = Slice("20240105", "20240105")


def seen(*study_times: str) -> list[ForeignStudy]:
    return [ForeignStudy(f"1.{number}", "P", "", "20240105", text) for number, text in enumerate(study_times)]


def test_days_are_halved_first() -> None:
    assert Slice("20240101", "20240104").parts([]) == Parts(
        [Slice("20240101", "20240102"), Slice("20240103", "20240104")], are_all=True
    )
    assert whole_archive(date(2024, 1, 1))[0] == Slice("19800101", "20250101")
    assert recent(date(2024, 1, 8)) == Slice("20240101", "20250108")


def test_a_day_is_divided_by_time_down_to_a_minute() -> None:
    halves = DAY.parts(seen("101500", "0930"))
    assert halves.are_all
    assert [(part.first_time, part.last_time) for part in halves.slices] == [("0000", "1159"), ("1200", "2359")]
    part, minutes = DAY, 24 * 60
    while minutes > 1:
        part = part.parts(seen((part.first_time or "0000") + "30")).slices[0]
        minutes = (minutes + 1) // 2
    assert part == Slice("20240105", "20240105", "0000", "0000")
    assert part.query.study_time == "0000-000059.999999"


def test_a_minute_is_divided_by_patient_which_does_not_prove_it_whole() -> None:
    minute = Slice("20240105", "20240105", "1031", "1031").parts(seen("103101"))
    assert minute.state == "incomplete"
    assert minute.slices[0] == Slice("20240105", "20240105", "1031", "1031", "0*")
    longer = minute.slices[10].parts([])
    assert longer.state == "split"
    assert [part.patient_id for part in longer.slices[:2]] == ["A", "A0*"]
    assert Slice("", "", patient_id="ABCDEF*").parts([]) == Parts([], are_all=False)
    assert Slice("", "", patient_id="AB").parts([]) == Parts([], are_all=False)


def test_studies_without_a_time_are_asked_for_by_patient_too() -> None:
    parts = DAY.parts(seen("101500", ""))
    assert parts.state == "incomplete"
    assert parts.slices[0].first_time == "0000"
    assert parts.slices[2] == Slice("20240105", "20240105", patient_id="0*")


def test_who_does_not_match_times_is_asked_by_patient_of_the_whole_day_only() -> None:
    parts = Slice("20240105", "20240105", "0000", "1159").parts(seen("101500", "150000"))
    assert parts.state == "incomplete"
    assert {(part.first_time, part.patient_id[-1]) for part in parts.slices} == {("", "*")}


def test_slices_are_named_for_people() -> None:
    assert Slice("", "").sentence == "studies without a date"
    assert Slice("20240105", "20240105", "1031", "1031").sentence == "studies of 2024-01-05, 10:31 to 10:31"
    assert (
        Slice("20240105", "20240106", patient_id="A*").sentence == "studies of 2024-01-05 to 2024-01-06, Patient ID A*"
    )
