"""What the kernel says about a process and its children: who they are and how much memory they hold."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

SAMPLE_SECONDS = 0.1


def parents() -> dict[int, int]:
    """The parent's pid of every process that can be seen."""
    found: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            stat = _read(entry / "stat")
            if stat:  # A process may end between the listing and the reading.
                found[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    return found


def tree(root: int) -> list[int]:
    """The pid `root` and all that descend from it."""
    parent_of = parents()
    pids: list[int] = []
    queue = [root] if root in parent_of else []
    while queue:
        pid = queue.pop()
        pids.append(pid)
        queue.extend(child for child, parent in parent_of.items() if parent == pid)
    return sorted(pids)


def status_kib(pid: int, key: str) -> int:
    """A line such as `VmHWM` or `VmRSS` of the process's status, in KiB; 0 when the process is gone."""
    return _kib(_read(Path(f"/proc/{pid}/status")), key)


def pss_kib(pid: int) -> int:
    """The proportional share of the process: shared pages are divided among those who share them. KiB."""
    return _kib(_read(Path(f"/proc/{pid}/smaps_rollup")), "Pss")


def command(pid: int) -> str:
    """A short name of the process: what it runs and its first argument, without folders."""
    words = _read(Path(f"/proc/{pid}/cmdline")).split("\0")
    if words[0].startswith("postgres:"):
        return " ".join(words[0].split()[:3])
    return " ".join(Path(word).name for word in words[:4] if word)[:60]


def forget_peak(pid: int) -> None:
    """Make the present size the peak (`VmHWM`), so that what follows is measured alone."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        return  # Gone meanwhile.


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _kib(text: str, key: str) -> int:
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0])
    return 0


@dataclass
class Growth:
    """How much a process grew: resident before (0 for one that began later) and at its peak, in KiB."""

    command: str
    before_kib: int
    peak_kib: int = 0

    @property
    def grown_mib(self) -> float:
        """Peak minus before, MiB."""
        return (self.peak_kib - self.before_kib) / 1024


@dataclass
class PeakMemory:
    """Watches a tree of processes while the `with` block runs; `growth` then tells each one's peak.

    The peak itself is the kernel's (`VmHWM`), so that nothing between two samples is missed; sampling only
    finds processes that come and go.
    """

    root: int
    growth: dict[int, Growth] = field(default_factory=dict[int, Growth])

    def __enter__(self) -> "PeakMemory":
        for pid in tree(self.root):
            forget_peak(pid)
            self.growth[pid] = Growth(command(pid), status_kib(pid, "VmRSS"))
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._sample()

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self._sample()

    def _sample(self) -> None:
        for pid in tree(self.root):
            known = self.growth.setdefault(pid, Growth(command(pid), 0))
            known.peak_kib = max(known.peak_kib, status_kib(pid, "VmHWM"))

    def most(self) -> Growth:
        """The process that grew most."""
        return max(self.growth.values(), key=lambda one: one.grown_mib)


def tree_pss_mib(root: int) -> float:
    """What all processes under `root` hold together, in MiB."""
    return sum(pss_kib(pid) for pid in tree(root)) / 1024
