"""UIDs: Storage classes, services, transfer syntaxes (PS3.5 Annex A, PS3.6 Annex A), and our own."""

import re
import uuid
from dataclasses import dataclass

from radiology.standards.dicom._uid_tables import (
    INDUSTRIAL_STORAGE_SOP_CLASSES,
    NON_PATIENT_SOP_CLASSES,
    RETIRED_STORAGE_SOP_CLASSES,
    SERVICE_SOP_CLASSES,
    STORAGE_SOP_CLASSES,
)

__all__ = [
    "ACCEPTED_TRANSFER_SYNTAXES",
    "INDUSTRIAL_STORAGE_SOP_CLASSES",
    "NON_PATIENT_SOP_CLASSES",
    "RETIRED_STORAGE_SOP_CLASSES",
    "SERVICE_SOP_CLASSES",
    "STORAGE_SOP_CLASSES",
    "TRANSFER_SYNTAXES",
    "TransferSyntax",
    "is_valid_uid",
    "new_uid",
    "sop_class_name",
    "uid_nonconformant",
]

IMPLEMENTATION_CLASS_UID = "2.25.319576126681792714692251413800947370266"
IMPLEMENTATION_VERSION_NAME = "RADIOLOGY_0.1"

VERIFICATION = "1.2.840.10008.1.1"
DICOM_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"

PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.1.2"
PATIENT_ROOT_GET = "1.2.840.10008.5.1.4.1.2.1.3"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
PATIENT_STUDY_ONLY_FIND = "1.2.840.10008.5.1.4.1.2.3.1"
PATIENT_STUDY_ONLY_MOVE = "1.2.840.10008.5.1.4.1.2.3.2"
PATIENT_STUDY_ONLY_GET = "1.2.840.10008.5.1.4.1.2.3.3"
COMPOSITE_INSTANCE_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.4.2"
COMPOSITE_INSTANCE_ROOT_GET = "1.2.840.10008.5.1.4.1.2.4.3"
COMPOSITE_INSTANCE_WITHOUT_BULK_DATA_GET = "1.2.840.10008.5.1.4.1.2.5.3"

MODALITY_WORKLIST_FIND = "1.2.840.10008.5.1.4.31"
MODALITY_PERFORMED_PROCEDURE_STEP = "1.2.840.10008.3.1.2.3.3"
MODALITY_PERFORMED_PROCEDURE_STEP_RETRIEVE = "1.2.840.10008.3.1.2.3.4"
MODALITY_PERFORMED_PROCEDURE_STEP_NOTIFICATION = "1.2.840.10008.3.1.2.3.5"
STORAGE_COMMITMENT_PUSH = "1.2.840.10008.1.20.1"
STORAGE_COMMITMENT_PUSH_INSTANCE = "1.2.840.10008.1.20.1.1"
INSTANCE_AVAILABILITY_NOTIFICATION = "1.2.840.10008.5.1.4.33"
UNIFIED_PROCEDURE_STEP_PUSH = "1.2.840.10008.5.1.4.34.6.1"
UNIFIED_PROCEDURE_STEP_WATCH = "1.2.840.10008.5.1.4.34.6.2"
UNIFIED_PROCEDURE_STEP_PULL = "1.2.840.10008.5.1.4.34.6.3"
UNIFIED_PROCEDURE_STEP_EVENT = "1.2.840.10008.5.1.4.34.6.4"
UNIFIED_PROCEDURE_STEP_QUERY = "1.2.840.10008.5.1.4.34.6.5"
BASIC_GRAYSCALE_PRINT_META = "1.2.840.10008.5.1.1.9"
MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """How a data set is encoded (PS3.5 Annex A)."""

    uid: str
    name: str
    implicit_vr: bool = False
    big_endian: bool = False
    deflated: bool = False
    encapsulated: bool = True
    lossy: bool = False
    video: bool = False

    @property
    def little_endian(self) -> bool:
        """Whether numbers have their least significant byte first."""
        return not self.big_endian


def _lossless(suffix: str, name: str) -> TransferSyntax:
    return TransferSyntax(f"1.2.840.10008.1.2.{suffix}", name)


def _lossy(suffix: str, name: str) -> TransferSyntax:
    return TransferSyntax(f"1.2.840.10008.1.2.{suffix}", name, lossy=True)


def _video(suffix: str, name: str) -> TransferSyntax:
    return TransferSyntax(f"1.2.840.10008.1.2.4.{suffix}", name, lossy=True, video=True)


#: Every transfer syntax we read and accept, by UID.
TRANSFER_SYNTAXES: dict[str, TransferSyntax] = {
    syntax.uid: syntax
    for syntax in (
        TransferSyntax(IMPLICIT_VR_LITTLE_ENDIAN, "Implicit VR Little Endian", implicit_vr=True, encapsulated=False),
        TransferSyntax(EXPLICIT_VR_LITTLE_ENDIAN, "Explicit VR Little Endian", encapsulated=False),
        TransferSyntax(
            DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, "Deflated Explicit VR Little Endian", deflated=True, encapsulated=False
        ),
        TransferSyntax(EXPLICIT_VR_BIG_ENDIAN, "Explicit VR Big Endian", big_endian=True, encapsulated=False),
        _lossless("1.98", "Encapsulated Uncompressed Explicit VR Little Endian"),
        _lossless("5", "RLE Lossless"),
        _lossy("4.50", "JPEG Baseline (Process 1)"),
        _lossy("4.51", "JPEG Extended (Process 2 and 4)"),
        _lossless("4.57", "JPEG Lossless, Non-Hierarchical (Process 14)"),
        _lossless("4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])"),
        _lossless("4.80", "JPEG-LS Lossless Image Compression"),
        _lossy("4.81", "JPEG-LS Lossy (Near-Lossless) Image Compression"),
        _lossless("4.90", "JPEG 2000 Image Compression (Lossless Only)"),
        _lossy("4.91", "JPEG 2000 Image Compression"),
        _lossless("4.92", "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)"),
        _lossy("4.93", "JPEG 2000 Part 2 Multi-component Image Compression"),
        _lossless("4.110", "JPEG XL Lossless"),
        _lossy("4.111", "JPEG XL JPEG Recompression"),
        _lossy("4.112", "JPEG XL"),
        _lossless("4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)"),
        _lossless("4.202", "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)"),
        _lossy("4.203", "High-Throughput JPEG 2000 Image Compression"),
        _lossless("8.1", "Deflated Image Frame Compression"),
        _video("100", "MPEG2 Main Profile / Main Level"),
        _video("100.1", "Fragmentable MPEG2 Main Profile / Main Level"),
        _video("101", "MPEG2 Main Profile / High Level"),
        _video("101.1", "Fragmentable MPEG2 Main Profile / High Level"),
        _video("102", "MPEG-4 AVC/H.264 High Profile / Level 4.1"),
        _video("102.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1"),
        _video("103", "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1"),
        _video("103.1", "Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1"),
        _video("104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video"),
        _video("104.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video"),
        _video("105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video"),
        _video("105.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video"),
        _video("106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2"),
        _video("106.1", "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2"),
        _video("107", "HEVC/H.265 Main Profile / Level 5.1"),
        _video("108", "HEVC/H.265 Main 10 Profile / Level 5.1"),
    )
}

#: What an association may negotiate for Storage, uncompressed first (a LAN peer's order of preference).
ACCEPTED_TRANSFER_SYNTAXES: tuple[str, ...] = (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    *(uid for uid in TRANSFER_SYNTAXES if uid not in (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)),
)

_UID = re.compile(r"[0-9.]{1,64}")
_COMPONENTS = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")


def is_valid_uid(text: str) -> bool:
    """Whether a UID can be stored: 1 to 64 characters, digits and full stops only, not full stops alone (PS3.5 9.1)."""
    return _UID.fullmatch(text) is not None and text.strip(".") != ""


def uid_nonconformant(text: str) -> bool:
    """Whether a valid UID breaks the finer rules: leading zeros, empty components, a first one above 2 (PS3.5 9.1)."""
    return _COMPONENTS.fullmatch(text) is None


def new_uid() -> str:
    """A new UID under the UUID root (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


def sop_class_name(uid: str) -> str | None:
    """The standard's name of a Storage class or patient-less object, or None for private and unknown ones."""
    for table in (
        STORAGE_SOP_CLASSES,
        RETIRED_STORAGE_SOP_CLASSES,
        NON_PATIENT_SOP_CLASSES,
        INDUSTRIAL_STORAGE_SOP_CLASSES,
    ):
        if uid in table:
            return table[uid]
    return None
