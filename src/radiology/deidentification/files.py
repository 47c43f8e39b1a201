"""De-identify files that are not in the archive: each into a file that is named by its new UIDs. Needs no database."""

import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radiology.deidentification.copying import Copied
from radiology.deidentification.keys import Seal
from radiology.deidentification.originals import copy_in, instance_of
from radiology.deidentification.pixel_policy import Withheld
from radiology.deidentification.rules import Profile, Rules
from radiology.errors import Invalid, RadiologyError, Unavailable
from radiology.kit.cpu import LimitedProcesses
from radiology.kit.objects import LocalObjects

_PURPOSE: Final = "files"
_PART: Final = ".part"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: it was written, or there already from an earlier run, or a reason why it is withheld."""

    path: Path
    is_new: bool = False
    reason: str = ""


Deidentify = Callable[[Sequence[Path]], Iterator[Outcome]]


def rules_of(profile: Profile, key_file: Path, *, keep_faces: bool = False) -> Rules:
    """What the engine is told; the key file is made where there is none. Raises Unavailable."""
    return Rules(profile, Seal(key_file).derived(_PURPOSE), keep_faces=keep_faces)


def must_lie_apart(source: Path, out: Path, key_file: Path) -> None:
    """Raises Invalid where what is made would be taken for an original, or the key be handed on with it."""
    source, out, key_file = source.resolve(), out.resolve(), key_file.resolve()
    if out.is_relative_to(source) or source.is_relative_to(out):
        raise Invalid("The results must lie apart from the files they are made of.")
    if key_file.is_relative_to(out):
        raise Invalid("The key must lie apart from the results: whoever has both can find out who it was.")


def files_below(source: Path) -> list[Path]:
    """Every file, in order of names."""
    return [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())


@contextmanager
def deidentifier(
    out: Path, rules: Rules, *, processes: int
) -> Generator[Callable[[Sequence[Path]], Iterator[Outcome]]]:
    """Gives what makes files; nothing half written is left when the block ends."""
    part = out / _PART
    shutil.rmtree(part, ignore_errors=True)  # Of a run that was killed.
    part.mkdir(mode=0o700, parents=True)
    limited, threads = LimitedProcesses(count=processes), ThreadPoolExecutor(processes)
    with tempfile.TemporaryDirectory() as originals:
        objects = LocalObjects(Path(originals))

        def one(numbered: tuple[int, Path]) -> Outcome:
            number, path = numbered
            return _one(limited, objects, path, part / str(number), out, rules)

        try:
            yield lambda paths: threads.map(one, enumerate(paths))
        finally:
            threads.shutdown(cancel_futures=True)
            limited.close()
            shutil.rmtree(part, ignore_errors=True)


def _one(
    processes: LimitedProcesses, objects: LocalObjects, path: Path, target: Path, out: Path, rules: Rules
) -> Outcome:
    """Raises Unavailable where nothing more can be written, such as on a full disk."""
    try:
        made = copy_in(processes, objects, instance_of(path), target, rules)
    except Unavailable:
        raise
    except RadiologyError as error:
        return Outcome(path, reason=error.sentence)
    except OSError as error:
        raise Unavailable(f"{path.name} cannot be read, or its result not written: {error.strerror}.") from error
    if isinstance(made, Withheld):
        return Outcome(path, reason=made.reason)
    return Outcome(path, is_new=_placed(target, out, made))


def _placed(target: Path, out: Path, made: Copied) -> bool:
    """Give it its name; False where there is a file of that name, which stays."""
    folder = out / (made.study_instance_uid or "0") / (made.series_instance_uid or "0")
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{made.sop_instance_uid}.dcm"
    is_new = not place.exists()
    if is_new:
        target.rename(place)
    else:
        target.unlink()
    return is_new
