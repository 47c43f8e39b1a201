"""Film: what is drawn. The values shown are those of the window; letters stay in the corners, Bangla is shaped."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from radiology.delivery.film.model import Film, Picture, sheets_of
from radiology.delivery.film.picture import Corners, cell, grey_of, sheet_png
from radiology.errors import NotFound, Unprocessable
from radiology.kit import lettering


def file_of(values: np.ndarray, **attributes: object) -> bytes:
    """A CT image of these stored values."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = "2.25.1"
    data_set = FileDataset("", Dataset(), file_meta=meta, preamble=bytes(128))
    data_set.SOPClassUID, data_set.SOPInstanceUID = CTImageStorage, "2.25.1"
    data_set.Rows, data_set.Columns = values.shape
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit, data_set.PixelRepresentation = 16, 12, 11, 0
    data_set.PixelData = values.astype("<u2").tobytes()
    for keyword, value in attributes.items():
        setattr(data_set, keyword, value)
    out = BytesIO()
    data_set.save_as(out, enforce_file_format=True)
    return out.getvalue()


RAMP = np.arange(0, 4096, 16, dtype=np.uint16).reshape(16, 16)


def test_the_window_decides_what_is_black_and_white() -> None:
    # PS3.3 C.11.2.1.2.1 with centre 1024 and width 512, over a rescale of -1024: stored 1792 to 2304.
    grey, aspect = grey_of(
        file_of(RAMP, RescaleSlope="1", RescaleIntercept="-1024", WindowCenter="1024", WindowWidth="512"), 1
    )
    flat = grey.ravel()
    below, above = RAMP.ravel() <= 1024 + 1024 - 257, RAMP.ravel() > 1024 + 1024 + 256
    assert set(flat[below]) == {0}
    assert set(flat[above]) == {255}
    assert abs(int(flat[RAMP.ravel() == 2048][0]) - 128) <= 1
    assert aspect == 1.0


def test_monochrome1_is_turned_round() -> None:
    plain, _ = grey_of(file_of(RAMP), 1)
    turned, _ = grey_of(file_of(RAMP, PhotometricInterpretation="MONOCHROME1"), 1)
    assert np.abs(plain.astype(int) + turned.astype(int) - 255).max() <= 1


def test_a_pixel_that_is_higher_than_wide_keeps_its_shape() -> None:
    grey, aspect = grey_of(file_of(RAMP, PixelSpacing=["2", "1"]), 1)
    shown = cell(grey, aspect, (100, 100), None)
    lit = np.flatnonzero(shown.max(axis=0))
    assert aspect == 2.0
    assert 48 <= len(lit) <= 52


def test_a_frame_that_is_not_there_is_refused() -> None:
    with pytest.raises(NotFound):
        grey_of(file_of(RAMP), 2)


def test_letters_stay_in_their_corners() -> None:
    black = np.zeros((400, 300), np.uint8)
    corners = Corners(("রাহেলা খাতুন RAHELA KHATUN " * 5,), ("UPAZILA HEALTH COMPLEX " * 5,), ("CT",), ("W 400 L 40",))
    shown = cell(black, 1.0, (300, 400), corners)
    lit = np.argwhere(shown > 128)
    assert len(lit)
    assert not ((lit[:, 0] > 60) & (lit[:, 0] < 340)).any()
    assert not ((lit[:, 1] > 148) & (lit[:, 1] < 152)).any()


def test_bangla_is_shaped_not_spelled() -> None:
    # The conjunct of four signs is narrower than its signs one by one.
    conjunct = "ক্ষ"
    assert lettering.width(conjunct, 40) < sum(lettering.width(letter, 40) for letter in ("ক", "ষ"))


def test_a_long_line_ends_with_an_ellipsis() -> None:
    text = lettering.fitted("RAHELA KHATUN BEGUM", 20, 100)
    assert text.endswith("…")
    assert lettering.width(text, 20) <= 100


def test_a_sheet_has_its_images_in_reading_order(tmp_path: Path) -> None:
    cells = [np.full((50, 40), value, np.uint8) for value in (50, 100, 150)]
    sheet = np.asarray(Image.open(BytesIO(sheet_png(cells, 2, 2))))
    assert [int(sheet[10, 10]), int(sheet[10, 50]), int(sheet[60, 10]), int(sheet[60, 50])] == [50, 100, 150, 0]


def test_too_many_sheets_are_refused_with_a_sentence() -> None:
    pictures = [Picture(f"2.25.{number}") for number in range(60)]
    assert len(sheets_of(pictures, 4)) == 15
    with pytest.raises(Unprocessable, match="60 sheets"):
        sheets_of(pictures, 1)
    assert Film(columns=2, rows=3, size_id="8INX10IN").cell_pixels == (600, 500)
