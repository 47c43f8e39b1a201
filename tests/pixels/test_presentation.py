"""Presentation states, overlays and windows as DCMTK shows them too, on real files."""

import subprocess
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from images import material_of, opened
from radiology.pixels.render import Rendering, picture
from radiology.studies import pictures

PNG = Rendering(media_type="image/png")


def pixels(body):
    return np.asarray(Image.open(BytesIO(body))).astype(int)


def shown(path, state=None):
    material = None if state is None else pictures.state_material(*opened(state))
    return pixels(picture(material_of(path, [1]), PNG, material))


def test_a_state_with_tables_for_modality_interest_and_presentation(shared_data, tmp_path):
    image, state = (shared_data / "dicom/weasis" / name for name in ("imageForPrLUTs.dcm", "prLUTs.dcm"))
    target = tmp_path / "out.pgm"
    subprocess.run(["dcmp2pgm", "-p", state, image, target], check=True, capture_output=True)
    assert np.array_equal(shown(image, state), np.asarray(Image.open(target)).astype(int))


def test_overlays_of_the_image_and_of_the_state(shared_data):
    image, state = (shared_data / "dicom/weasis" / name for name in ("overlay.dcm", "prOverlay.dcm"))
    lines = {number: slice(135 + 42 * number, 147 + 42 * number) for number in range(6)}
    alone, together = shown(image), shown(image, state)
    assert [number for number, rows in lines.items() if (alone[rows] == 255).any()] == [0, 1, 2, 3]
    assert [number for number, rows in lines.items() if (together[rows] == 255).any()] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("dcm4che/MR-JPEGLosslessSV1.dcm", "+Wi"),
        ("nema-wg04/CT2_JPLL", "+Wi"),
        ("nema-wg04/RG3_JPLY", "+Wi"),
        ("pydicom-data/vlut_04.dcm", "+Wl"),
        ("pydicom/examples_palette.dcm", None),
        ("pydicom-data/OT-PAL-8-face.dcm", None),
    ],
)
def test_windows_tables_and_palettes_as_dcmtk_shows_them(shared_data, tmp_path, name, option):
    source, target = shared_data / "dicom" / name, tmp_path / "out.pnm"
    options = [option, "1"] if option else []
    subprocess.run(["dcmj2pnm", "+op", "+F", "1", *options, source, target], check=True, capture_output=True)
    expected, ours = np.asarray(Image.open(target)).astype(int), shown(source)
    assert ours.shape == expected.shape
    assert np.abs(ours - expected).mean() < 1
    assert np.percentile(np.abs(ours - expected), 99) <= 2
