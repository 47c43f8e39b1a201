"""What a newcomer waits for and pays: the first `./radi demo` from a clean clone, the second start, idle memory."""

import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench import check, results
from bench.peers import answers, free_port, running, service_environment, wait_until_ready
from bench.processes import command, pss_kib, tree, tree_pss_mib
from bench.sets import CACHE, ROOT

FIRST_DEMO_SECONDS = 600
IDLE_SECONDS = 15  # Before memory is read: time for jobs of the start to end.


def run() -> int:
    """Measure, print, write and judge. The exit status."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="clone-", dir=CACHE) as folder:
        figures, processes = measure(Path(folder))
    text = "\n".join(["| figure | |", "|---|---:|", *(f"| {key} | {value:g} |" for key, value in figures.items())])
    listing = "\n".join(["| process | PSS, MiB |", "|---|---:|", *(f"| {name} | {mib:g} |" for name, mib in processes)])
    print(f"{text}\n\n{listing}")
    results.write("footprint", figures, {"processes": processes}, f"{text}\n\n{listing}")
    return check.check(["footprint"])


def measure(folder: Path) -> tuple[dict[str, float], list[tuple[str, float]]]:
    """The figures, and the idle memory of each process."""
    clone, port = folder / "clone", free_port()
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True, timeout=120)
    environment = cold(folder) | service_environment(folder / "data", port, free_port())
    first = seconds_of_first_demo(clone, environment, folder / "first.txt", port)
    second, idle, processes = second_start(clone, environment, folder / "second.txt", port)
    figures = {"first_demo_seconds": first, "second_start_seconds": second, "idle_pss_mib": idle}
    return {key: round(value, 1) for key, value in figures.items()}, processes


def cold(folder: Path) -> dict[str, str]:
    """Empty caches of the package installers, so that what a newcomer must fetch is fetched."""
    names = ("UV_CACHE_DIR", "PIP_CACHE_DIR", "npm_config_cache", "XDG_CACHE_HOME")
    return {name: str(folder / "cache" / name.lower()) for name in names}


def seconds_of_first_demo(clone: Path, environment: Mapping[str, str], log: Path, port: int) -> float:
    """Until the demo is ready and says that its samples are loaded."""
    began = time.monotonic()
    with running(["./radi", "demo"], environment, log, folder=clone) as process:
        while not ("are loaded" in log.read_text(errors="replace") and answers(port, "/health/ready")):
            if process.poll() is not None or time.monotonic() - began > FIRST_DEMO_SECONDS:
                raise RuntimeError(f"the demo did not come up: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        return time.monotonic() - began


def second_start(
    clone: Path, environment: Mapping[str, str], log: Path, port: int
) -> tuple[float, float, list[tuple[str, float]]]:
    """Seconds until ready again, then the idle memory in MiB: together, and of each process."""
    began = time.monotonic()
    with running(["./radi", "demo"], environment, log, folder=clone) as process:
        wait_until_ready(process, log, port, "/health/ready")
        seconds = time.monotonic() - began
        time.sleep(IDLE_SECONDS)
        processes = [(command(pid), round(pss_kib(pid) / 1024, 1)) for pid in tree(process.pid)]
        return seconds, tree_pss_mib(process.pid), processes
