"""Frames and attributes that are damaged: each is shown, or says why not; the next one is not hurt."""

import os
import random
from contextlib import suppress
from dataclasses import replace
from io import BytesIO

import numpy as np
import orjson
from PIL import Image

from images import material_of, written
from radiology.errors import RadiologyError, Unprocessable
from radiology.kit import cpu
from radiology.pixels.geometry import Viewport
from radiology.pixels.render import Material, Rendering, picture

FILES = (
    "pydicom/MR_small_RLE.dcm",
    "pydicom/MR_small_jp2klossless.dcm",
    "pydicom/MR_small_jpeg_ls_lossless.dcm",
    "pydicom/JPGExtended.dcm",
    "pydicom/SC_rgb_jpeg_dcmtk.dcm",
    "pydicom/SC_rgb_jpeg_gdcm.dcm",
    "pydicom-data/HTJ2K_08_RGB.dcm",
    "pydicom-data/liver_deflate.dcm",
)
DAMAGES = 8
SMALL = Rendering(quality=50)


def damaged(data: bytes, dice: random.Random) -> bytes:
    broken = bytearray(data)
    reach = dice.choice((64, 400, len(broken)))
    for _ in range(dice.choice((1, 8, 40))):
        broken[dice.randrange(min(len(broken), reach))] = dice.randrange(256)
    return bytes(broken[: dice.randrange(1, len(broken))] if dice.random() < 0.3 else broken)


def outcome(processes: cpu.LimitedProcesses, material: Material) -> tuple[bytes | None, str]:
    """The picture, or why there is none."""
    try:
        return processes.run(picture, material, SMALL), ""
    except Unprocessable as error:
        return None, error.sentence


def test_damaged_frames_hurt_nobody(shared_data):
    processes, dice = cpu.LimitedProcesses(1, seconds=20), random.Random(7)  # noqa: S311 - the same damage each time.
    refused = 0
    for name in FILES:
        path = shared_data / "dicom" / name
        material = material_of(path, [1])
        whole = processes.run(picture, material, SMALL)
        ((offset, length),) = material.frames[1]
        with path.open("rb") as file:
            data = os.pread(file.fileno(), length, offset)
        for _ in range(DAMAGES):
            shown, sentence = outcome(processes, replace(material, frames={1: [damaged(data, dice)]}))
            assert shown is None or Image.open(BytesIO(shown)).size == Image.open(BytesIO(whole)).size, name
            assert shown is not None or len(sentence) > 20, name
            refused += shown is None
        assert processes.run(picture, material, SMALL) == whole
    assert refused > 20
    processes.close()


TAGS = [
    "00280002",
    "00280004",
    "00280006",
    "00280008",
    "00280030",
    "00280034",
    "00280100",
    "00280101",
    "00280102",
    "00280103",
    "00280106",
    "00280107",
    "00280120",
    "00280121",
    "00281050",
    "00281051",
    "00281052",
    "00281053",
    "00281056",
    "00181600",
    "00181602",
    "00181604",
    "00181610",
    "00181612",
    "00181620",
    "00181063",
    "00286010",
    "20500020",
    "60000010",
    "60000011",
    "60000015",
    "60000050",
    "60000051",
    "60000102",
    "60003000",
    "00283000",
    "00283010",
    "52009229",
    "52009230",
    "00281101",
    "00281201",
]
VALUES = ([], [None], ["x"], ["NaN"], [-1], [0, 0], [65536, -65536, 1e30], ["PALETTE COLOR"], ["POLYGONAL"], [{}])


def test_attributes_that_cannot_be_right_hurt_nobody(tmp_path):
    """Each is left out, or is why there is no picture; nothing else comes of it."""
    values = np.arange(64, dtype=np.uint16).reshape(8, 8)
    material = material_of(written(tmp_path, values, WindowCenter="30", WindowWidth="60"))
    attributes = orjson.loads(material.attributes)
    everything = Rendering(media_type="image/png", annotations=("patient", "technique"), viewport=Viewport(64, 64))
    shown = 0
    for tag in TAGS:
        for value in VALUES:
            changed = replace(material, attributes=orjson.dumps(attributes | {tag: {"vr": "DS", "Value": value}}))
            with suppress(RadiologyError):
                picture(changed, everything)
                shown += 1
    assert shown > 300
