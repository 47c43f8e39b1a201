"""The multipart reader: whatever bytes come, the answer is parts or one refusal, and no part loses a byte."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multipart import BOUNDARY, related
from radiology.errors import Invalid, NotSupported
from radiology.kit.multipart import MultipartReader, boundary_of, parsed_content_type

PIECES = st.sampled_from(
    [b"--", BOUNDARY.encode(), b"\r\n", b"\r\n\r\n", b"Content-Type: application/dicom", b":", b"\0", b"DICM", b"-"]
)


class Collected:
    """Takes the bytes of one part."""

    def __init__(self, media_type: str) -> None:
        self.media_type = media_type
        self.data = bytearray()

    def write(self, fragment: memoryview) -> None:
        self.data += fragment


def read(body: bytes, sizes: list[int]) -> list[Collected]:
    """Feed a body in pieces of these sizes, by turns."""
    reader = MultipartReader(BOUNDARY, Collected)
    parts: list[Collected] = []
    start, turn = 0, 0
    while start < len(body):
        size = sizes[turn % len(sizes)]
        parts += reader.feed(body[start : start + size])  # type: ignore[arg-type]
        start, turn = start + size, turn + 1
    reader.finish()
    return parts


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.lists(st.integers(1, 80), min_size=1, max_size=5))
def test_parts_come_out_as_they_went_in_however_they_are_cut(parts: list[bytes], sizes: list[int]) -> None:
    assert [bytes(part.data) for part in read(related(*parts), sizes)] == parts


@given(st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=30).map(b"".join), st.integers(1, 50))
def test_any_bytes_are_parts_or_one_refusal(body: bytes, size: int) -> None:
    with suppress(Invalid):
        read(body, [size])


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_a_body_damaged_anywhere_is_parts_or_one_refusal(place: int, damage: bytes) -> None:
    body = bytearray(related(b"first part" * 10, b"second part" * 10))
    body[place : place + len(damage)] = damage
    with suppress(Invalid):
        read(bytes(body), [64])


@pytest.mark.parametrize(
    "beginning", [f"--{BOUNDARY}\r\nX-Long: ".encode(), b""], ids=["header without end", "no boundary"]
)
def test_what_never_ends_is_refused_early(beginning: bytes) -> None:
    with pytest.raises(Invalid):
        read(beginning + b"x" * 200_000, [1024])


@given(st.text(max_size=80))
def test_any_content_type_is_parsed_or_refused(text: str) -> None:
    parsed_content_type(text)
    with suppress(Invalid, NotSupported):
        boundary_of(text)
