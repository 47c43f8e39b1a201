"""Messages of other products: all are read, and what is read is what two other libraries read."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import hl7
from radiology.standards.hl7v2 import message, orders, segments, values

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from hl7apy.parser import parse_message

DHAKA = ZoneInfo("Asia/Dhaka")


def _files(folder: Path) -> Iterator[Path]:
    found = sorted((folder / "hl7v2").rglob("*.hl7"))
    assert len(found) == 30
    yield from found


def test_every_sample_is_read(shared_data: Path):
    for path in _files(shared_data):
        read = message.parse(path.read_bytes())
        header = segments.header(read.header)
        assert header.control_id
        assert header.type.count("^") == 1, path
        patient = segments.patient(read.one("PID"), zone=DHAKA)
        assert patient.identifiers[0].number
        segments.visit(read.find("PV1"), zone=DHAKA)
        segments.observations(read)
        if header.type in ("ORM^O01", "OMG^O19", "OMI^O23"):
            assert all(order.control for order in orders.orders(read, zone=DHAKA))
        if header.type.startswith("SIU"):
            assert orders.appointment(read, zone=DHAKA).start_at is not None
        if header.event in ("A40", "A47"):
            assert all(segments.merge(each).identifiers for each in read.all("MRG"))


def test_fields_are_those_that_hl7_reads(shared_data: Path):
    for path in _files(shared_data):
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode()
        if path.name in ("ORU-R01-CDA.hl7", "ORU-R01-PDF.hl7"):  # Ends of lines that are not ends of segments.
            continue
        theirs = hl7.parse(text.replace("\n", "\r"))
        ours = message.parse(path.read_bytes(), charset="UNICODE UTF-8")
        assert [str(segment[0]) for segment in theirs] == [segment.name for segment in ours.segments], path
        for their, our in zip(theirs, ours.segments, strict=True):
            for number in range(1, len(their)):
                assert our.raw(number) == str(their[number]), (path, our.place(number))


@pytest.mark.parametrize("version", ["2.5.1", "2.6"])
def test_components_are_those_that_hl7apy_reads(shared_data: Path, version: str):
    """With the structures of the standard, as a second opinion about what each field is."""
    compared = 0
    for path in _files(shared_data):
        ours = message.parse(path.read_bytes(), charset="UNICODE UTF-8")
        if ours.header.text(12) != version or ours.header.text(9) == "ORU":  # They have segments of later versions.
            continue
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode().replace("\n", "\r").strip()
        theirs = parse_message(text, find_groups=False)
        patient = segments.patient(ours.one("PID"), zone=DHAKA)
        assert patient.identifiers[0].number == theirs.pid.pid_3[0].cx_1.to_er7()
        assert patient.identifiers[0].authority == theirs.pid.pid_3[0].cx_4.hd_1.to_er7()
        assert patient.name.alphabetic.split("^")[0] == theirs.pid.pid_5[0].xpn_1.fn_1.to_er7()
        assert patient.birth_date is not None
        assert f"{patient.birth_date:%Y%m%d}" == theirs.pid.pid_7.to_er7()[:8]
        if ours.find("OBR"):
            request = ours.one("OBR")
            assert values.coded(request.field(4)).code == theirs.obr[0].obr_4.to_er7().split("^")[0]
        compared += 1
    assert compared >= 3
