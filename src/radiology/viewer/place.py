"""Where the viewer that fits this version of the service lies, and how it is called."""

import hashlib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from radiology.viewer.package import INTEGRITY, VERSION

ROOT = "/viewer/"


@lru_cache(maxsize=1)
def key() -> str:
    """A name for exactly the files that this version of the service makes."""
    digest = hashlib.sha256(INTEGRITY.encode())
    digest.update(files("radiology.viewer").joinpath("patches.py").read_bytes())
    return f"{VERSION}-{digest.hexdigest()[:12]}"


def base_of(name: str) -> str:
    """The path below which the files of a key are served."""
    return f"{ROOT}{name}/"


def built(viewer_dir: Path) -> Path | None:
    """The folder of the viewer, or None where it has not been made yet."""
    folder = viewer_dir / key()
    return folder if folder.is_dir() else None
