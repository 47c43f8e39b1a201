"""Every package that is shipped has a licence that may be shipped with Apache-2.0."""

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

#: Weak copyleft is used as it comes, without a change of ours.
ALLOWED = re.compile(
    r"MIT|BSD|Apache|ISC|HPND|PSF|Python Software Foundation|0BSD|Zlib|Unlicense|CC0|MPL|Mozilla|LGPL|Lesser|PostgreSQL"
)
FORBIDDEN = re.compile(r"(?<!L)(?<!Lesser )\bA?GPL|(?<!Lesser )General Public License|Affero")
#: Their metadata names no licence; who looked wrote it down here.
LOOKED_UP: dict[str, str] = {}


def shipped() -> Iterator[str]:
    """The names of all packages that an installation without development tools has."""
    lock = tomllib.loads(Path("uv.lock").read_text(encoding="utf-8"))
    packages = {package["name"]: package for package in lock["package"]}
    waiting, seen = ["radiology"], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        package = packages[name]
        extras = [each for group in package.get("optional-dependencies", {}).values() for each in group]
        waiting += [each["name"] for each in (*package.get("dependencies", ()), *extras)]
    yield from sorted(seen - {"radiology"})


def licence(name: str) -> str | None:
    """What a package says of its licence; None where it is not installed here (another system's)."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return None
    classified = [each for each in said.get_all("Classifier") or () if each.startswith("License")]
    return " ".join([said.get("License-Expression") or (said.get("License") or "")[:80], *classified]).strip()


def main() -> None:
    """Exit with 1 where a licence is not known or may not be shipped."""
    bad = []
    for name in shipped():
        found = licence(name)
        if found is None:
            continue
        found = found or LOOKED_UP.get(name, "")
        if FORBIDDEN.search(found) or not ALLOWED.search(found):
            bad.append(f"{name}: {found or 'no licence is named'}")
    for line in bad:
        print(f"licences: {line}")
    if bad:
        sys.exit(1)
    print("licences: all may be shipped")


if __name__ == "__main__":
    main()
