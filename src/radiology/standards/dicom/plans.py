"""What to do with an element, told by its first bytes alone: its tag, and its VR where it is explicit (PS3.5 7.1)."""

from typing import NamedTuple

from radiology.standards.dicom.dictionary import vr_of
from radiology.standards.dicom.values import BIG, BINARY_VRS, KNOWN_VRS, LITTLE, LONG_VRS, Converter

PLAIN, SKIP, BINARY, SEQUENCE, PIXELS, CHARACTER_SET, PRIVATE, SIGNED, DELIMITER, UNKNOWN = range(10)

PIXEL_DATA = frozenset(("7FE00008", "7FE00009", "7FE00010"))

#: VRs that depend on other attributes, where another than the first is right more often (PS3.5 A.1, PS3.3 C.11).
_USUAL = {"US/SS": "US", "OB/OW": "OW", "US/OW": "OW", "US/SS/OW": "OW"}


def usual_vr(vr: str) -> str:
    """One VR for a dictionary entry that names several, such as "OB/OW"."""
    return _USUAL.get(vr, vr)


class Plan(NamedTuple):
    """How to read one element. `long` says that an explicit length has 32 bits after two reserved bytes."""

    key: str
    kind: int
    vr: str
    long: bool
    convert: Converter | None
    #: The element is UN: items inside it are implicit VR (PS3.5 6.2.2).
    unknown: bool = False


def plan_of(head: bytes, *, implicit: bool, big: bool) -> Plan:
    """The plan for an element that begins with these 4 (implicit VR) or 6 bytes (explicit VR)."""
    order = "big" if big else "little"
    group, element = int.from_bytes(head[:2], order), int.from_bytes(head[2:4], order)
    key = f"{group:04X}{element:04X}"
    if group == 0xFFFE:
        return Plan(key, DELIMITER, "", False, None)
    written = None if implicit else head[4:6].decode("latin-1")
    if written is not None and written not in KNOWN_VRS:
        return Plan(key, UNKNOWN, "UN", False, None)
    long = written in LONG_VRS
    if element == 0:
        return Plan(key, SKIP, "UL", long, None)
    if written is not None and written != "UN":
        return plan_for(key, written, long=long, big=big)
    vr = vr_of(group << 16 | element)
    if vr is None and group % 2:
        if 0x10 <= element <= 0xFF:
            return plan_for(key, "LO", long=long, big=big)
        return Plan(key, PRIVATE, "UN", long, None, written is not None)
    return plan_for(key, vr or "UN", long=long, big=big)._replace(unknown=written is not None)


def plan_for(key: str, vr: str, *, long: bool, big: bool) -> Plan:
    """The plan for an element whose VR is known."""
    if vr == "US/SS":
        return Plan(key, SIGNED, "US", long, None)
    vr = usual_vr(vr)
    if key in PIXEL_DATA:
        return Plan(key, PIXELS, vr, long, None)
    if vr == "SQ":
        return Plan(key, SEQUENCE, vr, long, None)
    if vr in BINARY_VRS:
        return Plan(key, BINARY, vr, long, None)
    kind = CHARACTER_SET if key == "00080005" else PLAIN
    return Plan(key, kind, vr, long, (BIG if big else LITTLE)[vr])
