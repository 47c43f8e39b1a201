"""The embedded PostgreSQL: made once, started beside the remains of any crash, by root and by others."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from radiology.kit import postgres
from radiology.kit.postgres import EmbeddedPostgres, Identity, PostgresError, bundled_programs

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


@pytest.fixture
def socket_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="radi-test-"))
    yield folder / "socket"
    shutil.rmtree(folder)


@pytest.fixture
def server(tmp_path: Path, socket_dir: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "data", socket_dir, durable=False)
    yield server
    server.stop()


def ask(server: EmbeddedPostgres, query: str) -> object:
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
        return row[0] if row else None


def test_starts_stops_and_keeps_data_with_bangla_search(server: EmbeddedPostgres) -> None:
    with server:
        with psycopg.connect(server.dsn) as connection:
            connection.execute("CREATE EXTENSION pg_trgm")
            connection.execute("CREATE TABLE kept AS SELECT 41 + 1 AS value")
        assert ask(server, "SELECT show_trgm('বুকের') <> '{}'")
        assert ask(server, "SELECT similarity('বুকের এক্স-রে', 'বুকের এক্সরে')") == pytest.approx(0.6875)
        assert ask(server, "SELECT lower('ÀÉ')") == "àé"
        assert ask(server, "SHOW data_checksums") == "on"
        assert ask(server, "SHOW listen_addresses") == ""
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
    with server:
        assert ask(server, "SELECT value FROM kept") == 42
    assert server.process is None
    assert not server.socket_dir.exists()


def test_a_cluster_half_made_is_thrown_away(server: EmbeddedPostgres) -> None:
    half = server.data_dir / "postgres.new-half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with server:
        assert ask(server, "SELECT 1") == 1
    assert not half.exists()


def test_an_orphan_of_a_killed_supervisor_is_ended(server: EmbeddedPostgres) -> None:
    """Started by a process that is then killed, without the signal that would end it with its parent."""
    code = (
        "import os, pathlib, sys; from radiology.kit import postgres; postgres.END_WITH_PARENT = ('false',);"
        "server = postgres.EmbeddedPostgres(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), durable=False);"
        "server.start(); server.wait_ready(); print(server.process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", code, str(server.data_dir), str(server.socket_dir)]
    orphan = int(subprocess.run(command, capture_output=True, check=False).stdout)
    os.kill(orphan, 0)
    with server:
        assert ask(server, "SELECT 1") == 1
        assert server.process is not None
        assert server.process.pid != orphan
    assert not postgres._is_server_of(orphan, server.cluster)


def test_the_server_ends_with_its_parent(server: EmbeddedPostgres) -> None:
    code = (
        "import os, pathlib, sys; from radiology.kit import postgres;"
        "server = postgres.EmbeddedPostgres(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), durable=False);"
        "server.start(); server.wait_ready(); print(server.process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    if not postgres._runs(postgres.END_WITH_PARENT):
        pytest.skip("this system's setpriv knows no --pdeathsig, or there is none")
    command = [sys.executable, "-c", code, str(server.data_dir), str(server.socket_dir)]
    pid = int(subprocess.run(command, capture_output=True, check=False).stdout)
    until = time.monotonic() + 30
    while postgres._is_server_of(pid, server.cluster):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_killed_server_recovers_what_was_committed(server: EmbeddedPostgres) -> None:
    with server:
        with psycopg.connect(server.dsn) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 100) AS value")
        assert server.process is not None
        server.process.kill()
        server.process.wait()
    with server:
        assert ask(server, "SELECT count(*) FROM kept") == 100


def test_a_zombie_or_a_stranger_with_the_old_pid_does_not_stop_us(server: EmbeddedPostgres) -> None:
    with server:
        pass
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        for pid in (zombie.pid, stranger.pid):
            server.socket_dir.mkdir(mode=0o700)
            trace = f"{pid}\n{server.cluster}\n1700000000\n5432\n{server.socket_dir}\n\n 0 0\nready   \n"
            (server.cluster / "postmaster.pid").write_text(trace)
            (server.socket_dir / ".s.PGSQL.5432.lock").write_text(trace)
            with server:
                assert ask(server, "SELECT 1") == 1
    finally:
        stranger.kill()
        stranger.wait()
        zombie.wait()


def test_another_major_version_is_refused_and_nothing_changed(server: EmbeddedPostgres) -> None:
    server.cluster.mkdir(parents=True, mode=0o700)
    (server.cluster / "PG_VERSION").write_text("15\n")
    with pytest.raises(PostgresError, match=r"made by PostgreSQL 15.*RADI_PG_BIN"):
        server.start()
    assert [file.name for file in server.cluster.iterdir()] == ["PG_VERSION"]


def test_a_server_that_ends_while_starting_says_its_last_words(server: EmbeddedPostgres) -> None:
    with server:
        pass
    (server.cluster / "global" / "pg_control").write_bytes(b"")
    server.start()
    with pytest.raises(PostgresError, match=r"ended while starting.*pg_control"):
        server.wait_ready()


def test_programs_that_are_not_there_are_named(tmp_path: Path, socket_dir: Path) -> None:
    server = EmbeddedPostgres(tmp_path, socket_dir, pg_bin=tmp_path / "bin")
    with pytest.raises(PostgresError, match="RADI_PG_BIN"):
        server.start()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path, socket_dir: Path) -> None:
    socket_dir.symlink_to(tmp_path)
    with pytest.raises(PostgresError, match="RADI_RUNTIME_DIR"):
        EmbeddedPostgres(tmp_path / "data", socket_dir, durable=False).start()


def test_stop_comes_through_where_the_fast_way_does_not(server: EmbeddedPostgres) -> None:
    with server:
        assert server.process is not None
        process = server.process
        process.send_signal(signal.SIGSTOP)
        server.stop(limit_seconds=0.1)
        process.send_signal(signal.SIGCONT)
    assert process.returncode is not None


@ROOT_ONLY
def test_root_uses_a_user_namespace_and_files_stay_roots(server: EmbeddedPostgres) -> None:
    if not postgres._runs(postgres.IN_NAMESPACE):
        pytest.skip("user namespaces are refused here")
    assert postgres.choose_identity(server.cluster) == Identity(prefix=postgres.IN_NAMESPACE)
    with server:
        assert server.cluster.stat().st_uid == 0


@ROOT_ONLY
def test_root_becomes_nobody_where_namespaces_are_refused(
    server: EmbeddedPostgres, socket_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`unshare` masked; and neither data folder (pytest's, 0700) nor programs may be entered by others."""
    masked = tmp_path / "path"
    masked.mkdir()
    for tool in ("true", "setpriv"):
        if found := shutil.which(tool):
            (masked / tool).symlink_to(found)
    monkeypatch.setenv("PATH", str(masked))
    socket_dir.parent.chmod(0o755)
    monkeypatch.setattr(postgres, "OUTSIDE_HOME", socket_dir.parent / "lib")
    package = bundled_programs().parents[1]
    shutil.copytree(package / "pginstall", tmp_path / package.name / "pginstall", symlinks=True)
    if (libraries := package.with_name(f"{package.name}.libs")).is_dir():
        shutil.copytree(libraries, tmp_path / libraries.name)
    server.pg_bin = tmp_path / package.name / "pginstall" / "bin"
    for _ in range(2):
        with server:
            assert ask(server, "SELECT 1") == 1
            assert server.cluster.is_relative_to(socket_dir.parent / "lib")
            assert server.cluster.owner() == "nobody"
    monkeypatch.undo()
    assert postgres.choose_identity(server.cluster) == Identity(user="nobody")


@ROOT_ONLY
def test_a_cluster_made_in_a_namespace_is_given_to_nobody_where_that_is_refused(
    socket_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not postgres._runs(postgres.IN_NAMESPACE):
        pytest.skip("user namespaces are refused here")
    socket_dir.parent.chmod(0o755)
    server = EmbeddedPostgres(socket_dir.parent / "data", socket_dir, durable=False)
    with server:
        assert server.cluster.owner() == "root"
    monkeypatch.setattr(postgres, "IN_NAMESPACE", ("false",))
    with server:
        assert ask(server, "SELECT 1") == 1
        assert server.cluster.owner() == "nobody"


def test_an_ordinary_user_needs_nothing_special(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert postgres.choose_identity(tmp_path) == Identity()


@ROOT_ONLY
def test_an_ordinary_user_starts_it(socket_dir: Path) -> None:
    if not postgres._enterable(Path(sys.executable).resolve()) or not postgres._enterable(bundled_programs()):
        pytest.skip("this Python or its packages cannot be reached by other accounts")
    home = socket_dir.parent
    os.chown(home, 65534, 65534)
    code = (
        "import pathlib, sys; from radiology.kit.postgres import EmbeddedPostgres;"
        "home = pathlib.Path(sys.argv[1]);"
        "server = EmbeddedPostgres(home / 'data', home / 'socket', durable=False);"
        "server.start(); server.wait_ready(); print('up'); server.stop()"
    )
    command = [sys.executable, "-c", code, str(home)]
    done = subprocess.run(command, capture_output=True, check=False, user="nobody", text=True, cwd="/")
    assert done.stdout == "up\n", done.stderr
