"""`radi serve`: children that die come back, a stop is orderly, a taken port or folder is said, nothing outlives us."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from radiology import supervisor
from radiology.kit.processes import read_state
from radiology.settings import Settings, load_settings

PATIENCE_SECONDS = 30

# The service with made-up doors: `http` answers 200, `dimse` listens, `worker` needs a moment to end.
SCRIPT = """
import http.server, os, pathlib, signal, socket, sys, time
from radiology.settings import load_settings
from radiology.supervisor import CannotServe, Supervisor

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass

def web(settings):
    http.server.HTTPServer(("127.0.0.1", settings.http_port), Ready).serve_forever()

def dimse(settings):
    with socket.create_server(("127.0.0.1", settings.dicom_port)) as server:
        while True:
            server.accept()[0].close()

def worker(settings):
    def drain(*_):
        time.sleep(0.3)
        (settings.data_dir / "drained").touch()
        sys.exit(0)
    signal.signal(signal.SIGTERM, drain)
    while True:
        time.sleep(60)

def stubborn(settings):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)

def prepare(settings):
    if os.environ.get("TEST_PREPARE_FAILS"):
        raise SystemExit("prepare does not like it")
    return ["prepared"]

def load(settings):
    (settings.data_dir / "loaded").touch()

work = [("http", "http", web), ("dimse", "dimse", dimse), ("worker", "worker", worker)]
if os.environ.get("TEST_STUBBORN"):
    work.append(("stubborn", "stubborn", stubborn))
settings = load_settings()
try:
    sys.exit(Supervisor(settings, work, say=print, prepare=prepare, after_ready={"loader": load}).run())
except CannotServe as e:
    print(e, file=sys.stderr)
    sys.exit(2)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """One supervisor in a process of its own."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.ports = free_port(), free_port()
        self.environment = {
            "RADI_DATA_DIR": str(data_dir),
            "RADI_HTTP_PORT": str(self.ports[0]),
            "RADI_DICOM_PORT": str(self.ports[1]),
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self.process: subprocess.Popen[str] | None = None

    def start(self, *, wait: bool = True) -> "Running":
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env={name: value for name, value in {**os.environ, **self.environment}.items() if value},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if wait:
            until(lambda: self.phase() == "ready" or self.process.poll() is not None)  # type: ignore[union-attr]
            assert self.process.poll() is None, self.process.communicate()[0]
        return self

    def state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self.data_dir / "run" / "state.json").read_bytes())
        except FileNotFoundError:
            state = {}
        ours = self.process and state.get("pid") == self.process.pid
        return state if ours else {"phase": None, "children": []}

    def phase(self) -> str | None:
        return self.state()["phase"]  # type: ignore[no-any-return]

    def child(self, name: str) -> dict[str, Any]:
        return next((child for child in self.state()["children"] if child["name"] == name), {"pid": None})

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        assert self.process is not None
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, output


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def make(**environment: str) -> Running:
        made.append(Running(tmp_path / "data", **environment))
        return made[-1]

    yield make
    for running in made:
        if running.process:
            running.process.kill()
            running.process.wait()
            if running.process.stdout:
                running.process.stdout.close()


def until(condition: Callable[[], object]) -> None:
    limit = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_announces_loads_and_drains(service: Callable[..., Running]) -> None:
    running = service().start()
    pids = [child["pid"] for child in running.state()["children"] if child["pid"]]
    until((running.data_dir / "loaded").exists)
    with urllib.request.urlopen(f"http://127.0.0.1:{running.ports[0]}/health/ready") as answer:
        assert answer.status == 200
    code, output = running.end()
    assert code == 0
    assert "radiology is ready after" in output
    assert f"AE title RADSVC, host 127.0.0.1, port {running.ports[1]}" in output
    assert "prepared" in output
    assert (running.data_dir / "drained").exists()
    assert not any(map(alive, pids))
    assert running.phase() is None


def test_ctrl_c_ends_it_too_and_a_second_start_works(service: Callable[..., Running]) -> None:
    assert service().start().end(signal.SIGINT)[0] == 0
    assert service().start().end(signal.SIGINT)[0] == 0


def test_a_child_that_dies_comes_back_and_is_reported(service: Callable[..., Running]) -> None:
    running = service().start()
    first = running.child("dimse")
    os.kill(first["pid"], signal.SIGKILL)
    until(lambda: running.child("dimse")["pid"] not in (None, first["pid"]))
    second = running.child("dimse")
    assert second["restarts"] == 1
    assert second["last_exit"] == "signal SIGKILL"
    assert second["since"] >= first["since"]
    assert "child ended" in running.end()[1]


def test_a_child_that_does_not_end_is_killed_after_the_limit(service: Callable[..., Running]) -> None:
    running = service(TEST_STUBBORN="1", RADI_DRAIN_SECONDS="1").start()
    pid = running.child("stubborn")["pid"]
    assert running.end()[0] == 0
    assert not alive(pid)


def test_a_second_signal_does_not_wait_for_the_limit(service: Callable[..., Running]) -> None:
    running = service(TEST_STUBBORN="1", RADI_DRAIN_SECONDS="600").start()
    assert running.process is not None
    running.process.send_signal(signal.SIGTERM)
    until(lambda: running.phase() == "draining")
    time.sleep(0.2)
    assert running.end()[0] == 0


def test_children_end_when_the_supervisor_is_killed(service: Callable[..., Running]) -> None:
    running = service().start()
    pids = [child["pid"] for child in running.state()["children"] if child["pid"]]
    running.end(signal.SIGKILL)
    until(lambda: not any(map(alive, pids)))
    assert service().start().end()[0] == 0


def test_two_never_share_a_data_folder(service: Callable[..., Running]) -> None:
    first, second = service().start(), service().start(wait=False)
    assert first.process is not None
    assert second.process is not None
    output, _ = second.process.communicate(timeout=PATIENCE_SECONDS)
    assert second.process.returncode == 2
    assert f"is in use by process {first.process.pid}" in output
    assert "RADI_DATA_DIR" in output
    assert first.phase() == "ready"


@pytest.mark.parametrize(("place", "setting"), [(0, "RADI_HTTP_PORT"), (1, "RADI_DICOM_PORT")])
def test_a_taken_port_is_named_with_its_setting(service: Callable[..., Running], place: int, setting: str) -> None:
    running = service()
    with socket.create_server(("127.0.0.1", running.ports[place])):
        running.start(wait=False)
        assert running.process is not None
        output, _ = running.process.communicate(timeout=PATIENCE_SECONDS)
    assert running.process.returncode == 2
    assert f"Port {running.ports[place]} is taken" in output
    assert f"{setting}={running.ports[place] + 1}" in output


def test_a_port_shared_by_its_holder_counts_as_taken() -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(supervisor.CannotServe, match=f"Port {port} is taken"):
            supervisor.check_ports(load_settings(http_port=port, dicom_port=free_port()))


def test_the_same_port_twice_is_refused() -> None:
    with pytest.raises(supervisor.CannotServe, match="must differ"):
        supervisor.check_ports(load_settings(http_port=4242, dicom_port=4242))


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(supervisor.CannotServe, match="RADI_DATA_DIR"),
        supervisor.hold_data_dir(load_settings(data_dir=tmp_path / "file" / "data")),
    ):
        pass


def test_a_preparation_that_fails_ends_the_start(service: Callable[..., Running]) -> None:
    running = service(TEST_PREPARE_FAILS="1").start(wait=False)
    assert running.process is not None
    output, _ = running.process.communicate(timeout=PATIENCE_SECONDS)
    assert running.process.returncode == 2
    assert "could not be prepared" in output


def test_the_embedded_database_is_kept_running_and_cleaned_up(service: Callable[..., Running]) -> None:
    """Killed alone it comes back; left behind by a killed supervisor it is found; ended last at a stop."""
    running = service(DATABASE_URL="").start()
    first = running.child("postgres")["pid"]
    os.kill(first, signal.SIGKILL)
    until(lambda: running.child("postgres")["pid"] not in (None, first))
    second = running.child("postgres")["pid"]
    running.end(signal.SIGKILL)
    again = service(DATABASE_URL="").start()
    third = again.child("postgres")["pid"]
    assert third not in (first, second)
    assert not alive(second)
    assert again.end()[0] == 0
    assert not alive(third)


def test_preloading_starts_no_thread() -> None:
    """The supervisor forks, so it must have one thread when everything is imported."""
    code = (
        "import os; from radiology.supervisor import DOORS, preload; preload(DOORS.values());"
        "print(len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "1"


def test_the_state_of_a_dead_supervisor_is_no_state(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    fields = {"phase": "ready", "pid": dead.pid, "started_at": 0.0, "children": []}
    (tmp_path / "state.json").write_text(json.dumps(fields))
    assert read_state(tmp_path) is None
    (tmp_path / "state.json").write_text(json.dumps({**fields, "pid": os.getpid()}))
    assert read_state(tmp_path) is not None


def test_addresses_of_this_machine() -> None:
    assert supervisor.local_address("0.0.0.0") == "127.0.0.1"  # noqa: S104
    assert supervisor.local_address("::") == "::1"
    assert supervisor.local_address("192.0.2.7") == "192.0.2.7"
    assert supervisor.is_loopback("127.0.0.1")
    assert not supervisor.is_loopback("0.0.0.0")  # noqa: S104


def test_the_announcement_names_everything() -> None:
    lines = "\n".join(supervisor.announcement(Settings(http_port=8181, dicom_port=11113), 1.0))
    assert "http://127.0.0.1:8181/dicomweb" in lines
    assert "AE title RADSVC, host 127.0.0.1, port 11113" in lines
