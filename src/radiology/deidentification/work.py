"""The job of an export: each instance into a file of its own, then all of them and the manifest into a ZIP.

What became of an instance is committed before the next is begun, so a job that is run again goes on where it ended.
"""

import asyncio
import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.audit import actions as audit
from radiology.deidentification import exports, projects, queries
from radiology.deidentification.copying import Copied
from radiology.deidentification.keys import Seal
from radiology.deidentification.model import KEPT_DAYS, UNDER_WAY, Project, Status
from radiology.deidentification.originals import copy_in
from radiology.deidentification.pixel_policy import Withheld
from radiology.deidentification.rules import Rules
from radiology.errors import RadiologyError, Unavailable
from radiology.events import ExportCompleted, emit
from radiology.kit import cpu
from radiology.kit.zipping import ZipWriter
from radiology.standards.dicom._confidentiality_table import EDITION
from radiology.standards.dicom.confidentiality import MEANINGS
from radiology.studies.archive import Archive
from radiology.studies.queries.retrieve import Selection, StoredInstance, selected_instances

_PAGE: Final = 100
_CHUNK_BYTES: Final = 1024 * 1024
_GONE: Final = "The instance is not here any more."
_LOST: Final = "Files of the export have disappeared from the folder `exports`. Ask for a new export."
_SENSITIVE: Final = "The study is marked sensitive, and is not exported."


async def run(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """Make an export; done again where it was interrupted. What can never succeed is marked as failed.

    Raises Unavailable, to be run again; until then the export says what it waits for.
    """
    app, export_id = archive.app, UUID(arguments["export"])
    try:
        await _make(app, export_id)
    except Unavailable as error:
        await exports.note_waiting(app, export_id, error.sentence)
        raise
    except RadiologyError as error:
        await exports.fail(app, export_id, error.sentence)
    except FileNotFoundError:
        await exports.fail(app, export_id, _LOST)
    except OSError as error:
        sentence = f"The export cannot be written: {error.strerror}. It goes on by itself when that is mended."
        await exports.note_waiting(app, export_id, sentence)
        raise Unavailable(sentence) from error


async def _make(app: App, export_id: UUID) -> None:
    async with app.db.transaction() as tx:
        export = await queries.lock_export(tx, export_id)
        if export.status not in UNDER_WAY:
            exports.remove_parts(app.settings, export_id)
            return
        await queries.change(tx, export_id, Status.RUNNING)
        project = await queries.project(tx, str(export.project_id))
        project.must_be_usable()
        rules = await projects.rules_of(app, tx, project)
    exports.folder(app.settings, export_id).mkdir(mode=0o700, parents=True, exist_ok=True)
    while page := await _next_page(app, export_id):
        for owed, instance in page:
            if not await _one(app, project, rules, export_id, owed, instance):
                exports.remove_files(app.settings, export_id)
                return
    await _finish(app, project, rules, export_id)


async def _next_page(app: App, export_id: UUID) -> list[tuple[queries.Owed, StoredInstance | None]]:
    """The next instances; None for one that is gone, or that belongs to a study that is sensitive by now."""
    async with app.db.transaction() as tx:
        owed = await queries.owed(tx, export_id, limit=_PAGE)
        selection = Selection(sop_instance_uids=[each.sop_instance_uid for each in owed])
        found = await selected_instances(tx, selection, visible_to=[SYSTEM]) if owed else []
        sensitive = await queries.sensitive_among(tx, [each.sop_instance_uid for each in found])
        known = {each.sop_instance_uid: each for each in found}
        for each in owed:
            if each.sop_instance_uid not in known or each.sop_instance_uid in sensitive:
                reason = _SENSITIVE if each.sop_instance_uid in sensitive else _GONE
                await queries.note_withheld(tx, export_id, each.place, reason)
                known.pop(each.sop_instance_uid, None)
    return [(each, known.get(each.sop_instance_uid)) for each in owed]


async def _one(
    app: App, project: Project, rules: Rules, export_id: UUID, owed: queries.Owed, instance: StoredInstance | None
) -> bool:
    """Make one file and note what became of it; False where the export was ended meanwhile."""
    made: Copied | Withheld | None = None
    if instance is not None:
        target = exports.folder(app.settings, export_id) / f"{owed.place:08d}"
        try:
            made = await asyncio.to_thread(copy_in, cpu.processes, app.objects, instance, target, rules)
        except Unavailable:
            raise
        except RadiologyError as error:
            made = Withheld(error.sentence)
    async with app.db.transaction() as tx:
        if (await queries.lock_export(tx, export_id)).status != Status.RUNNING:
            return False
        if isinstance(made, Withheld):
            await queries.note_withheld(tx, export_id, owed.place, made.reason)
        elif made is not None and instance is not None:
            seal, changes = Seal.of_persons(app.settings), made.changes
            replaced = {"old": instance.sop_instance_uid, "new": made.sop_instance_uid, "uids": changes.uids,
                        "pseudonym": changes.pseudonym}  # fmt: skip
            sealed = seal.seal(orjson.dumps(replaced), str(export_id))
            await queries.note_written(tx, export_id, owed.place, _line(owed.place, made), sealed)
            who = orjson.dumps({"pseudonym": changes.pseudonym, "patientId": changes.patient_id})
            sealed = seal.seal(who, f"{project.id}/{changes.pseudonym}")
            await queries.save_person(tx, project.id, changes.pseudonym, sealed)
    return True


def _line(place: int, made: Copied) -> dict[str, Any]:
    return {
        "file": f"DICOM/{place:08d}", "studyInstanceUID": made.study_instance_uid,
        "seriesInstanceUID": made.series_instance_uid, "sopInstanceUID": made.sop_instance_uid,
        "sha256": made.sha256, "sizeBytes": made.size_bytes, "masked": made.masked,
    }  # fmt: skip


async def _finish(app: App, project: Project, rules: Rules, export_id: UUID) -> None:
    async with app.db.transaction() as tx:
        written, reasons = await queries.written(tx, export_id), await queries.reasons(tx, export_id)
    manifest = {
        "export": str(export_id), "project": project.name, "purpose": project.purpose, "profile": project.profile,
        "approvedAt": project.approved_at, "edition": f"PS3.15 {EDITION}",
        "methods": {str(option): MEANINGS[option] for option in sorted(rules.options)},
        "instances": written,
        "withheld": [{"reason": each.reason, "instances": each.instances} for each in reasons],
    }  # fmt: skip
    size, digest = await asyncio.to_thread(
        _zip,
        app,
        export_id,
        [str(line["file"]) for line in written],
        orjson.dumps(manifest, option=orjson.OPT_INDENT_2),
    )
    async with app.db.transaction() as tx:
        if (await queries.lock_export(tx, export_id)).status == Status.RUNNING:
            expires_at = app.clock.now() + timedelta(days=KEPT_DAYS)
            await queries.complete(tx, export_id, size_bytes=size, sha256=digest, expires_at=expires_at)
            withheld = sum(each.instances for each in reasons)
            done = ExportCompleted(
                facility_code=None, export_id=str(export_id), project_id=str(project.id), profile=project.profile,
                instances=len(written), withheld=withheld,
            )  # fmt: skip
            await emit(tx, done)
            detail = {"written": len(written), "withheld": withheld}
            await audit.record(tx, SYSTEM, "export.completed", str(export_id), detail=detail)
            remove = exports.remove_parts
        else:
            remove = exports.remove_files
    remove(app.settings, export_id)


def _zip(app: App, export_id: UUID, names: Sequence[str], manifest: bytes) -> tuple[int, str]:
    """Write the ZIP beside the single files, then put it in its place. Returns size and SHA-256.

    The single files stay until it is committed that the ZIP is there: who is killed before makes it again of them.
    """
    folder = exports.folder(app.settings, export_id)
    part = folder / "zip.part"
    digest, size = hashlib.sha256(), 0
    with part.open("wb") as file:
        for chunk in _chunks(ZipWriter(app.clock.now().astimezone(app.settings.zone)), folder, names, manifest):
            digest.update(chunk)
            size += file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    part.rename(exports.archive_path(app.settings, export_id))
    return size, digest.hexdigest()


def _chunks(writer: ZipWriter, folder: Path, names: Sequence[str], manifest: bytes) -> Iterator[bytes]:
    yield writer.head("manifest.json", len(manifest), zlib.crc32(manifest)) + manifest
    for name in names:
        path, crc = folder / name.rpartition("/")[2], 0
        for chunk in _read(path):
            crc = zlib.crc32(chunk, crc)
        yield writer.head(name, path.stat().st_size, crc)
        yield from _read(path)
    yield writer.end()


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
