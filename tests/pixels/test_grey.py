"""From stored values to shades of grey: PS3.3 C.11 worked out by hand."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from images import material_of, written
from radiology.pixels.grey import Window
from radiology.pixels.render import grey

RAMP = np.arange(0, 4096, 16, dtype=np.uint16).reshape(16, 16)


def shades(folder, values=RAMP, **attributes):
    return grey(material_of(written(folder, values, **attributes)))[0]


def lut(first, entries, bits=16):
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = np.array(entries, "<u2").tobytes()
    item["LUTData"].VR = "OW"
    item.ModalityLUTType = "US"
    return item


def test_the_window_decides_what_is_black_and_white(tmp_path):
    # PS3.3 C.11.2.1.2.1 with centre 1024 and width 512, over a rescale of -1024: stored 1792 to 2304.
    flat = shades(tmp_path, RescaleSlope="1", RescaleIntercept="-1024", WindowCenter="1024", WindowWidth="512").ravel()
    assert set(flat[RAMP.ravel() <= 1024 + 1024 - 257]) == {0}
    assert set(flat[RAMP.ravel() > 1024 + 1024 + 256]) == {255}
    assert abs(int(flat[RAMP.ravel() == 2048][0]) - 128) <= 1


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("LINEAR", {1536: 0, 2048: 128, 2559: 255}),
        ("LINEAR_EXACT", {1536: 0, 2048: 128, 2560: 255}),
        ("SIGMOID", {0: 0, 1536: 30, 2048: 128, 2560: 225}),
    ],
)
def test_each_function_of_a_window(tmp_path, function, expected):
    values = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    shown = shades(tmp_path, values, WindowCenter="2048", WindowWidth="1024", VOILUTFunction=function).ravel()
    assert {value: int(shown[value]) for value in expected} == pytest.approx(expected, abs=1)


def test_the_first_of_several_windows_counts(tmp_path):
    both = shades(tmp_path, WindowCenter=["100", "2000"], WindowWidth=["50", "4000"])
    assert np.array_equal(both, shades(tmp_path, WindowCenter="100", WindowWidth="50"))


def test_without_a_window_nearly_all_values_are_seen(tmp_path):
    values = np.full((100, 100), 1000, np.uint16)
    values[:50] = 2000
    values[0, 0], values[99, 99] = 4095, 0  # One bright and one dark speck do not decide.
    shown = shades(tmp_path, values)
    assert set(shown[1:50].ravel()) == {255}
    assert set(shown[50:99].ravel()) == {0}
    said = shades(tmp_path, RAMP, SmallestImagePixelValue=0, LargestImagePixelValue=4080)
    assert said.min() == 0
    assert said.max() == 255


def test_eight_bits_without_a_window_are_shown_as_they_are(tmp_path):
    values = np.arange(100, 164, dtype=np.uint8).reshape(8, 8)
    assert np.array_equal(shades(tmp_path, values), values)


def test_monochrome1_is_turned_round_once(tmp_path):
    plain, turned = shades(tmp_path), shades(tmp_path, PhotometricInterpretation="MONOCHROME1")
    assert np.abs(plain.astype(int) + turned.astype(int) - 255).max() <= 1
    said = shades(tmp_path, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE")
    assert np.array_equal(said, turned), "MONOCHROME1 goes with INVERSE: both mean the same turn"


def test_signed_values(tmp_path):
    values = np.array([[-1000, 0], [500, 1000]], np.int16)
    shown = shades(
        tmp_path, values, PixelRepresentation=1, BitsStored=16, HighBit=15, WindowCenter="0.5", WindowWidth="2001"
    )
    assert shown.tolist() == [[0, 128], [191, 255]]


def test_a_modality_table_and_a_table_of_values_of_interest(tmp_path):
    values = np.array([[0, 1], [2, 3]], np.uint16)
    modality = lut(1, [10, 20, 30])  # 0 and below give the first, 3 and above the last.
    shown = shades(
        tmp_path,
        values,
        ModalityLUTSequence=[modality],
        WindowCenter="20",
        WindowWidth="20",
        VOILUTFunction="LINEAR_EXACT",
    )
    assert shown.tolist() == [[0, 0], [128, 255]]
    both = shades(
        tmp_path, values, ModalityLUTSequence=[modality], VOILUTSequence=[lut(10, [0] * 10 + [32768] * 10 + [65535])]
    )
    assert both.tolist() == [[0, 0], [128, 255]]


def test_padding_is_black_and_decides_nothing(tmp_path):
    values = np.full((100, 100), 1000, np.uint16)
    values[:, :50] = 1200
    values[:40] = 4000
    shown = shades(tmp_path, values, PixelPaddingValue=4000, PhotometricInterpretation="MONOCHROME1")
    assert set(shown[:40].ravel()) == {0}
    assert set(shown[40:, 50:].ravel()) == {255}
    assert set(shown[40:, :50].ravel()) == {0}


def test_how_much_higher_than_wide_a_pixel_is(tmp_path):
    def aspect(**attributes):
        return grey(material_of(written(tmp_path, RAMP, **attributes)))[1]

    assert aspect() == 1.0
    assert aspect(PixelSpacing=["2", "1"]) == 2.0
    assert aspect(PixelAspectRatio=["3", "4"]) == 0.75
    assert aspect(PixelSpacing=["0", "0"]) == 1.0


def test_a_narrow_window_is_no_division_by_zero():
    assert Window(10, 1).curve(np.array([9.0, 11.0])).tolist()[0] < 0
