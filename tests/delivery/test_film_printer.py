"""Film: a print SCP of DCMTK takes what we send, and what it took is what we drew."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from film_printer import Printer, running_printer
from radiology.delivery.film.model import Film
from radiology.delivery.film.printer import CONTEXTS, PrintRefusedError, print_sheets, state_of
from radiology.dicom_network.client import connect


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[Printer]:
    if not shutil.which("dcmprscp"):
        pytest.skip("dcmprscp of DCMTK is not installed")
    with running_printer(tmp_path) as running:
        yield running


def _grey(seed: int, height: int = 60, width: int = 50) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


@pytest.mark.peer("Basic Grayscale Print (SCU)", "DCMTK dcmprscp")
def test_the_printer_takes_each_sheet_as_it_was_drawn(printer: Printer) -> None:
    sheets = [[_grey(1), _grey(2)], [_grey(3)]]
    taken: list[int] = []
    with connect(printer.peer, CONTEXTS) as association:
        assert state_of(association).status == "NORMAL"
        warnings = print_sheets(
            association, Film(columns=2, size_id="8INX10IN"), iter(sheets), "CHEST", lambda: taken.append(1)
        )
    assert warnings == []
    assert len(taken) == 2
    assert len(printer.films) == 2
    assert [image.tolist() for image in printer.images] == [grey.tolist() for sheet in sheets for grey in sheet]


def test_what_the_printer_does_not_have_is_said_in_a_sentence(printer: Printer) -> None:
    taken: list[int] = []
    with connect(printer.peer, CONTEXTS) as association, pytest.raises(PrintRefusedError, match="layout"):
        print_sheets(association, Film(columns=5, rows=5), iter([[_grey(1)]]), "CHEST", lambda: taken.append(1))
    assert not taken
    assert not printer.films
