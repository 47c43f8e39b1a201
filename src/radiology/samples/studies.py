"""From the catalogue to instances: identity, dates, pixels, and the encoded data set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian

from radiology.samples.catalogue import CATALOGUE, PHYSICIANS, READERS, SITES, Site
from radiology.samples.model import Attributes, Picture, SampleInstance, Series, StudyPlan, uid_of
from radiology.samples.people import PEOPLE, Person, age_string

COMMENT = "Synthetic sample, not a person"


def make_studies(today: date) -> Iterator[SampleInstance]:
    """All sample instances, oldest study first, drawn one at a time. The same `today` gives the same bytes.

    The studies lie in the two weeks up to `today`, in Bangladesh time; those of `today` are of the early morning.
    """
    for number, plan in enumerate(in_time_order(CATALOGUE), start=1):
        study = _Study(plan, number, today)
        for series_number, series in enumerate(plan.series, start=1):
            yield from _instances(study, series, series_number)


def in_time_order(plans: tuple[StudyPlan, ...]) -> list[StudyPlan]:
    """The studies as they happened."""
    return sorted(plans, key=lambda plan: (-plan.days_ago, plan.at))


@dataclass(frozen=True)
class _Study:
    plan: StudyPlan
    number: int
    today: date

    @property
    def name(self) -> str:
        return f"{self.today.isoformat()}/{self.number}"

    @property
    def person(self) -> Person:
        return PEOPLE[self.plan.person - 1]

    @property
    def site(self) -> Site:
        return SITES[self.plan.site - 1]

    @property
    def begun_at(self) -> datetime:
        """Local to Bangladesh; the offset is in (0008,0201)."""
        day = self.today - timedelta(days=self.plan.days_ago)
        hour, minute = int(self.plan.at[:2]), int(self.plan.at[2:])
        return datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - DICOM dates and times are local ones.


def _instances(study: _Study, series: Series, series_number: int) -> Iterator[SampleInstance]:
    # Seeded by its place and not by the date, so the pictures are the same every day.
    rng = np.random.default_rng((study.number, series_number))
    begun_at = study.begun_at + timedelta(minutes=4 * (series_number - 1), seconds=study.number)
    shared = _shared(study, series, series_number, begun_at)
    for number, picture in enumerate(series.pictures(rng), start=1):
        made_at = begun_at + timedelta(seconds=(2 if series.modality in {"CT", "MR"} else 55) * number)
        yield _instance(study, shared, picture, f"{study.name}/{series_number}/{number}", (number, made_at))


def _instance(
    study: _Study, shared: Attributes, picture: Picture, name: str, place: tuple[int, datetime]
) -> SampleInstance:
    number, made_at = place
    own: dict[str, Any] = {"SOPInstanceUID": uid_of(name), "InstanceNumber": number, **_content_times(made_at)}
    if picture.pixels is not None:
        own |= {"AcquisitionDate": own["ContentDate"], "AcquisitionTime": own["ContentTime"], "AcquisitionNumber": 1}
        own |= _pixels(picture.pixels)
    data_set = dataset_of({**shared, **own, **picture.attributes})
    return SampleInstance(
        study_instance_uid=uid_of(study.name),
        sop_class_uid=str(data_set.SOPClassUID),
        sop_instance_uid=str(data_set.SOPInstanceUID),
        transfer_syntax_uid=str(ExplicitVRLittleEndian),
        data_set=_encoded(data_set),
    )


def _shared(study: _Study, series: Series, series_number: int, begun_at: datetime) -> dict[str, Any]:
    values = {
        **_patient_module(study),
        **_study_module(study),
        **_series_module(study, series, series_number, begun_at),
    }
    if series.modality in {"CT", "MR"}:
        values |= {"FrameOfReferenceUID": uid_of(f"{study.name}/frame"), "PositionReferenceIndicator": None}
    return {**values, **series.attributes}


def _patient_module(study: _Study) -> dict[str, Any]:
    person, born_on = study.person, study.person.born_on(study.today)
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "PatientName": person.name,
        "PatientID": person.patient_id,
        "IssuerOfPatientID": "SAMPLE",
        "PatientBirthDate": f"{born_on:%Y%m%d}",
        "PatientSex": person.sex,
        "PatientAge": age_string(born_on, study.begun_at.date()),
        "PatientWeight": person.weight_kg,
        "PatientComments": COMMENT,
    }


def _study_module(study: _Study) -> dict[str, Any]:
    return {
        "StudyInstanceUID": uid_of(study.name),
        "StudyID": f"{study.number:04d}",
        "StudyDate": f"{study.begun_at:%Y%m%d}",
        "StudyTime": f"{study.begun_at:%H%M%S}",
        "TimezoneOffsetFromUTC": "+0600",
        "AccessionNumber": f"{study.site.short}{study.begun_at:%y%m%d}{study.number:02d}",
        "StudyDescription": study.plan.description,
        "ReferringPhysicianName": PHYSICIANS[study.number % len(PHYSICIANS)],
        "NameOfPhysiciansReadingStudy": READERS[study.plan.site % len(READERS)],
    }


def _series_module(study: _Study, series: Series, number: int, begun_at: datetime) -> dict[str, Any]:
    site, modality = study.site, series.modality
    return {
        "SOPClassUID": series.sop_class_uid,
        "Modality": modality,
        "SeriesInstanceUID": uid_of(f"{study.name}/{number}"),
        "SeriesNumber": number,
        "SeriesDate": f"{begun_at:%Y%m%d}",
        "SeriesTime": f"{begun_at:%H%M%S}",
        "SeriesDescription": series.description,
        "InstitutionName": site.name,
        "InstitutionAddress": site.address,
        "InstitutionalDepartmentName": "Radiology and Imaging",
        "StationName": f"{site.short}{modality}01",
        "Manufacturer": "Sample Imaging",
        "ManufacturerModelName": f"Phantom {modality}",
        "DeviceSerialNumber": f"{site.short}-{modality}-0001",
        "SoftwareVersions": "1.0",
    }


def _content_times(made_at: datetime) -> dict[str, Any]:
    stamp = {"ContentDate": f"{made_at:%Y%m%d}", "ContentTime": f"{made_at:%H%M%S}"}
    return {**stamp, "InstanceCreationDate": stamp["ContentDate"], "InstanceCreationTime": stamp["ContentTime"]}


def _pixels(pixels: NDArray[Any]) -> dict[str, Any]:
    """The image pixel module (PS3.3 C.7.6.3). A series that stores fewer bits than it allocates says so itself."""
    colour = pixels.shape[-1] == 3
    size = pixels.shape[:-1] if colour else pixels.shape
    bits = pixels.dtype.itemsize * 8
    values: dict[str, Any] = {
        "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "Rows": size[-2],
        "Columns": size[-1],
        "BitsAllocated": bits,
        "BitsStored": 12 if bits == 16 else 8,
        "HighBit": 11 if bits == 16 else 7,
        "PixelRepresentation": 0,
        "LossyImageCompression": "00",
        "PixelData": pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes(),
    }
    if colour:
        values["PlanarConfiguration"] = 0
    if len(size) == 3:
        values["NumberOfFrames"] = size[0]
    return values


def dataset_of(values: Attributes) -> Dataset:
    """A pydicom data set of plain values; a list of mappings becomes a sequence."""
    data_set = Dataset()
    for keyword, value in values.items():
        if isinstance(value, list) and all(isinstance(item, Mapping) for item in cast(list[object], value)):
            setattr(data_set, keyword, [dataset_of(item) for item in cast(list[Attributes], value)])
        else:
            setattr(data_set, keyword, value)
    if "PixelData" in data_set:
        # PS3.5 A.2: samples of more than 8 bits are OW; those of 8 bits may be OB and need no byte order.
        data_set["PixelData"].VR = "OW" if data_set.BitsAllocated > 8 else "OB"
    return data_set


def _encoded(data_set: Dataset) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, data_set, "utf-8")
    return buffer.getvalue()
