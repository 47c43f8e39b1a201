"""The command `radi` as people run it: a process of its own, over the database of the test."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from radiology.settings import Settings

RADI = Path(sys.executable).with_name("radi")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def radi(settings: Settings, *words: str | Path, entered: str = "") -> Ended:
    """Run a command until it ends."""
    done = subprocess.run(
        [RADI, *words],
        env=environment(settings),
        input=entered,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def environment(settings: Settings) -> dict[str, str]:
    """Variables by which a process of its own has the database and the folder of the test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RADI_")}
    return kept | {"DATABASE_URL": settings.database_dsn, "RADI_DATA_DIR": str(settings.data_dir)}
