"""Places that processes share: each is given once, and those of a process that died are free again."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from radiology.kit import slots

OTHER = """
import sys
from pathlib import Path
from radiology.kit import slots

folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
taken = 0
while slots.take(folder, name, count) is not None:
    taken += 1
print(taken, flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(folder: Path, name: str, count: int) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A process that has taken all places that were free, and how many those were."""
    argv = [sys.executable, "-c", OTHER, str(folder), name, str(count)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())


def test_a_process_takes_each_place_once(tmp_path: Path) -> None:
    first, second = slots.take(tmp_path, "CT1", 2), slots.take(tmp_path, "CT1", 2)
    assert first is not None
    assert second is not None
    assert slots.take(tmp_path, "CT1", 2) is None
    assert slots.take(tmp_path, "CT2", 2) is not None
    first.give_back()
    first.give_back()
    assert slots.take(tmp_path, "CT1", 2) is not None
    assert slots.take(tmp_path, "CT1", 2) is None


def test_processes_share_the_places_and_leave_them_when_they_die(tmp_path: Path) -> None:
    mine = [slots.take(tmp_path, "CT1", 5) for _ in range(2)]
    with another_process(tmp_path, "CT1", 5) as (process, taken):
        assert taken == 3
        assert slots.take(tmp_path, "CT1", 5) is None
        assert mine[0] is not None
        mine[0].give_back()
        assert slots.take(tmp_path, "CT1", 5) is not None
        process.kill()
        process.wait()
    assert slots.take(tmp_path, "CT1", 5, wait_seconds=5) is not None
