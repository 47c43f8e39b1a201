"""A print SCP of DCMTK for tests, and what it has taken."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pydicom import dcmread

from node import free_port
from radiology.dicom_network.client import Peer

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


@contextmanager
def running_printer(tmp_path: Path, port: int | None = None) -> Iterator[Printer]:
    """A printer called FILM until the block ends."""
    port = port or free_port()
    for name in ("spool", "database"):
        (tmp_path / name).mkdir(exist_ok=True)
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
        time.sleep(0.05)
    raise AssertionError("the printer does not listen")


def _listening() -> str:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    ports = [int(row[1].rsplit(":", 1)[1], 16) for row in rows if row[3] == "0A"]
    return "".join(f"0.0.0.0:{port} " for port in ports)
