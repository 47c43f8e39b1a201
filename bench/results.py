"""Where results are kept: `bench/results/NAME.json` for programs and `NAME.md` for readers."""

import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.sets import CACHE, ROOT

RESULTS = Path(__file__).with_name("results")
FSYNCS = 100


def write(name: str, figures: Mapping[str, float], details: Mapping[str, object], text: str) -> None:
    """Keep the figures that budgets are compared with, what stands behind them, and a text for readers."""
    RESULTS.mkdir(exist_ok=True)
    run = about()
    kept = {"run": run, "figures": dict(figures), **details}
    (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
    heading = "\n".join(f"- {key}: {value}" for key, value in run.items())
    (RESULTS / f"{name}.md").write_text(f"# {name}\n\n{heading}\n\n{text}\n")


def figures(name: str) -> dict[str, float]:
    """The figures of the last whole run; empty when there was none."""
    path = RESULTS / f"{name}.json"
    return dict(json.loads(path.read_text())["figures"]) if path.is_file() else {}


def about() -> dict[str, str]:
    """When, with what and on what kind of machine: no names of hosts, people or folders."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _said("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD") + ("" if _clean() else ", changed"),
        "radiology": version("radiology"),
        "orthanc": _number(_said("Orthanc", "--version")),
        "dcmtk": _number(_said("dcmsend", "--version")),
        "processor": f"{_cpu_model()}, {_cpu_count()} logical processors",
        "fsync of 4 KiB": f"{_fsync_milliseconds():.1f} ms (median of {FSYNCS})",
        "kernel": _number(_said("uname", "-r")),
    }


def _fsync_milliseconds() -> float:
    CACHE.mkdir(parents=True, exist_ok=True)
    times: list[float] = []
    with tempfile.TemporaryFile(dir=CACHE) as file:
        for _ in range(FSYNCS):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def _said(*argv: str) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False).stdout.strip()
    except OSError:
        return "not installed"


def _number(text: str) -> str:
    found = re.search(r"\d+\.\d+(\.\d+)?", text)
    return found.group() if found else text


def _clean() -> bool:
    return not _said("git", "-C", str(ROOT), "status", "--porcelain", "--", "src", "bench")


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _cpu_count() -> int:
    return sum(line.startswith("processor") for line in Path("/proc/cpuinfo").read_text().splitlines())
