"""Data types and segments as values."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from radiology.standards.dicom.names import PersonName
from radiology.standards.hl7v2 import message, orders, segments, values
from radiology.standards.hl7v2.errors import HL7Error, Place
from radiology.standards.hl7v2.message import Message
from radiology.standards.hl7v2.values import Coded, Identifier, Person

DHAKA = ZoneInfo("Asia/Dhaka")


def _read(*lines: str) -> Message:
    header = r"MSH|^~\&|HIS|DMCH|RADI|LOCAL|20260121||ORM^O01|17|P|2.5.1||||||UNICODE UTF-8"
    return message.parse("\r".join((header, *lines)).encode())


def _patient(line: str) -> segments.Patient:
    return segments.patient(_read(line).one("PID"), zone=DHAKA)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20260121143000", datetime(2026, 1, 21, 8, 30, tzinfo=UTC)),
        ("202601211430", datetime(2026, 1, 21, 8, 30, tzinfo=UTC)),
        ("20260121143000.1234+0000", datetime(2026, 1, 21, 14, 30, tzinfo=UTC)),
        ("20260121143000-0500", datetime(2026, 1, 21, 19, 30, tzinfo=UTC)),
        ("20260121", datetime(2026, 1, 20, 18, 0, tzinfo=UTC)),
        ("2026", datetime(2025, 12, 31, 18, 0, tzinfo=UTC)),
        ("২০২৬০১২১১৪৩০", datetime(2026, 1, 21, 8, 30, tzinfo=UTC)),
    ],
)
def test_moments_are_of_their_zone_or_of_dhaka(text: str, moment: datetime):
    assert values.moment_of(text, Place("OBR", field=36), zone=DHAKA) == moment


@pytest.mark.parametrize("text", ["tomorrow", "2026-01-21", "20261321", "202601212561", "0000", "20260121143000+9999"])
def test_what_is_no_moment_is_named(text: str):
    with pytest.raises(HL7Error, match="OBR-36 is no date and time"):
        values.moment_of(text, Place("OBR", field=36), zone=DHAKA)


def test_a_name_in_two_scripts():
    found = _patient("PID|1||1||করিম^আব্দুল^^^মোঃ^^L^I~Karim^Abdul^Md^Jr^Dr^MD^L^A").name
    assert found == PersonName("Karim^Abdul^Md^Dr^Jr MD", "করিম^আব্দুল^^মোঃ")
    assert _patient("PID|1||1||করিম^আব্দুল").name == PersonName("করিম^আব্দুল")


def test_an_alias_is_no_name_where_there_is_another():
    assert _patient("PID|1||1||Kalu^^^^^^N~Karim^Abdul^^^^^L").name.alphabetic == "Karim^Abdul"
    assert _patient("PID|1||1||Kalu^^^^^^N").name.alphabetic == "Kalu"


def test_identifiers_and_who_assigned_them():
    found = _patient("PID|1|OLD|1001^^^DMCH&2.16.1&ISO^MR~1990123456789^^^NID^NI~^^^X|4^^^LEGACY|A").identifiers
    assert found == [
        Identifier("1001", "DMCH", "2.16.1", "MR"),
        Identifier("1990123456789", "NID", "", "NI"),
        Identifier("4", "LEGACY", "", ""),
    ]


def test_a_number_in_the_old_field():
    assert _patient("PID|1|OLD7|||A").identifiers == [Identifier("OLD7")]


def test_birth_dates():
    assert _patient("PID|1||1||A||19800115|F").birth_date == date(1980, 1, 15)
    estimated = _patient("PID|1||1||A||1980|F")
    assert (estimated.birth_date, estimated.birth_date_estimated) == (date(1980, 1, 1), True)
    with pytest.raises(HL7Error, match="PID-7 is no date"):
        _patient("PID|1||1||A||15/01/1980")


def test_sex():
    assert [_patient(f"PID|1||1||A|||{code}").sex for code in ("M", "f", "O", "A", "U", "")] == [
        "M", "F", "O", "O", "", "",
    ]  # fmt: skip
    with pytest.raises(HL7Error, match="PID-8 is 'X'; it must be one of"):
        _patient("PID|1||1||A|||X")


def test_what_is_to_be_forgotten():
    assert _patient('PID|1||1||A||""|""|||||""').deleted == {"birth_date", "sex", "phone"}


@pytest.mark.parametrize(("line", "field"), [("||||A", "PID-3"), ("||1||", "PID-5"), ("||^^^X||A", "PID-3")])
def test_a_patient_has_a_number_and_a_name(line: str, field: str):
    with pytest.raises(HL7Error, match=f"^{field} is empty"):
        _patient(f"PID|1{line}")


def test_telephones():
    assert _patient("PID|1||1||A||||||||+8801711000000").phone == "+8801711000000"
    assert _patient("PID|1||1||A||||||||^PRN^CP^^88^01711^000000").phone == "8801711000000"
    assert _patient("PID|1||1||A|||||||||01811").phone == "01811"


def test_an_order_of_version_2_3():
    read = _read(
        "PID|1||1||A",
        "ORC|NW|P1^HIS|F1^RIS||SC||1^^^202601211430^^S||20260121100000|9^Clerk||7^Hossain^Kamal^^^Dr|OPD^2",
        "OBR|1|P1^HIS||CTHEAD^CT head^LOCAL|||||||||Headache|||||ACC1|RP1|||||CT|||1^^^^^S|||WALK|R51^Headache^I10",
        "NTE|1||Be quick",
        "OBX|1|NM|8302-2^Height^LN||165|cm",
        "ZDS|1.2.3^RIS^Application^DICOM",
    )  # fmt: skip
    (order,) = orders.orders(read, zone=DHAKA)
    assert (order.control, order.placer_number) == ("NW", Identifier("P1", "HIS"))
    assert order.start_at == datetime(2026, 1, 21, 8, 30, tzinfo=UTC)
    assert order.priority == "S"
    assert order.ordering == Person("7", "Hossain^Kamal^^Dr")
    assert order.study_instance_uid == "1.2.3"
    (procedure,) = order.procedures
    assert procedure.service == Coded("CTHEAD", "CT head", "LOCAL")
    assert procedure.reasons == [Coded("R51", "Headache", "I10")]
    assert (procedure.clinical_information, procedure.notes, procedure.transport) == ("Headache", "Be quick", "WALK")
    assert list(procedure.fields) == ["ACC1", "RP1", "", ""]
    assert procedure.observations[0].value == "165"


def test_an_imaging_order():
    read = _read(
        "PID|1||1||A",
        "ORC|NW|P1|F1",
        "TQ1|1||||||202601211430+0600||A",
        "OBR|1|P1|F1|CTHEAD^CT head^LOCAL",
        "IPC|ACC9|RP9|1.2.3|SPS9|CT|PROT^Head^L|CTROOM|R1|CT1~CT2",
    )
    (order,) = orders.orders(read, zone=DHAKA)
    (step,) = order.steps
    assert (order.priority, step.accession_number, step.modality) == ("A", "ACC9", "CT")
    assert list(step.station_ae_titles) == ["CT1", "CT2"]
    assert order.start_at == datetime(2026, 1, 21, 8, 30, tzinfo=UTC)


def test_an_order_without_orc_is_none():
    with pytest.raises(HL7Error, match="no segment ORC"):
        orders.orders(_read("PID|1||1||A", "OBR|1"), zone=DHAKA)


def test_an_appointment():
    read = _read(
        "SCH|A1^HIS|F7||||||CHECKUP|30|MIN|^^^20260122090000^20260122093000||||||||||||||Booked|P1^HIS|F1",
        "AIL|1||ROOM2^1",
        "AIG|1||CT1",
    )
    found = orders.appointment(read, zone=DHAKA)
    assert found.start_at == datetime(2026, 1, 22, 3, 0, tzinfo=UTC)
    assert found.duration_minutes == 30
    assert [number.number for number in found.order_numbers] == ["P1", "F1"]
    assert (found.room, list(found.stations), found.status) == ("ROOM2 1", ["CT1"], "Booked")
