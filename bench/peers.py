"""The servers that are measured: Orthanc, this service, and DCMTK's receiver that writes nothing (the ceiling).

Each is started on loopback with an empty data directory of its own, and ended by its process id.
"""

import atexit
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from bench.sets import CACHE, ROOT

ORTHANC = "/usr/sbin/Orthanc"
ORTHANC_PLUGINS = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
START_SECONDS = 180
STOP_SECONDS = 30
PAGE = 1000


@dataclass(frozen=True)
class Peer:
    """A running server: where it listens and how it is asked."""

    name: str
    pid: int
    dicom_port: int
    ae_title: str
    http_port: int = 0
    dicomweb: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    data: Path | None = None
    """The data folder of this service."""

    def get(self, path: str, accept: str = "application/json") -> bytes:
        """The body of a GET; anything but 200 is an error, except 204, which is an empty body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=120)
        try:
            connection.request("GET", path, headers={**self.headers, "Accept": accept})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status not in (200, 204):
            raise RuntimeError(f"{self.name}: GET {path} gave {answer.status}: {body[:300]!r}")
        return body

    def instances_of(self, study_instance_uid: str) -> set[str]:
        """The SOP Instance UIDs that QIDO-RS finds in a study, page by page."""
        found: set[str] = set()
        while True:
            query = f"limit={PAGE}&offset={len(found)}"
            body = self.get(f"{self.dicomweb}/studies/{study_instance_uid}/instances?{query}", "application/dicom+json")
            page = {row["00080018"]["Value"][0] for row in json.loads(body or b"[]")}
            if page <= found:  # Nothing new: the end, or a server that ignores `offset`.
                return found
            found |= page


def free_port() -> int:
    """A port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _data_directory(name: str) -> Generator[Path]:
    """A fresh directory on the repository's own disk, so that every server pays the same fsync.

    All are removed when the run ends, not before: ext4 does not give an inode away again within a minute of its
    deletion, and looking for others made creating a file three times as dear for whichever server came next.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=CACHE))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    yield path


@contextmanager
def running(
    argv: list[str], environment: Mapping[str, str], log: Path, folder: Path = ROOT
) -> Generator[subprocess.Popen[bytes]]:
    """A server process started in `folder`; at the end it is asked to stop, and killed when it does not."""
    with log.open("ab") as out:
        process = subprocess.Popen(argv, cwd=folder, env={**os.environ, **environment}, stdout=out, stderr=out)
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL to this one process after `STOP_SECONDS`."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], log: Path, port: int, path: str | None) -> None:
    """Wait until `path` answers 200, or, without a path, until the port can be connected to."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}")
        if answers(port, path):
            return
        time.sleep(0.02)
    raise TimeoutError(f"the server was not ready after {START_SECONDS} s: {log.read_text(errors='replace')[-2000:]}")


def answers(port: int, path: str | None) -> bool:
    """Whether the port accepts a connection and, where a path is given, answers 200 to it."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            if path is None:
                return True
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return False


@contextmanager
def orthanc(
    plugins: Sequence[str] = (), more: Callable[[Path], Mapping[str, object]] = lambda _: {}
) -> Generator[Peer]:
    """Orthanc with its own defaults (SQLite, fsync on), its DICOMweb plugin, and DCMTK's switch `TCP_NODELAY=1`.

    Only what a run beside others needs is set: ports, folders, no password on loopback; and `more`, which is made from
    the folder of data, with further plugins.
    """
    with _data_directory("orthanc") as data:
        dicom_port, http_port = free_port(), free_port()
        config, log = data / "orthanc.json", data / "log.txt"
        settings = {**orthanc_settings(data / "storage", dicom_port, http_port), **more(data)}
        settings["Plugins"] = [ORTHANC_PLUGINS, *plugins]
        config.write_text(json.dumps(settings))
        with running([ORTHANC, str(config)], {"TCP_NODELAY": "1"}, log) as process:
            wait_until_ready(process, log, http_port, "/system")
            wait_until_ready(process, log, dicom_port, None)
            root = str(settings.get("DicomWeb", {}).get("Root", "/dicom-web")).rstrip("/")
            yield Peer("orthanc", process.pid, dicom_port, "ORTHANC", http_port, root)


def orthanc_settings(storage: Path, dicom_port: int, http_port: int) -> dict[str, object]:
    """What is set of Orthanc's configuration; everything else is its default."""
    return {
        "StorageDirectory": str(storage),
        "IndexDirectory": str(storage),
        "DicomPort": dicom_port,
        "HttpPort": http_port,
        "AuthenticationEnabled": False,
        "RemoteAccessAllowed": False,
        "DicomAlwaysAllowFind": True,
        "Plugins": [ORTHANC_PLUGINS],
    }


@contextmanager
def ours(more: Mapping[str, str] = MappingProxyType({})) -> Generator[Peer]:
    """This service as `./radi serve` starts it: embedded PostgreSQL, files fsynced before each acknowledgement.

    `more` are further settings, by the names of the environment.
    """
    with _data_directory("ours") as data:
        dicom_port, http_port = free_port(), free_port()
        log = data / "bench-log.txt"
        environment = service_environment(data / "data", http_port, dicom_port) | dict(more)
        with running(["./radi", "serve"], environment, log) as process:
            wait_until_ready(process, log, http_port, "/health/ready")
            headers = {"Authorization": f"Bearer {bearer_token(environment)}"}
            yield Peer("ours", process.pid, dicom_port, "RADSVC", http_port, "/dicomweb", headers, data / "data")


def service_environment(data: Path, http_port: int, dicom_port: int) -> dict[str, str]:
    """The settings by which a benchmark starts this service beside others."""
    return {
        "RADI_DATA_DIR": str(data),
        "RADI_HTTP_PORT": str(http_port),
        "RADI_DICOM_PORT": str(dicom_port),
        "RADI_ALLOW_UNKNOWN_AE": "true",
        "RADI_FETCH_VIEWER": "false",
    }


def bearer_token(environment: Mapping[str, str], role: str = "service") -> str:
    """A token of the running service whose settings are `environment`."""
    argv = ["./radi", "token", "bench" if role == "service" else f"bench-{role}", "--role", role]
    answer = subprocess.run(
        argv, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    if answer.returncode != 0 or not answer.stdout.strip():
        raise RuntimeError(f"{' '.join(argv)} gave {answer.returncode}: {answer.stderr[-1000:]}")
    return answer.stdout.split()[-1]


@contextmanager
def ceiling() -> Generator[Peer]:
    """DCMTK's `storescp --ignore`, which writes nothing: what sender and protocol alone allow."""
    with _data_directory("ceiling") as data:
        port, log = free_port(), data / "log.txt"
        argv = ["storescp", "--ignore", "--fork", "--aetitle", "IGNORE", str(port)]
        with running(argv, {"TCP_NODELAY": "1"}, log) as process:
            wait_until_ready(process, log, port, None)
            yield Peer("ceiling", process.pid, port, "IGNORE")


SERVERS = {"orthanc": orthanc, "ours": ours, "ceiling": ceiling}
