"""Nothing that was read is lost or recorded twice: a process that is killed, a database that is away, a full disk."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from radiology.audit import spool as spools
from radiology.audit.spool import Spool
from radiology.audit.trail import Access, Trail, open_trail
from radiology.errors import Unavailable
from radiology.kit.db import Writer
from radiology.settings import Settings

READER = """
import sys
from pathlib import Path
from radiology.audit import trail
from radiology.audit.trail import Access, Trail
trail.LINGER_SECONDS = 0.02
kept = Trail(sys.argv[1], Path(sys.argv[2]))
kept.start()
number = 0
while True:
    kept.keep(Access("account:x", "study.read", f"1.2.{number}"))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    number += 1
"""
AWAY = "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1"


def recorded(settings: Settings) -> list[str]:
    writer = Writer(settings.database_dsn)
    with writer.transaction() as tx:
        found = tx.values("SELECT subject FROM audit_events WHERE action = 'study.read'")
    writer.close()
    return found


def taken_up(settings: Settings) -> list[str]:
    """What is recorded when the next process has started and ended."""
    trail = open_trail(settings)
    trail.start()
    trail.stop()
    return recorded(settings)


def test_a_process_that_is_killed_loses_nothing_and_nothing_is_recorded_twice(settings: Settings) -> None:
    for moment in (0.1, 0.35, 0.6):
        arguments = [sys.executable, "-c", READER, settings.database_dsn, str(settings.audit_dir)]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        told = [process.stdout.readline()]  # It runs.
        until = time.monotonic() + moment
        while time.monotonic() < until:
            told.append(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        told += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        shown = {f"1.2.{line.strip()}" for line in told if line.endswith("\n")}
        found = taken_up(settings)
        assert len(found) == len(set(found))
        assert shown <= set(found)
        assert len(set(found) - shown) <= 1  # What was kept and not yet told.
        assert list(settings.audit_dir.glob("*.spool")) == []
        _forget(settings)


def _forget(settings: Settings) -> None:
    writer = Writer(settings.database_dsn)
    with writer.transaction() as tx:
        tx.run("SET LOCAL session_replication_role = replica")
        tx.run("DELETE FROM audit_arrivals")
    writer.close()


def test_while_the_database_is_away_everything_waits_and_the_next_process_takes_it(settings: Settings) -> None:
    trail = Trail(AWAY, settings.audit_dir)
    trail.start()
    for number in range(50):
        trail.keep(Access("account:x", "study.read", f"1.2.{number}"))
    trail.stop()
    assert not trail.healthy
    assert trail.lost == 0
    assert sorted(taken_up(settings)) == sorted(f"1.2.{number}" for number in range(50))
    assert len(taken_up(settings)) == 50


def test_what_was_committed_before_the_crash_is_not_taken_again(settings: Settings) -> None:
    trail = open_trail(settings)
    for number in range(3):
        trail.keep(Access("account:x", "study.read", f"1.2.{number}"))
    left = trail._spool  # pyright: ignore[reportPrivateUsage] - as if it died just after the commit.
    assert left is not None
    trail._take(left)  # pyright: ignore[reportPrivateUsage]
    trail._database.close()  # pyright: ignore[reportPrivateUsage]
    left.close()
    assert len(taken_up(settings)) == 3


def test_the_file_of_a_living_process_is_left_alone(settings: Settings) -> None:
    trail = open_trail(settings)
    trail.keep(Access("account:x", "study.read", "1.2.3"))
    assert taken_up(settings) == []
    trail.start()
    trail.stop()
    assert recorded(settings) == ["1.2.3"]


def test_a_line_that_a_power_cut_has_torn_is_set_aside(settings: Settings) -> None:
    trail = open_trail(settings)
    trail.keep(Access("account:x", "study.read", "1.2.3"))
    left = trail._spool  # pyright: ignore[reportPrivateUsage]
    assert left is not None
    left.close()
    with left.path.open("ab") as file:
        file.write(b'["0199')
    assert taken_up(settings) == ["1.2.3"]
    assert [path.suffix for path in settings.audit_dir.iterdir()] == [".damaged"]


def test_text_that_a_database_cannot_hold_does_not_hold_up_the_rest(settings: Settings) -> None:
    trail = open_trail(settings)
    for subject in ("1.2\0.3", "half \ud800 of it", "\\u0000"):
        trail.keep(Access("account:x", "study.read", subject, detail={"at": subject}))
    trail.start()
    trail.stop()
    assert sorted(recorded(settings)) == ["1.2.3", "\\u0000", "half ? of it"]


@pytest.mark.parametrize("strict", [False, True])
def test_where_nothing_can_be_kept_strict_mode_refuses(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, strict: bool
) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    trail = Trail(settings.database_dsn, settings.audit_dir, strict=strict)
    access = Access("account:x", "study.read", "1.2.3")
    trail.keep(access)
    monkeypatch.setattr(spools.os, "write", full)
    if strict:
        with pytest.raises(Unavailable, match="cannot be recorded"):
            trail.keep(access)
    else:
        trail.keep(access)
    trail.keep(access, after_the_fact=True)
    assert trail.lost == 2


def test_what_may_wait_is_bounded(tmp_path: Path) -> None:
    trail = Trail(AWAY, tmp_path, strict=True, limit_bytes=2_000)
    while trail.waiting_bytes < 2_000:
        trail.keep(Access("account:x", "study.read", "1.2.3"))
    with pytest.raises(Unavailable):
        trail.keep(Access("account:x", "study.read", "1.2.3"))


def test_a_write_that_was_cut_short_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool.new(tmp_path)
    spool.append(b"one\n")
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(spools.os, "write", lambda descriptor, line: write(descriptor, line[:2]))
        with pytest.raises(OSError, match="full"):
            spool.append(b"two\n")
    spool.append(b"three\n")
    assert spool.lines(0) == ([b"one", b"three"], 10)
    spool.remove()
