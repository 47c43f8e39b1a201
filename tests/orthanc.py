"""Orthanc as a peer, in a folder of the test's own."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from node import Node, free_port

ORTHANC = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
DICOMWEB = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
AE_TITLE = "ORTHANC"


@dataclass
class Orthanc:
    """A running Orthanc; `call` speaks to its REST interface."""

    dicom_port: int
    http_port: int

    @property
    def dicomweb_url(self) -> str:
        """The base of its DICOMweb, where it was started with that."""
        return f"http://127.0.0.1:{self.http_port}/dicom-web"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx2.request(method, f"http://127.0.0.1:{self.http_port}{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def send(self, file: bytes) -> None:
        """Put a DICOM file into it."""
        answer = httpx2.post(f"http://127.0.0.1:{self.http_port}/instances", content=file, timeout=30)
        answer.raise_for_status()

    def wait_for(self, path: str, done: Any, limit_seconds: float = 20) -> Any:
        """The answer of a path, once it is as wanted."""
        until = time.monotonic() + limit_seconds
        while not done(answer := self.call("GET", path)):
            assert time.monotonic() < until, answer
            time.sleep(0.05)
        return answer


@contextmanager
def orthanc(node: Node, folder: Path, *, dicomweb: bool = False) -> Iterator[Orthanc]:
    """Orthanc, which knows the node as `radsvc`, until the block ends; with its DICOMweb plugin where asked for."""
    if not os.access(ORTHANC, os.X_OK):
        pytest.skip("Orthanc is not installed")
    if dicomweb and not DICOMWEB.exists():
        pytest.skip("the DICOMweb plugin of Orthanc is not installed")
    dicom_port, http_port = free_port(), free_port()
    node_here = {"AET": "RADSVC", "Host": "127.0.0.1", "Port": node.port, "AllowStorageCommitment": True}
    settings = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "DicomAet": AE_TITLE,
        "DicomPort": dicom_port,
        "HttpPort": http_port,
        "AuthenticationEnabled": False,
        "DicomModalities": {"radsvc": node_here},
        "Plugins": [str(DICOMWEB)] if dicomweb else [],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen([ORTHANC, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        _wait_until_ready(process, http_port, folder / "log.txt")
        yield Orthanc(dicom_port, http_port)
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_ready(process: subprocess.Popen[bytes], http_port: int, log: Path) -> None:
    until = time.monotonic() + 30
    while True:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            if httpx2.get(f"http://127.0.0.1:{http_port}/system", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            assert time.monotonic() < until
        time.sleep(0.05)
