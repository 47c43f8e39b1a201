"""Make the viewer: fetch, verify, strip, patch, compress; the whole appears under its key at once, or not at all."""

import fcntl
import gzip
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from radiology.viewer import patches
from radiology.viewer.package import CannotBuild, Node, fetch, find_node, unpack, verify
from radiology.viewer.place import base_of, built, key

COMPRESSED = (".js", ".css", ".wasm", ".html", ".svg", ".json")
LEAST_BYTES = 1024
GZIP_LEVEL = 9
#: Node has Brotli and Python has not; 9 of 11 costs a tenth of the time of 11 for some percent more bytes.
_BROTLI = """
const fs = require("fs"), zlib = require("zlib");
const [, quality, ...names] = process.argv;
const parameters = {[zlib.constants.BROTLI_PARAM_QUALITY]: Number(quality)};
for (const name of names) {
    fs.writeFileSync(name + ".br", zlib.brotliCompressSync(fs.readFileSync(name), {params: parameters}));
}
"""
BROTLI_QUALITY = 9
BROTLI_SECONDS = 300

Say = Callable[[str], None]


def ensure(viewer_dir: Path, *, say: Say, package: Path | None = None) -> Path:
    """The folder of the viewer, which is made where it is not there. Raises CannotBuild.

    `package` is the package as a file, for machines that have no network. Several processes may call this at once.
    """
    if (folder := built(viewer_dir)) is not None:
        return folder
    with _alone(viewer_dir):
        if (folder := built(viewer_dir)) is not None:
            return folder
        return _make(viewer_dir, say, package)


def _make(viewer_dir: Path, say: Say, package: Path | None) -> Path:
    began = time.monotonic()
    folder = viewer_dir / key()
    for broken_off in viewer_dir.glob(".making-*"):  # The lock is ours: nobody is at work there.
        shutil.rmtree(broken_off, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=viewer_dir, prefix=".making-") as making:
        whole = Path(making) / "whole"
        whole.mkdir()
        node = None if package else find_node()
        if package is not None:
            verify(package)
        elif node is not None:
            say("fetching the viewer (OHIF), once")
            package = fetch(node, Path(making))
        assert package is not None  # noqa: S101 - one of the two gave it.
        unpack(package, whole)
        patches.apply(whole, base_of(key()))
        _compress(whole, node)
        os.replace(whole, folder)
    _remove_others(viewer_dir)
    say(f"the viewer is ready ({time.monotonic() - began:.0f} s)")
    return folder


def _compress(folder: Path, node: Node | None) -> None:
    """Beside each file its gzip form, and its Brotli form where Node is at hand."""
    large = [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix in COMPRESSED and file.stat().st_size >= LEAST_BYTES
    ]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        written = threads.map(_gzip, large)
        if node is not None:
            _brotli(node, large)
        list(written)


def _gzip(file: Path) -> None:
    content = gzip.compress(file.read_bytes(), GZIP_LEVEL, mtime=0)
    file.with_name(file.name + ".gz").write_bytes(content)


def _brotli(node: Node, large: list[Path]) -> None:
    command = [*node.node, "-e", _BROTLI, str(BROTLI_QUALITY), *map(str, large)]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=BROTLI_SECONDS)  # noqa: S603
        complete = done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        complete = False
    if not complete:  # It is a convenience: gzip is there.
        for file in large:
            file.with_name(file.name + ".br").unlink(missing_ok=True)


def _remove_others(viewer_dir: Path) -> None:
    """Viewers of other versions go, but for the last one: pages that are open now still ask for its files."""
    others = [each for each in viewer_dir.iterdir() if each.is_dir() and len(each.name) == len(key())]
    others.sort(key=lambda each: each.stat().st_mtime, reverse=True)
    for each in others[2:]:
        shutil.rmtree(each, ignore_errors=True)


@contextmanager
def _alone(viewer_dir: Path) -> Generator[None]:
    """One maker at a time; the others wait, and find what it made."""
    try:
        viewer_dir.mkdir(parents=True, exist_ok=True)
        lock = (viewer_dir / "lock").open("w")
    except OSError as error:
        raise CannotBuild(f"The folder {viewer_dir} cannot be written ({error.strerror}).") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
