"""The ZIP writer, read by others: zipfile, and unzip without seeking back."""

import subprocess
import zlib
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import pytest

from radiology.kit.zipping import ZipWriter

AT = datetime(2026, 1, 21, 10, 30, 8)  # noqa: DTZ001 - a ZIP knows no zone.
GIB = 1024**3


@pytest.mark.peer("ZIP archive", "unzip")
def test_others_read_what_is_written(tmp_path: Path) -> None:
    files = {"A/1": b"one" * 1000, "EMPTY": b"", "রহমান.txt": b"name"}
    writer, path = ZipWriter(AT), tmp_path / "a.zip"
    pieces = [writer.head(name, len(data), zlib.crc32(data)) + data for name, data in files.items()]
    path.write_bytes(b"".join(pieces) + writer.end())
    with ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {info.filename: archive.read(info) for info in archive.infolist()} == files
        assert archive.infolist()[0].date_time == (2026, 1, 21, 10, 30, 8)
    subprocess.run(["unzip", "-tq", path], check=True)


def test_beyond_four_gigabytes_and_65535_files_it_is_zip64(tmp_path: Path) -> None:
    writer, path = ZipWriter(AT), tmp_path / "large.zip"
    with path.open("wb") as file:
        file.write(writer.head("HUGE", 5 * GIB, 0))
        file.seek(5 * GIB, 1)  # A hole, which takes no room on the disk.
        for number in range(66_000):
            file.write(writer.head(f"F/{number}", 1, zlib.crc32(b"x")) + b"x")
        file.write(writer.end())
    with ZipFile(path) as archive:
        infos = archive.infolist()
        assert (len(infos), infos[0].file_size, infos[1].header_offset > 5 * GIB) == (66_001, 5 * GIB, True)
        assert archive.read(infos[-1]) == b"x"
