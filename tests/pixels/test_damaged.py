"""Compressed frames with wrong bytes, cut short, or both: each is shown, or says why not; the next one is not hurt."""

import os
import random
from dataclasses import replace
from io import BytesIO

from PIL import Image

from images import material_of
from radiology.errors import Unprocessable
from radiology.kit import cpu
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
