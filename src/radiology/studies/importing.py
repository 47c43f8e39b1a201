"""`radi import PATH`: files, folders and ZIP archives into the archive, by the same way as every other door.

What was stored is remembered in a journal under `<data_dir>/import`, so that an interrupted import goes on where it
stopped. What was refused is listed with its reason; nothing else is touched.
"""

import hashlib
import io
import os
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, TextIO

from radiology.errors import Invalid, RadiologyError, Unavailable
from radiology.studies.actions.store import quarantine_error
from radiology.studies.archive import Archive
from radiology.studies.index import Stored
from radiology.studies.receive import Source

CHUNK_BYTES = 1024 * 1024
WAITING_AT_MOST = 500
ZIP_DEPTH = 2
ZIP_MEMBER_BYTES = 8 * 1024**3
NESTED_ZIP_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Candidate:
    """One file that may be a DICOM object. `name` is its path, with the archive's before it where it lies in one."""

    name: str
    size_bytes: int
    open: Callable[[], IO[bytes]]


@dataclass(slots=True)
class Progress:
    """How far an import has come."""

    files: int = 0
    bytes: int = 0
    stored: int = 0
    duplicates: int = 0
    skipped: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @property
    def done(self) -> int:
        """How many files have had their outcome."""
        return self.stored + self.duplicates + self.skipped + len(self.refused)


@dataclass(slots=True)
class Import:
    """One import of one path. `run` yields the progress after every file."""

    archive: Archive
    path: Path
    source: Source
    progress: Progress = field(default_factory=Progress)
    _waiting: deque[tuple[Candidate, Future[Stored]]] = field(default_factory=deque[tuple[Candidate, Future[Stored]]])

    def run(self) -> Iterator[Progress]:
        """Store everything below the path. Raises Invalid where it is not there, Unavailable for a full disk."""
        if not self.path.exists():
            raise Invalid(f"There is no {self.path}.")
        done = self._already_done()
        with self._journal().open("a", encoding="utf-8") as journal:
            for candidate in candidates(self.path, self._refuse):
                self.progress.files += 1
                if _line(candidate) in done:
                    self.progress.skipped += 1
                else:
                    self._store(candidate)
                yield self._settle(journal, at_most=WAITING_AT_MOST)
            self.archive.arrivals.flush()
            yield self._settle(journal, at_most=0)

    def _store(self, candidate: Candidate) -> None:
        try:
            with candidate.open() as stream, self.archive.receive_file(self.source) as reception:
                while chunk := stream.read(CHUNK_BYTES):
                    reception.write(chunk)
                    self.progress.bytes += len(chunk)
                arrival = reception.finish()
        except Unavailable:
            raise
        except RadiologyError as error:
            self._refuse(candidate.name, _reason(error))
        except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            self._refuse(candidate.name, f"It cannot be read: {error}.")
        else:
            self._waiting.append((candidate, self.archive.arrivals.submit(arrival)))

    def _settle(self, journal: TextIO, *, at_most: int) -> Progress:
        while self._waiting and (len(self._waiting) > at_most or self._waiting[0][1].done()):
            candidate, future = self._waiting.popleft()
            stored = future.result()
            if stored.quarantined:
                self._refuse(candidate.name, quarantine_error(stored.quarantined).sentence)
            elif stored.duplicate:
                self.progress.duplicates += 1
            else:
                self.progress.stored += 1
            journal.write(_line(candidate) + "\n")
        journal.flush()
        return self.progress

    def _refuse(self, name: str, reason: str) -> None:
        self.progress.refused.append((name, reason))

    def _already_done(self) -> set[str]:
        journal = self._journal()
        return set(journal.read_text(encoding="utf-8").splitlines()) if journal.exists() else set()

    def _journal(self) -> Path:
        folder = self.archive.app.settings.data_dir / "import"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:16]}.done"


def candidates(path: Path, refuse: Callable[[str, str], None]) -> Iterator[Candidate]:
    """Every file at or below a path in order of name, and every member of a ZIP archive. Links are not followed."""
    if path.is_file():
        yield from _file(path, refuse)
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            entry = Path(folder) / name
            if entry.is_file() and not entry.is_symlink():
                yield from _file(entry, refuse)


def _file(path: Path, refuse: Callable[[str, str], None]) -> Iterator[Candidate]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from _members(archive, str(path), refuse, ZIP_DEPTH)
        else:
            yield Candidate(str(path), path.stat().st_size, lambda: path.open("rb"))
    except (OSError, zipfile.BadZipFile) as error:
        refuse(str(path), f"It cannot be read: {error}.")


def _members(
    archive: zipfile.ZipFile, name: str, refuse: Callable[[str, str], None], depth: int
) -> Iterator[Candidate]:
    for member in archive.infolist():
        full_name = f"{name}!{member.filename}"
        if member.is_dir():
            continue
        if member.file_size > ZIP_MEMBER_BYTES:
            refuse(
                full_name, f"It unpacks to {member.file_size:,} bytes, which is more than is taken from a ZIP archive."
            )
        elif member.filename.lower().endswith(".zip") and depth and member.file_size <= NESTED_ZIP_BYTES:
            with zipfile.ZipFile(io.BytesIO(archive.read(member))) as nested:
                yield from _members(nested, full_name, refuse, depth - 1)
        else:
            yield Candidate(full_name, member.file_size, partial(_open_member, archive, member))


def _open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    return archive.open(member)


def _line(candidate: Candidate) -> str:
    return f"{candidate.size_bytes} {candidate.name}".replace("\n", "?")


def _reason(error: RadiologyError) -> str:
    return f"{error.sentence} [{error.tag[:4]},{error.tag[4:8]}]" if error.tag else error.sentence
