"""`radi deidentify`: files de-identified, or studies exported by a project, with what becomes of them on a terminal."""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.deidentification import exports, files, queries
from radiology.deidentification.model import UNDER_WAY, Status
from radiology.deidentification.rules import Rules
from radiology.kit.clock import monotonic_seconds

LOOKED_EVERY_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 2.0


def deidentify_files(source: Path, out: Path, rules: Rules) -> bool:
    """Every file below a path. False where something is withheld; it is listed with the reason. Raises Unavailable."""
    paths, new, known, withheld = files.files_below(source), 0, 0, list[files.Outcome]()
    with files.deidentifier(out, rules, processes=os.cpu_count() or 1) as outcomes_of:
        for done, outcome in enumerate(outcomes_of(paths), 1):
            if outcome.reason:
                withheld.append(outcome)
            new, known = new + outcome.is_new, known + (not outcome.is_new and not outcome.reason)
            _show(f"{done} of {len(paths)} files")
    _end_line()
    for each in withheld:
        print(f"withheld {each.path}: {each.reason}")
    print(f"{new} written, {known} were there already, {len(withheld)} withheld.")
    return not withheld


async def export(
    app: App, project: str, study_instance_uids: Sequence[str], out: Path | None, *, leave_out_small_groups: bool
) -> bool:
    """Have studies exported; with `out` wait, and put the ZIP there. False where not everything went out.

    Raises NotFound, Conflict, Unprocessable as `exports.start_export`.
    """
    export_id, body = await exports.start_export(
        app, SYSTEM, project, study_instance_uids, leave_out_small_groups=leave_out_small_groups
    )
    for each in orjson.loads(body)["skipped"]:
        print(f"left out {each['studyInstanceUID']}: {each['reason']}")
    if out is None:
        print(f"{export_id} is queued. `GET /api/radiology/exports/{export_id}` says how far it is.")
        return True
    shown = await _over(app, export_id)
    print(_progress(shown))
    for each in shown["withheldInstances"]:
        print(f"withheld {each['sopInstanceUID']}: {each['reason']}")
    if shown["status"] != Status.COMPLETED:
        return False
    shutil.copyfile(await exports.file_of(app, SYSTEM, export_id), out)
    return not shown["withheld"] and not shown["skipped"]


async def _over(app: App, export_id: UUID) -> Mapping[str, Any]:
    """The export when it is over."""
    began, hinted = monotonic_seconds(), False
    while (shown := await _export(app, export_id))["status"] in UNDER_WAY:
        _show(_progress(shown))
        if not hinted and shown["status"] == Status.QUEUED and monotonic_seconds() - began > PATIENCE_SECONDS:
            print("  Nothing has begun yet: is the service (its worker) running?", file=sys.stderr, flush=True)
            hinted = True
        await asyncio.sleep(LOOKED_EVERY_SECONDS)
    _end_line()
    return shown


async def _export(app: App, export_id: UUID) -> dict[str, Any]:
    async with app.db.transaction() as tx:
        return orjson.loads(await queries.export_body(tx, export_id, visible_to=SYSTEM))


def _progress(shown: Mapping[str, Any]) -> str:
    withheld, why = f", {shown['withheld']} withheld" if shown["withheld"] else "", shown["sentence"]
    return f"{shown['status']}: {shown['written']} of {shown['total']} written{withheld}" + (f". {why}" if why else "")


def _show(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r  {line:<60}", end="", file=sys.stderr, flush=True)


def _end_line() -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)
