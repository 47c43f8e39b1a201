"""Composite instances without what makes them large (PS3.4 Z.1.3), for who wants only to read their headers."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final

from pydicom.dataset import Dataset

from radiology.studies.archive import Archive
from radiology.studies.explicit_vr import header
from radiology.studies.queries.retrieve import StoredInstance
from radiology.studies.served import as_served

#: Attributes of the top level that are left out (PS3.4 table Z.1-1), pixel data aside, where the header ends.
LEFT_OUT: Final = (
    0x00287FE0,  # Pixel Data Provider URL
    0x56000020,  # Spectroscopy Data
)
#: The same in repeating groups: (first group, element).
LEFT_OUT_REPEATED: Final = (
    (0x6000, 0x3000),  # Overlay Data
    (0x5000, 0x3000),  # Curve Data
    (0x5000, 0x200C),  # Audio Sample Data
)
_LAST_REPEATED: Final = 0x1E
_PIXEL_DATA_GROUP: Final = 0x7FE0
_WAVEFORM_SEQUENCE, _WAVEFORM_DATA = 0x54000100, 0x54001010


@contextmanager
def outgoing_header(archive: Archive, instance: StoredInstance, transfer_syntax_uid: str) -> Generator[bytes]:
    """The data set of an instance without bulk data, in a syntax that `contexts.header_context_for` chose.

    Raises Unavailable where the stored object is damaged, OSError.
    """
    objects = archive.app.objects
    with as_served(objects, instance) as served:
        yield header(objects, served, transfer_syntax_uid, strip=strip)


def strip(elements: Dataset) -> None:
    """Take out bulk data. Icons, and what other sequences hold, stay."""
    tags = list(elements.keys())
    for tag in tags:
        if _is_left_out(tag.group, tag.elem):
            del elements[tag]
    for item in elements.get(_WAVEFORM_SEQUENCE, None) or ():
        with suppress(KeyError):
            del item[_WAVEFORM_DATA]


def _is_left_out(group: int, element: int) -> bool:
    if group == _PIXEL_DATA_GROUP or (group << 16 | element) in LEFT_OUT:
        return True
    return any(0 <= group - first <= _LAST_REPEATED and element == other for first, other in LEFT_OUT_REPEATED)
