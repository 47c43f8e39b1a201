"""Pictures: every image of the shared data, and what single attributes do to one that is made here."""

from io import BytesIO

import numpy as np
import orjson
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from images import material_of, opened, written
from radiology.errors import RadiologyError
from radiology.pixels.geometry import Viewport
from radiology.pixels.render import Rendering, picture
from radiology.studies import pictures

PNG = Rendering(media_type="image/png")
PIXELS = {"7FE00010", "7FE00008", "7FE00009"}
#: What cannot be shown, and a word of what is said of it.
SAID = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "codestream",
    "MR_truncated.dcm": "needs 8192 bytes",
    "meta_missing_tsyntax.dcm": "Rows",
    "nested_priv_SQ.dcm": "Rows",
    "video_mpeg4_avc.dcm": "cannot be told apart",
}
MANY_ALIKE = ("mr_fmri_150", "TINY_ALPHA")


def pixels(body):
    return np.asarray(Image.open(BytesIO(body))).astype(int)


def shown(folder, values, rendering=PNG, **attributes):
    return pixels(picture(material_of(written(folder, values, **attributes)), rendering))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_image_of_the_shared_data_is_shown_or_says_why_not(shared_data):
    seen, said = 0, {}
    for path in sorted(shared_data.rglob("*")):
        if not path.is_file() or any(name in path.parts for name in MANY_ALIKE):
            continue
        try:
            objects, instance, attributes = opened(path)
        except Exception:  # noqa: S112 - what is no DICOM is no image.
            continue
        if not PIXELS & orjson.loads(attributes).keys():
            continue
        try:
            frames = pictures.frames_of(attributes, None)
            body = picture(pictures.material(objects, instance, attributes, frames), Rendering())
        except RadiologyError as error:
            said[path.name] = error.sentence
            continue
        assert Image.open(BytesIO(body)).format == "JPEG"
        seen += 1
    assert said.keys() == SAID.keys()
    assert [name for name, word in SAID.items() if word not in said[name]] == []
    assert seen >= 170


def test_an_overlay_of_one_frame_is_drawn_over_that_frame(tmp_path):
    values = np.full((2, 8, 8), 100, np.uint8)
    bits = np.zeros((1, 4, 4), np.uint8)
    bits[0, 0, 0] = 1
    path = written(tmp_path, values, NumberOfFrames=2)
    ds = pydicom.dcmread(path)
    ds.add_new(0x60000010, "US", 4)
    ds.add_new(0x60000011, "US", 4)
    ds.add_new(0x60000015, "IS", "1")
    ds.add_new(0x60000040, "CS", "G")
    ds.add_new(0x60000050, "SS", [3, 5])
    ds.add_new(0x60000051, "US", 2)
    ds.add_new(0x60000100, "US", 1)
    ds.add_new(0x60000102, "US", 0)
    ds.add_new(0x60003000, "OW", np.packbits(bits, bitorder="little").tobytes())
    ds.save_as(path, enforce_file_format=True)
    first, second = (pixels(picture(material_of(path, [number]), PNG)) for number in (1, 2))
    assert np.argwhere(first == 255).tolist() == []
    assert np.argwhere(second == 255).tolist() == [[2, 4]]


def test_the_window_of_a_frame_goes_before_that_of_all(tmp_path):
    def group(center):
        voi, item = Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth, voi.VOILUTFunction = center, "1", "LINEAR"
        item.FrameVOILUTSequence = [voi]
        return item

    values = np.full((2, 4, 4), 100, np.uint16)
    groups = {"PerFrameFunctionalGroupsSequence": [group("50"), group("150")], "NumberOfFrames": 2}
    path = written(tmp_path, values, **groups)
    assert [int(pixels(picture(material_of(path, [n]), PNG)).max()) for n in (1, 2)] == [255, 0]


def test_a_segmented_palette(tmp_path):
    values = np.arange(4, dtype=np.uint8).reshape(2, 2)
    tables = {}
    for colour, top in (("Red", 0xFFFF), ("Green", 0x8000), ("Blue", 0)):
        # One entry of zero, then three on a line to the top (PS3.3 C.7.9.2).
        tables[f"Segmented{colour}PaletteColorLookupTableData"] = np.array([0, 1, 0, 1, 3, top], "<u2").tobytes()
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [4, 0, 16]
    image = shown(tmp_path, values, PhotometricInterpretation="PALETTE COLOR", **tables)
    assert image.reshape(4, 3).tolist() == [[0, 0, 0], [85, 43, 0], [170, 85, 0], [255, 128, 0]]


def test_a_shutter_is_black(tmp_path):
    values = np.full((8, 8), 200, np.uint8)
    edges = {
        "ShutterLeftVerticalEdge": 3,
        "ShutterRightVerticalEdge": 6,
        "ShutterUpperHorizontalEdge": 2,
        "ShutterLowerHorizontalEdge": 4,
    }
    image = shown(tmp_path, values, ShutterShape="RECTANGULAR", **edges)
    lit = np.argwhere(image == 200)
    assert (lit.min(axis=0).tolist(), lit.max(axis=0).tolist()) == ([1, 2], [3, 5])
    circle = {"CenterOfCircularShutter": [4, 4], "RadiusOfCircularShutter": 1}
    round_one = shown(tmp_path, values, ShutterShape="CIRCULAR", **circle)
    assert (round_one == 200).sum() == 5


def test_pixels_that_are_not_square_become_so(tmp_path):
    values = np.full((10, 10), 200, np.uint8)
    assert shown(tmp_path, values, PixelAspectRatio=["2", "1"]).shape == (20, 10)
    assert shown(tmp_path, values, PixelSpacing=["1", "2"]).shape == (10, 20)
    fitted = Rendering(media_type="image/png", viewport=Viewport(40, 40))
    assert shown(tmp_path, values, fitted, PixelAspectRatio=["2", "1"]).shape == (40, 20)


def test_a_moving_picture_keeps_its_pace(tmp_path):
    values = np.stack([np.full((8, 8), value, np.uint8) for value in (10, 100, 200)])
    path = written(tmp_path, values, NumberOfFrames=3, FrameTime="250")
    moving = Image.open(BytesIO(picture(material_of(path), Rendering(media_type="image/gif"))))
    assert (moving.n_frames, moving.info["duration"]) == (3, 250)


def test_sixteen_bits_of_colour(tmp_path):
    values = np.zeros((2, 2, 3), np.uint16)
    values[0, 0] = [4095, 2048, 0]
    image = shown(tmp_path, values, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)
    assert image[0, 0].tolist() == [255, 128, 0]
