"""`radi serve`: start the database and the processes of the service, keep them running, end them in order.

One thread, one loop. The supervisor never opens a connection to the database and never starts a thread, so that it can
fork at any time. What needs either is done by a child that ends when it has done it.
"""

import errno
import fcntl
import gc
import importlib
import ipaddress
import itertools
import os
import selectors
import shutil
import signal
import socket
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType

from radiology.dicom_network.server import listen
from radiology.kit import log
from radiology.kit.postgres import EmbeddedPostgres, PostgresError
from radiology.kit.processes import ChildState, Phase, SupervisorState, fork, state_file, write_state
from radiology.settings import Settings

FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, STEADY_SECONDS = 0.5, 30.0, 60.0
KILL_SECONDS = 5.0
#: Headers are trees without cycles; looking through all of them again and again found nothing and cost 4 % of the time.
GARBAGE_THRESHOLD = 20_000
DOORS = {
    "http": "radiology.doors.http.run",
    "dimse": "radiology.doors.dimse.run",
    "hl7": "radiology.doors.hl7.run",
    "worker": "radiology.doors.worker.run",
}

NO_LISTENERS: Mapping[str, Sequence[socket.socket]] = {}

Say = Callable[[str], None]
Work = Callable[[Settings], None]

NO_WORK: Mapping[str, Work] = {}


class CannotServe(RuntimeError):  # It is a refusal that says what to do, not a bug.
    """The service cannot start; the message is a sentence for the person at the terminal."""


class DataDirInUse(CannotServe):
    """Another supervisor holds the data folder."""


class _StopAsked(Exception):  # Control flow.
    """SIGTERM or SIGINT came while starting."""


@dataclass
class Child:
    """One process of ours: what it runs, and how it fares. A child without `restarts_itself` runs once."""

    name: str
    role: str
    start: Callable[[], int]
    keep: bool = True
    pid: int | None = None
    restarts: int = 0
    since: float = field(default_factory=time.time)
    last_exit: str | None = None
    delay_seconds: float = FIRST_DELAY_SECONDS
    due: float = 0.0
    began: float = 0.0
    ended: bool = False

    def state(self) -> ChildState:
        """How it is, for the state file."""
        state = "running" if self.pid else ("ended" if self.ended else "waiting")
        return ChildState(self.name, self.role, state, self.pid, self.restarts, self.since, self.last_exit)


def run_door(role: str, settings: Settings, listeners: Mapping[str, Sequence[socket.socket]] = NO_LISTENERS) -> None:
    """Be one process of the service until SIGTERM, or until it fails. `listeners` were opened before the fork."""
    log.configure(role, level=settings.log_level, form=settings.log_format)
    door = importlib.import_module(DOORS[role])
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 100)
    if role in listeners:
        door.run(settings, listeners[role])
    else:
        door.run(settings)


def serve(
    settings: Settings,
    *,
    say: Say,
    prepare: Callable[[Settings], list[str]],
    after_ready: Mapping[str, Work] = NO_WORK,
) -> int:
    """Run the service until SIGTERM or SIGINT; returns the exit code. Raises CannotServe.

    `prepare` runs in a process of its own once the database answers, and returns lines to show when all is ready.
    Each of `after_ready`, by its name, runs in one of its own when everything can be used.
    """
    log.configure("supervisor", level=settings.log_level, form=settings.log_format)
    doors = [("http", settings.http_processes), ("dimse", settings.dimse_processes), ("worker", 1)]
    if settings.hl7_ports:
        doors.append(("hl7", 1))
    work: list[tuple[str, str, Work]] = []
    for role, count in doors:
        for number in range(1, count + 1):
            name = role if count == 1 else f"{role} {number}"
            work.append((name, role, lambda s, role=role: run_door(role, s, supervisor.listeners)))
    supervisor = Supervisor(
        settings, work, say=say, prepare=prepare, after_ready=after_ready, modules=DOORS.values(), listens=("dimse",)
    )
    return supervisor.run()


class Supervisor:
    """The children of one data folder, from start to end."""

    def __init__(
        self,
        settings: Settings,
        work: list[tuple[str, str, Work]],
        *,
        say: Say,
        prepare: Callable[[Settings], list[str]],
        after_ready: Mapping[str, Work] = NO_WORK,
        modules: Iterable[str] = (),
        listens: Iterable[str] = (),
    ) -> None:
        """`work` is name, role and function of each child; `modules` are imported once, before any is forked.

        The port of the roles in `listens` is opened here, once for all their processes.
        """
        self.settings = settings
        self.say = say
        self.prepare = prepare
        self.after_ready = after_ready
        self.modules = modules
        self.listens = listens
        self.listeners: dict[str, Sequence[socket.socket]] = {}
        self.phase: Phase = "starting"
        self.started_at = time.time()
        self.began = time.monotonic()
        self.signals = Signals()
        self.postgres = _embedded(settings, lambda line: say(f"  {line}")) if settings.embedded_database else None
        self.lines: list[str] = []
        self.children: list[Child] = []
        if self.postgres:
            self.children.append(Child("postgres", "postgres", self._start_postgres))
        for name, role, run in work:
            self.children.append(Child(name, role, self._forking(name, run)))

    def run(self) -> int:
        """Start, supervise until asked to stop, drain. Raises CannotServe."""
        with hold_data_dir(self.settings), self.signals:
            try:
                self._start()
                self._supervise()
            except _StopAsked:
                pass
            except PostgresError as e:
                raise CannotServe(str(e)) from e
            finally:
                self._drain()
        return 0

    def _start(self) -> None:
        check_ports(self.settings)
        if "dimse" in self.listens:
            ports = [self.settings.dicom_port, *([self.settings.dicom_tls_port] if self.settings.offers_tls else [])]
            self.listeners["dimse"] = [listen((self.settings.bind_address, port)) for port in ports]
        self._tell()
        share_metrics(self.settings.run_dir / "metrics")
        if self.postgres:
            self._begin(self.children[0])
        if self.postgres:
            self.postgres.wait_ready(meanwhile=self._raise_if_asked)
        answer = self._begin_to_prepare()
        preload(self.modules)
        self.lines = self._await_prepared(answer)

    def _supervise(self) -> None:
        announced_waiting = self.began
        while not self.signals.asked:
            self._reap()
            self._start_due()
            if self.phase == "starting":
                if reachable(self.settings):
                    self._ready()
                elif time.monotonic() > announced_waiting + 10:
                    announced_waiting = time.monotonic()
                    self.say(f"  still starting: {', '.join(self._not_running()) or 'not every check passes yet'}")
            self.signals.wait(self._seconds_to_wait())

    def _not_running(self) -> list[str]:
        return [f"{c.name} ended ({c.last_exit})" for c in self.children if not c.pid and c.last_exit]

    def _ready(self) -> None:
        self.phase = "ready"
        self._tell()
        for line in announcement(self.settings, time.monotonic() - self.began):
            self.say(line)
        for line in self.lines:
            self.say(line)
        for name, work in self.after_ready.items():
            self.children.append(Child(name, name, self._forking(name, work), keep=False))

    def _seconds_to_wait(self) -> float:
        if self.phase == "starting":
            return 0.05
        due = [child.due for child in self.children if not child.pid and not child.ended]
        return min(60.0, max(0.0, min(due) - time.monotonic())) if due else 60.0

    def _start_due(self) -> None:
        for child in self.children:
            if not child.pid and not child.ended and child.due <= time.monotonic():
                self._begin(child)

    def _begin(self, child: Child) -> None:
        try:
            child.pid = child.start()
        except (OSError, PostgresError) as e:
            if child.restarts == 0 and self.phase == "starting":
                raise
            self._lost(child, str(e))
            return
        child.began, child.since = time.monotonic(), time.time()
        self._tell()

    def _lost(self, child: Child, how: str) -> None:
        """A child ended: start it again after a while, which doubles until it has stayed up for a minute."""
        if time.monotonic() - child.began > STEADY_SECONDS:
            child.delay_seconds = FIRST_DELAY_SECONDS
        child.pid, child.last_exit, child.since = None, how, time.time()
        child.ended = not child.keep
        child.due = time.monotonic() + child.delay_seconds
        if child.keep:
            child.restarts += 1
            log.get_logger().error(
                "child ended", child=child.name, reason=how, restarts=child.restarts, delay_seconds=child.delay_seconds
            )
        child.delay_seconds = min(child.delay_seconds * 2, LONGEST_DELAY_SECONDS)
        self._tell()

    def _reap(self) -> None:
        """Take the exit of every child that ended, and of orphans that came to us where we are process 1."""
        with suppress(ChildProcessError):
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                if self.postgres and self.postgres.process and self.postgres.process.pid == ended.si_pid:
                    self.postgres.process.wait()
                else:
                    os.waitpid(ended.si_pid, 0)
                for gauge in (self.settings.run_dir / "metrics").glob(f"gauge_live*_{ended.si_pid}.db"):
                    gauge.unlink()  # What a dead process had open or waiting counts no longer.
                for child in self.children:
                    if child.pid == ended.si_pid:
                        self._lost(child, _exit_in_words(ended))

    def _forking(self, name: str, run: Work) -> Callable[[], int]:
        return lambda: fork(f"radi-{name.replace(' ', '-')}", lambda: run(self.settings))

    def _start_postgres(self) -> int:
        assert self.postgres is not None  # noqa: S101  # Only then is there such a child.
        return self.postgres.start().pid

    def _begin_to_prepare(self) -> int:
        """Run `prepare` in a process of its own, beside our imports; returns the pipe by which its answer comes."""
        reading, writing = os.pipe()

        def run(settings: Settings) -> None:
            os.close(reading)
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                pipe.write("\n".join(self.prepare(settings)))

        child = Child("prepare", "prepare", self._forking("prepare", run), keep=False)
        self.children.append(child)
        self._begin(child)
        os.close(writing)
        return reading

    def _await_prepared(self, answer: int) -> list[str]:
        child = self.children[-1]
        with os.fdopen(answer, encoding="utf-8") as pipe:
            self._reap()
            while not child.ended:
                self.signals.wait(1.0)
                self._raise_if_asked()
                self._reap()
            text = pipe.read()
        self.children.remove(child)
        if child.last_exit != "exit code 0":
            raise CannotServe("The database could not be prepared; what was wrong is said above.")
        return text.splitlines()

    def _raise_if_asked(self) -> None:
        if self.signals.asked:
            raise _StopAsked

    def _drain(self) -> None:
        """Let children end what they do, up to the limit; then the database."""
        self.phase = "draining"
        self._tell()
        running = [child for child in self.children if child.pid and child.role != "postgres"]
        if running and self.signals.asked:
            self.say("stopping: running transfers may end")
        self._send(signal.SIGTERM)
        self._await_end(self.settings.drain_seconds + 2)
        self._send(signal.SIGKILL)
        self._await_end(KILL_SECONDS)
        if self.postgres:
            self.postgres.stop()
        self.phase = "stopped"
        state_file(self.settings.run_dir).unlink(missing_ok=True)

    def _send(self, number: signal.Signals) -> None:
        for child in self.children:
            if child.pid and child.role != "postgres":
                with suppress(ProcessLookupError):
                    os.kill(child.pid, number)

    def _await_end(self, seconds: float) -> None:
        """Until no child but the database runs, the time is over, or somebody asks a second time."""
        until, asked = time.monotonic() + seconds, self.signals.asked
        for child in self.children:
            child.keep = False
        while any(child.pid and child.role != "postgres" for child in self.children):
            self.signals.wait(min(0.5, max(0.0, until - time.monotonic())))
            self._reap()
            if time.monotonic() >= until or self.signals.asked > max(asked, 1):
                return

    def _tell(self) -> None:
        children = tuple(child.state() for child in self.children)
        write_state(self.settings.run_dir, SupervisorState(self.phase, os.getpid(), self.started_at, children))


class Signals:
    """SIGTERM, SIGINT, SIGHUP and SIGCHLD as something to wait for; `asked` counts the wishes to stop."""

    STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def __init__(self) -> None:
        self.asked = 0

    def __enter__(self) -> "Signals":
        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)
        self._writing.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._reading, selectors.EVENT_READ)
        self._before = {number: signal.signal(number, self._take) for number in (*self.STOPPING, signal.SIGCHLD)}
        signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._selector.close()
        self._reading.close()
        self._writing.close()

    def wait(self, seconds: float) -> None:
        """Until a signal comes, or this many seconds are over."""
        if self._selector.select(seconds):
            with suppress(BlockingIOError):
                while self._reading.recv(512):
                    pass

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if number in self.STOPPING:
            self.asked += 1


def share_metrics(folder: Path) -> None:
    """An empty folder in which the metrics of all processes meet; the client library looks for it when imported."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def preload(modules: Iterable[str]) -> None:
    """Import what the children need, once, and keep the collector from touching (and so copying) these pages."""
    # The numerical library would start threads that nobody here uses, and we want to fork.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:
            log.get_logger().exception("module cannot be imported", reason=name)
    gc.collect()
    gc.freeze()


@contextmanager
def hold_data_dir(settings: Settings) -> Generator[None]:
    """Be the only one on this data folder. Raises CannotServe when another holds it, or it cannot be written."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.run_dir.mkdir(mode=0o700, exist_ok=True)
        lock = (settings.run_dir / "lock").open("a+")
    except OSError as e:
        raise CannotServe(
            f"The data folder {settings.data_dir} cannot be written ({e.strerror}). Set RADI_DATA_DIR to one that can."
        ) from e
    with lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            lock.seek(0)
            raise DataDirInUse(
                f"The data folder {settings.data_dir} is in use by process {lock.read().strip() or 'unknown'}. "
                "Stop that one, or set RADI_DATA_DIR to another folder."
            ) from e
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def check_ports(settings: Settings) -> None:
    """Try each port as somebody who does not share it. Raises CannotServe with the port and its setting."""
    ports = {"RADI_HTTP_PORT": settings.http_port, "RADI_DICOM_PORT": settings.dicom_port}
    if settings.offers_tls:
        ports["RADI_DICOM_TLS_PORT"] = settings.dicom_tls_port
    ports |= settings.hl7_ports
    for (name, port), (other, same) in itertools.combinations(ports.items(), 2):
        if port == same:
            raise CannotServe(f"{name} and {other} are both {port}; they must differ.")
    for name, port in ports.items():
        family = socket.AF_INET6 if ":" in settings.bind_address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.bind_address, port))
                probe.listen(1)
            except OSError as e:
                raise CannotServe(_port_sentence(settings.bind_address, name, port, e)) from e


def _port_sentence(address: str, name: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program. Stop that one, or choose another port: {name}={port + 1}"
    if error.errno == errno.EACCES:
        return f"Port {port} may only be opened by root. Choose one above 1023: {name}={port + 10_000}"
    return f"Port {port} cannot be opened on {address} ({error.strerror}). See RADI_BIND_ADDRESS and {name}."


def reachable(settings: Settings) -> bool:
    """Whether `/health/ready` answers 200 and the ports of DICOM and HL7 take connections."""
    host = local_address(settings.bind_address)
    try:
        connection = HTTPConnection(host, settings.http_port, timeout=2)
        try:
            connection.request("GET", "/health/ready")
            if connection.getresponse().status != 200:
                return False
        finally:
            connection.close()
        for port in (settings.dicom_port, *settings.hl7_ports.values()):
            socket.create_connection((host, port), timeout=1).close()
    except (OSError, HTTPException):
        return False
    return True


def local_address(bind_address: str) -> str:
    """The address under which this machine reaches what is bound there."""
    with suppress(ValueError):
        address = ipaddress.ip_address(bind_address)
        if address.is_unspecified:
            return "127.0.0.1" if address.version == 4 else "::1"
    return bind_address


def is_loopback(bind_address: str) -> bool:
    """Whether only this machine reaches what is bound there."""
    try:
        return ipaddress.ip_address(bind_address).is_loopback
    except ValueError:
        return bind_address == "localhost"


def announcement(settings: Settings, seconds: float) -> Iterator[str]:
    """The lines that say where everything is."""
    host = local_address(settings.bind_address)
    base = f"http://{f'[{host}]' if ':' in host else host}:{settings.http_port}"
    yield f"radiology is ready after {seconds:.1f} s"
    yield f"  web          {base}/                   images: {base}/viewer/"
    yield f"  REST         {base}/api/radiology    reference: {base}/docs"
    yield f"  DICOMweb     {base}/dicomweb"
    yield f"  DICOM        AE title {settings.ae_title}, host {host}, port {settings.dicom_port}"
    if settings.offers_tls:
        yield f"  DICOM (TLS)  host {host}, port {settings.dicom_tls_port}"
    if settings.hl7_port:
        yield f"  HL7          host {host}, port {settings.hl7_port}"
    if settings.hl7_tls_port:
        yield f"  HL7 (TLS)    host {host}, port {settings.hl7_tls_port}"
    yield f"  data         {settings.data_dir}"


def _embedded(settings: Settings, say: Say) -> EmbeddedPostgres:
    return EmbeddedPostgres(
        settings.data_dir,
        settings.socket_dir,
        pg_bin=settings.pg_bin,
        shared_buffers_mib=settings.pg_shared_buffers_mib,
        progress=say,
    )


@contextmanager
def database(settings: Settings, *, say: Say) -> Generator[None]:
    """Have the database running for a command: the service's where it runs, else our own until the command is done."""
    with ExitStack() as stack:
        if settings.embedded_database:
            with suppress(DataDirInUse):
                stack.enter_context(hold_data_dir(settings))
                stack.enter_context(_embedded(settings, say))
        yield


def _exit_in_words(ended: "os.waitid_result") -> str:
    if ended.si_code == os.CLD_EXITED:
        return f"exit code {ended.si_status}"
    return f"signal {signal.Signals(ended.si_status).name}"
