"""The job of a copy: everything that is held of one patient in one ZIP, machine-readable and readable."""

import asyncio
import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson

from radiology.access.model import ROLES, SYSTEM, Actor, Role
from radiology.app import App
from radiology.audit import search
from radiology.audit.schemas import AccessOut
from radiology.data_subjects import copies, queries, record
from radiology.data_subjects.model import COPY_KEPT_DAYS
from radiology.data_subjects.page import index_page
from radiology.kit.db import Transaction
from radiology.kit.zipping import ZipWriter
from radiology.studies.archive import Archive
from radiology.studies.queries.retrieve import StoredInstance, Target, instances_of
from radiology.studies.served import as_served

_MOST_ACCESSES: Final = 100_000
_CHUNK_BYTES: Final = 1024 * 1024


@dataclass(slots=True)
class _Record:
    documents: dict[str, bytes] = field(default_factory=dict[str, bytes])
    instances: list[StoredInstance] = field(default_factory=list[StoredInstance])


async def run(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """Make a copy; made anew where it was interrupted. Raises Unavailable, to be run again."""
    app, copy_id = archive.app, UUID(arguments["copy"])
    async with app.db.transaction() as tx:
        copy = await queries.copy(tx, copy_id)
        if copy.status != "queued":
            return
    found = await _collect(app, copy)
    size, digest = await asyncio.to_thread(_zip, app, copies.place(app.settings, copy_id), found)
    async with app.db.transaction() as tx:
        expires_at = app.clock.now() + timedelta(days=COPY_KEPT_DAYS)
        await queries.complete(tx, copy_id, size_bytes=size, sha256=digest, expires_at=expires_at)


async def _collect(app: App, copy: queries.Copy) -> _Record:
    reader = Actor(copy.asked_by, "", ROLES[Role.PATIENT], role=Role.PATIENT) if copy.for_patient else SYSTEM
    found, patient_id = _Record(), copy.patient_id
    async with app.db.transaction() as tx:
        uids = await record.study_uids(tx, patient_id, visible_to=reader)
        found.documents = {
            "patient.json": await record.person(tx, patient_id),
            "studies.json": await record.studies(tx, patient_id, visible_to=reader),
            "reports.json": await record.reports(tx, patient_id, signed_only=copy.for_patient, visible_to=reader),
            "orders.json": await record.orders(tx, patient_id, visible_to=reader),
            "worklist.json": await record.scheduled(tx, patient_id),
            "workitems.json": await record.workitems(tx, patient_id),
            "performed.json": await record.performed(tx, uids),
            "links.json": await record.links(tx, uids),
            "notes.json": await queries.notes_body(tx, patient_id),
            "accesses.json": await _accesses(tx, copy),
        }
        for uid in uids:
            found.instances += await instances_of(tx, Target(uid), visible_to=reader)
    files = [{"file": _name(number), "studyInstanceUID": each.study_instance_uid,
              "seriesInstanceUID": each.series_instance_uid, "sopInstanceUID": each.sop_instance_uid}
             for number, each in enumerate(found.instances)]  # fmt: skip
    found.documents["files.json"] = orjson.dumps(files, option=orjson.OPT_INDENT_2)
    found.documents["index.html"] = index_page(found.documents, files, made_at=app.clock.now(), zone=app.settings.zone)
    return found


async def _accesses(tx: Transaction, copy: queries.Copy) -> bytes:
    records = await search.find(tx, search.Criteria(patient=copy.reference, limit=_MOST_ACCESSES))
    told = [AccessOut.of(each, "en", with_name=not copy.for_patient).model_dump() for each in records]
    return orjson.dumps(told, option=orjson.OPT_INDENT_2)


def _name(number: int) -> str:
    return f"DICOM/{number:08d}"


def _zip(app: App, path: Path, found: _Record) -> tuple[int, str]:
    """Write the ZIP beside its place, then give it its name. Returns size and SHA-256."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part, digest, size = path.with_suffix(".part"), hashlib.sha256(), 0
    with part.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        writer = ZipWriter(app.clock.now().astimezone(app.settings.zone))
        for chunk in _chunks(app, writer, found.documents, found.instances):
            digest.update(chunk)
            size += file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    return size, digest.hexdigest()


def _chunks(
    app: App, writer: ZipWriter, documents: Mapping[str, bytes], instances: Sequence[StoredInstance]
) -> Iterator[bytes]:
    for name, body in documents.items():
        yield writer.head(name, len(body), zlib.crc32(body)) + body
    for number, instance in enumerate(instances):
        with as_served(app.objects, instance) as served:
            path, crc = app.objects.path(served.object_key), 0
            for chunk in _read(path):
                crc = zlib.crc32(chunk, crc)
            yield writer.head(_name(number), path.stat().st_size, crc)
            yield from _read(path)
    yield writer.end()


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
