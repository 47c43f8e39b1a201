"""Rejection notes that we write: read by pydicom and by ourselves."""

from datetime import datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pydicom
from pydicom.uid import CTImageStorage, generate_uid

import make
from radiology.standards.dicom.header import read_header
from radiology.standards.dicom.part10 import read_file_meta
from radiology.studies.rejection import Title, rejection_note
from radiology.studies.rejection_notes import Note, NotedInstance, rejection_note_file

MADE_AT = datetime(2026, 1, 21, 10, 30, tzinfo=ZoneInfo("Asia/Dhaka"))


def test_a_note_says_what_it_rejects_and_why() -> None:
    study, series = generate_uid(), [generate_uid(), generate_uid()]
    instances = [NotedInstance(series[number % 2], CTImageStorage, generate_uid()) for number in range(5)]
    note = Note(study, generate_uid(), generate_uid(), Title.RETENTION_EXPIRED, "মেয়াদ শেষ", MADE_AT, instances)
    of_study = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "RAHMAN^ABDUR", "Ideographic": "রহমান^আব্দুর"}]},
                "00100020": {"vr": "LO", "Value": ["P1"]}}  # fmt: skip
    file = rejection_note_file(note, of_study)
    read = pydicom.dcmread(BytesIO(file))
    assert str(read.PatientName) == make.BANGLA_NAME
    assert (read.Modality, read.ContentDate, read.ContentTime) == ("KO", "20260121", "103000")
    assert read.ConceptNameCodeSequence[0].CodeMeaning == "Data Retention Policy Expired"
    [evidence] = read.CurrentRequestedProcedureEvidenceSequence
    assert len(evidence.ReferencedSeriesSequence) == 2
    meta = read_file_meta(file)
    header = read_header(
        file,
        data_set_offset=meta.data_set_offset,
        transfer_syntax_uid=meta.transfer_syntax_uid,
        size=len(file),
        read_at=lambda offset, length: file[offset : offset + length],
    )
    understood = rejection_note(header)
    assert understood is not None
    assert (understood.title, understood.reason) == (Title.RETENTION_EXPIRED, "মেয়াদ শেষ")
    assert set(understood.references[study]) == {instance.sop_instance_uid for instance in instances}
