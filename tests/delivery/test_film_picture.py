"""Film: what is drawn. The values shown are those of the window; letters stay in the corners, Bangla is shaped."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from radiology.delivery.film.model import Film, Picture, sheets_of
from radiology.delivery.film.picture import cell, sheet_png
from radiology.errors import Unprocessable
from radiology.kit import lettering
from radiology.pixels.captions import Corners


def test_a_pixel_that_is_higher_than_wide_keeps_its_shape() -> None:
    shown = cell(np.full((16, 16), 200, np.uint8), 2.0, (100, 100), None)
    assert 48 <= len(np.flatnonzero(shown.max(axis=0))) <= 52


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
