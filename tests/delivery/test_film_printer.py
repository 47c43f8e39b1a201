"""Film: a print SCP of DCMTK takes what we send, and what it took is what we drew."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from node import free_port
from radiology.delivery.film.model import Film
from radiology.delivery.film.printer import CONTEXTS, PrintRefusedError, print_sheets, state_of
from radiology.dicom_network.client import Peer, connect

PRINTER = """
[[GENERAL]]
[APPLICATION]
LogDirectory = {folder}
[PRINT]
Directory = {folder}/spool
DeletePrintJobs = false
MinPrintResolution = 16\\16
MaxPrintResolution = 8192\\8192
[DATABASE]
Directory = {folder}/database
[NETWORK]
aetitle = RADSVC
[LUT]
Directory = {folder}
[[COMMUNICATION]]
[FILM]
Aetitle = FILM
Description = a printer
Hostname = localhost
Port = {port}
Type = LOCALPRINTER
DisplayFormat=1,1\\1,2\\2,1\\2,2\\3,4
FilmSizeID = 8INX10IN\\14INX17IN
FilmDestination = MAGAZINE\\PROCESSOR
MagnificationType = REPLICATE\\BILINEAR\\CUBIC\\NONE
MediumType = PAPER\\CLEAR FILM\\BLUE FILM
MaxPDU = 32768
Supports12Bit = true
"""


class Printer:
    """A running print SCP, and what it has taken."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.peer = Peer("127.0.0.1", port, "FILM", "RADSVC")

    @property
    def images(self) -> list[np.ndarray]:
        """The image boxes, in the order they came."""
        files = sorted((self.folder / "database").glob("HG*.dcm"), key=lambda path: path.stat().st_mtime_ns)
        return [dcmread(path).pixel_array for path in files]

    @property
    def films(self) -> list[Path]:
        """The stored prints, one for each film."""
        return sorted((self.folder / "database").glob("SP*.dcm"))


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[Printer]:
    if not shutil.which("dcmprscp"):
        pytest.skip("dcmprscp of DCMTK is not installed")
    port = free_port()
    for name in ("spool", "database"):
        (tmp_path / name).mkdir()
    (tmp_path / "printer.cfg").write_text(PRINTER.format(folder=tmp_path, port=port))
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        ["dcmprscp", "-d", "--config", str(tmp_path / "printer.cfg"), "--printer", "FILM"],
        cwd=tmp_path, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        _wait_until_listening(process, port)
        yield Printer(tmp_path, port)
    finally:
        process.kill()
        process.wait()
        log.close()


def _wait_until_listening(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        assert process.poll() is None, "the printer did not start"
        if re.search(rf"127\.0\.0\.1:{port} |0\.0\.0\.0:{port} |\*:{port} ", _listening()):
            return
        subprocess.run(["sleep", "0.05"], check=True)
    pytest.fail("the printer does not listen")


def _listening() -> str:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    ports = [int(row[1].rsplit(":", 1)[1], 16) for row in rows if row[3] == "0A"]
    return "".join(f"0.0.0.0:{port} " for port in ports)


def _grey(seed: int, height: int = 60, width: int = 50) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


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
