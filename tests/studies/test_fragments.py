"""Frames of encapsulated pixel data by offset tables, without them, and in spite of wrong ones (PS3.5 A.4)."""

import os
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import JPEG2000Lossless

from images import opened, written
from radiology.errors import NotFound
from radiology.studies import fragments
from radiology.studies.queries.retrieve import StoredInstance

FRAMES = [bytes([number]) * (4 * number + 4) for number in range(7)]
EMPTY_TABLE = b"\xfe\xff\x00\xe0\0\0\0\0"


def item(data: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + len(data).to_bytes(4, "little") + data


def frames_of(path: Path, numbers: list[int] | None = None) -> list[bytes]:
    objects, instance, _ = opened(path)
    found = fragments.fragments_of_frames(objects, instance, numbers or [1, 4, 7, 2], len(FRAMES))
    data = path.read_bytes()
    return [b"".join(data[one.start : one.start + one.length] for one in frame) for frame in found]


EXPECTED = [FRAMES[0], FRAMES[3], FRAMES[6], FRAMES[1]]


def encapsulated(folder: Path, pixel_data: bytes, **attributes: object) -> Path:
    path = written(folder, np.zeros((4, 4), np.uint16), NumberOfFrames=len(FRAMES))
    image = dcmread(path)
    for keyword, value in attributes.items():
        setattr(image, keyword, value)
    image.file_meta.TransferSyntaxUID = JPEG2000Lossless
    image.add_new("PixelData", "OB", pixel_data)
    image["PixelData"].is_undefined_length = True
    image.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("per_frame", [1, 2])
def test_a_basic_table_leads_to_a_frame_of_one_fragment_or_more(tmp_path: Path, per_frame: int) -> None:
    path = encapsulated(tmp_path, encapsulate(FRAMES, fragments_per_frame=per_frame, has_bot=True))
    assert [data[: len(one)] for data, one in zip(frames_of(path), EXPECTED, strict=True)] == EXPECTED


def test_an_extended_table_leads_to_a_frame(tmp_path: Path) -> None:
    pixel_data, offsets, lengths = encapsulate_extended(FRAMES)
    path = encapsulated(
        tmp_path, pixel_data, ExtendedOffsetTable=offsets, ExtendedOffsetTableLengths=lengths
    )  # fmt: skip
    assert frames_of(path) == EXPECTED


def test_without_a_table_each_fragment_is_a_frame(tmp_path: Path) -> None:
    path = encapsulated(tmp_path, encapsulate(FRAMES, has_bot=False))
    assert frames_of(path) == EXPECTED


@pytest.mark.parametrize(
    "offsets",
    [
        range(0, 7 * 9, 9),  # not where items are
        [0, 40, 20, 60, 80, 100, 120],  # not in order
        [0] * 7,
        range(10, 7 * 10 + 10, 10),  # not from the beginning
        [0, 12, 28, 48, 72, 100, 2**31],  # behind the end
    ],
)
def test_a_wrong_table_is_not_believed_where_each_fragment_is_a_frame(tmp_path: Path, offsets: list[int]) -> None:
    pixel_data = item(np.array(list(offsets), "<u4").tobytes()) + b"".join(map(item, FRAMES))
    assert frames_of(encapsulated(tmp_path, pixel_data)) == EXPECTED


def test_frames_of_several_fragments_need_a_table(tmp_path: Path) -> None:
    path = encapsulated(tmp_path, EMPTY_TABLE + b"".join(map(item, FRAMES)) + item(b"more"))
    with pytest.raises(NotFound, match="offset table"):
        frames_of(path)


def test_with_a_table_only_the_fragments_of_the_frame_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [bytes([number % 256]) * 6000 for number in range(2000)]
    path = encapsulated(tmp_path, encapsulate(many, has_bot=True), NumberOfFrames=len(many))
    objects, instance, _ = opened(path)
    reads: list[int] = []
    pread = os.pread

    def counted(descriptor: int, length: int, at: int) -> bytes:
        reads.append(length)
        return pread(descriptor, length, at)

    monkeypatch.setattr(os, "pread", counted)
    for number in (1000, 2000):
        assert _first_byte(objects, instance, number, len(many)) == (number - 1) % 256
    assert len(reads) < 12


def _first_byte(objects: object, instance: StoredInstance, number: int, count: int) -> int:
    ((fragment,),) = fragments.fragments_of_frames(objects, instance, [number], count)  # type: ignore[arg-type]
    return objects.read(instance.object_key, fragment.start, 1)[0]  # type: ignore[attr-defined]
