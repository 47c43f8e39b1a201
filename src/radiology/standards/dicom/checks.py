"""May this object be stored? The checks of a header that decide the status of C-STORE (PS3.4 B.2.3)."""

from radiology.standards.dicom.header import Header, HeaderError
from radiology.standards.dicom.limits import shown_tag
from radiology.standards.dicom.part10 import FileMetaError
from radiology.standards.dicom.uids import (
    MEDIA_STORAGE_DIRECTORY,
    NON_PATIENT_SOP_CLASSES,
    TRANSFER_SYNTAXES,
    is_valid_uid,
    uid_nonconformant,
)

DATA_SET_MISMATCH = 0xA900
CANNOT_UNDERSTAND = 0xC100
INVALID_UID = 0xC101
#: Remarks that a sender is told of: the object is stored all the same (PS3.4 table B.2-1).
WARNINGS = {"pixel_length": 0xB007}

SOP_CLASS_UID = "00080016"
SOP_INSTANCE_UID = "00080018"
STUDY_INSTANCE_UID = "0020000D"
SERIES_INSTANCE_UID = "0020000E"

_NAMES = {
    SOP_CLASS_UID: "SOP Class UID",
    SOP_INSTANCE_UID: "SOP Instance UID",
    STUDY_INSTANCE_UID: "Study Instance UID",
    SERIES_INSTANCE_UID: "Series Instance UID",
}
_ROWS, _COLUMNS, _SAMPLES, _BITS = "00280010", "00280011", "00280002", "00280100"
_DIRECTORY_RECORDS = "00041220"
_FRAMES, _PHOTOMETRIC = "00280008", "00280004"
#: Samples of one pixel that are stored when two or four pixels share their colour (PS3.3 C.7.6.3.1.2).
_SHARED_SAMPLES = {"YBR_FULL_422": 2.0, "YBR_PARTIAL_422": 2.0, "YBR_PARTIAL_420": 1.5}


class Refusal(ValueError):
    """The object cannot be stored: a DIMSE status, the offending element (eight hexadecimal digits), one sentence."""

    def __init__(self, status: int, tag: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.tag = tag
        self.sentence = sentence


def cannot_understand(error: HeaderError | FileMetaError) -> Refusal:
    """The refusal of an object whose head or header cannot be read."""
    return Refusal(CANNOT_UNDERSTAND, error.tag[-8:], f"{error}.")


def check_storable(header: Header, *, sop_class_uid: str | None, sop_instance_uid: str | None) -> list[str]:
    """The remarks to keep with an object that may be stored; raises Refusal for one that may not.

    The UIDs are those of the C-STORE command, None where no command came with the object. Remarks, in this order:
    uid_nonconformant, pixel_length, charset, truncated.
    """
    _in_a_study(header, sop_class_uid)
    if "truncated" in header.flags and not header.text(SOP_CLASS_UID) and not header.text(SOP_INSTANCE_UID):
        raise Refusal(CANNOT_UNDERSTAND, SOP_CLASS_UID, _sentence(SOP_CLASS_UID, "the data set ends before it"))
    _equal(header, SOP_CLASS_UID, sop_class_uid)
    _equal(header, SOP_INSTANCE_UID, sop_instance_uid)
    uids = [_uid(header, tag) for tag in _NAMES]
    remarks = {
        "uid_nonconformant": any(map(uid_nonconformant, uids)),
        "pixel_length": not pixel_length_fits(header),
        "charset": "charset" in header.flags,
        "truncated": "truncated" in header.flags,
    }
    return [remark for remark, applies in remarks.items() if applies]


def _in_a_study(header: Header, sop_class_uid: str | None) -> None:
    """Refuse what by its nature belongs to no study: a DICOMDIR, hanging protocols, palettes, templates."""
    kind = NON_PATIENT_SOP_CLASSES.get(header.text(SOP_CLASS_UID) or sop_class_uid or "")
    if kind is None and _DIRECTORY_RECORDS in header.attributes:
        kind = NON_PATIENT_SOP_CLASSES[MEDIA_STORAGE_DIRECTORY]
    if kind is not None and not header.text(STUDY_INSTANCE_UID):
        reason = f"an object of {kind} belongs to no study; such objects are not stored yet"
        raise Refusal(INVALID_UID, STUDY_INSTANCE_UID, _sentence(STUDY_INSTANCE_UID, reason))


def _equal(header: Header, tag: str, commanded: str | None) -> None:
    found = header.text(tag)
    if commanded is not None and found and found != commanded.strip("\0 "):
        raise Refusal(DATA_SET_MISMATCH, tag, _sentence(tag, f"the data set has {found!r}, the command {commanded!r}"))


def _uid(header: Header, tag: str) -> str:
    values = header.values(tag)
    if not values or not header.text(tag):
        raise Refusal(INVALID_UID, tag, _sentence(tag, "it is missing or empty"))
    text = header.text(tag)
    if len(values) > 1 or not is_valid_uid(text):
        reason = f"{text[:80]!r} is not a UID of at most 64 digits and full stops"
        raise Refusal(INVALID_UID, tag, _sentence(tag, reason))
    return text


def _sentence(tag: str, reason: str) -> str:
    return f"{shown_tag(tag)} {_NAMES[tag]}: {reason}."


def pixel_length_fits(header: Header) -> bool:
    """Whether native pixel data is as long as the image says (PS3.5 8.1.1); true where that cannot be told."""
    length = header.pixel_data_length
    expected = expected_pixel_bytes(header)
    if length is None or expected is None or _encapsulated(header):
        return True
    return length in (expected, expected + expected % 2)


def _encapsulated(header: Header) -> bool:
    syntax = TRANSFER_SYNTAXES.get(header.transfer_syntax_uid)
    return syntax is not None and syntax.encapsulated


def expected_pixel_bytes(header: Header) -> int | None:
    """The bytes that native pixel data should have, without padding; None when an attribute for it is missing."""
    rows, columns, bits = (header.number(tag) for tag in (_ROWS, _COLUMNS, _BITS))
    samples = header.number(_SAMPLES) if header.values(_SAMPLES) else 1
    frames = header.number(_FRAMES) if header.values(_FRAMES) else 1
    if rows is None or columns is None or bits is None or samples is None or frames is None:
        return None
    if samples == 3:
        samples = _SHARED_SAMPLES.get(header.text(_PHOTOMETRIC), 3)
    return (int(rows * columns * samples * bits * frames) + 7) // 8
