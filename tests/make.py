"""Builders of what tests need in the database, with good defaults: say only what the test is about.

`await a_study(app, PatientID="7")` adds a study of one CT series with one instance, as the index
would after its objects came in, with the object's bytes in the object store; attributes are given by keyword.
"""

from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid

from radiology.app import App
from radiology.studies.actions.store import Storing
from radiology.studies.archive import open_archive
from radiology.studies.receive import Source

BANGLA_NAME = "RAHMAN^ABDUR=রহমান^আব্দুর"

_numbers = count(1)


def an_object(transfer_syntax_uid: str = ExplicitVRLittleEndian, **attributes: Any) -> Dataset:
    """A small CT image of an invented patient. Attributes by keyword replace the defaults; None removes one."""
    number = next(_numbers)
    image = Dataset()
    defaults: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "StudyDate": "20260121",
        "StudyTime": "140000",
        "AccessionNumber": f"ACC{number}",
        "Modality": "CT",
        "ReferringPhysicianName": "AHMED^NASRIN",
        "StudyDescription": "CT Chest",
        "SeriesDescription": "Axial",
        "PatientName": BANGLA_NAME,
        "PatientID": f"P{number}",
        "PatientBirthDate": "19800215",
        "PatientSex": "M",
        "StudyID": str(number),
        "SeriesNumber": 1,
        "InstanceNumber": 1,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": 4,
        "Columns": 4,
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "PixelData": bytes(range(32)),
    }
    for keyword, value in (defaults | attributes).items():
        if value is not None:
            setattr(image, keyword, value)
    image["PixelData"].VR = "OW"
    meta = image.file_meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = image.SOPClassUID
    meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    return image


def as_file(image: Dataset) -> bytes:
    """The PS3.10 file of an object."""
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, image, enforce_file_format=True)
    return buffer.getvalue()


@dataclass
class Stored:
    """Objects that are in the archive: what was sent, by SOP Instance UID."""

    objects: list[Dataset] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def study_instance_uid(self) -> str:
        """The study of the first object."""
        return str(self.objects[0].StudyInstanceUID)

    @property
    def series_instance_uid(self) -> str:
        """The series of the first object."""
        return str(self.objects[0].SeriesInstanceUID)

    @property
    def sop_instance_uid(self) -> str:
        """The first object."""
        return str(self.objects[0].SOPInstanceUID)


async def store(app: App, *images: Dataset | bytes, facility_code: str = "LOCAL") -> Stored:
    """Put objects into the archive by its own way in."""
    stored = Stored()
    with open_archive(app) as archive:
        storing = Storing(archive, Source(facility_code))
        for image in images:
            file = image if isinstance(image, bytes) else as_file(image)
            reception = storing.begin()
            reception.write(file)
            await storing.received(reception)
            stored.objects.append(pydicom.dcmread(BytesIO(file)))
            stored.files[str(stored.objects[-1].SOPInstanceUID)] = file
        for outcome in await storing.finish():
            assert outcome.error is None, outcome.error
    return stored


async def a_study(app: App, *, instances: int = 1, facility_code: str = "LOCAL", **attributes: Any) -> Stored:
    """A study of one series."""
    study, series = generate_uid(), generate_uid()
    shared: dict[str, Any] = {"StudyInstanceUID": study, "SeriesInstanceUID": series, "PatientID": f"P{next(_numbers)}"}
    images = [an_object(**shared | {"InstanceNumber": number} | attributes) for number in range(1, instances + 1)]
    return await store(app, *images, facility_code=facility_code)


async def care(app: App, actor: str, of: str, kind: str = "reader") -> None:
    """Let an actor care for a patient since an hour, for a day. `of`: reference, hospital number or a study's UID."""
    async with app.db.transaction() as tx:
        made = await tx.run(
            """
            INSERT INTO care_relations (id, actor, kind, patient_id, begins_at, ends_at, source, made_by)
            SELECT gen_random_uuid(), %(actor)s, %(kind)s, id, now() - interval '1 hour', now() + interval '1 day',
                'manual', 'account:test'
            FROM patients
            WHERE reference = %(of)s
              OR patient_id = %(of)s
              OR id IN (SELECT patient_id FROM imaging_studies WHERE study_instance_uid = %(of)s)
            """,
            actor=actor,
            kind=kind,
            of=of,
        )
    assert made == 1, f"{of} is not one patient"
