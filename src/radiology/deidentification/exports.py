"""Ask for an export, cancel it, give its file, and tend what lies there."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import orjson

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.deidentification import queries
from radiology.deidentification.model import MOST_STUDIES, SMALLEST_GROUP, UNDER_WAY, Person, Status, small_groups
from radiology.deidentification.rules import NEEDS_GROUPS, Profile
from radiology.errors import Conflict, NotFound, Unavailable, Unprocessable
from radiology.kit import jobs
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.settings import Settings
from radiology.studies.queries.retrieve import Selection, selected_instances
from radiology.studies.queries.search import Origin, find
from radiology.studies.search import StudySearch

P = TypeVar("P", bound=Person)

JOB = "deidentification.export"
_NOT_SEEN = "There is no such study, or it may not be exported by you."
_SENSITIVE = "The study is marked sensitive, and is not exported."
_GIVEN_UP = "It failed again and again. Look for job.failed in the log of the worker, then ask for a new export."
_SMALL_GROUP = f"Fewer than {SMALLEST_GROUP} patients of this export are of this age band, sex and month."


def folder(settings: Settings, id: UUID) -> Path:
    """Where the files of an export under way lie."""
    return settings.data_dir / "exports" / str(id)


def archive_path(settings: Settings, id: UUID) -> Path:
    """Where the finished ZIP lies."""
    return folder(settings, id).with_suffix(".zip")


async def studies_found(app: App, actor: Actor, search: StudySearch) -> list[str]:
    """The Study Instance UIDs of a cohort, as the actor finds them. Raises Unprocessable for too many."""
    found = await find(app.db, search, visible_to=actor.beyond_reading, origin=Origin(None, app.settings.ae_title))
    if len(found.answers) > MOST_STUDIES:
        raise Unprocessable(f"These are more than {MOST_STUDIES} studies. Ask for them in several exports.")
    return [orjson.loads(answer)["0020000D"]["Value"][0] for answer in found.answers]


async def start_export(
    app: App, actor: Actor, project: str, study_instance_uids: Sequence[str], *, leave_out_small_groups: bool = False
) -> tuple[UUID, bytes]:
    """Have studies exported by the rules of an approved project. Returns the id of the export and its body.

    Raises NotFound where nothing of it may be exported, Conflict for a project that may not be used, Unprocessable
    where somebody would stand out of a group.
    """
    actor.must(Permission.EXPORT)
    async with app.db.transaction() as tx:
        used = await queries.project(tx, project)
        used.must_be_usable()
        studies, skipped = await _exportable(tx, actor, study_instance_uids)
        if Profile(used.profile) in NEEDS_GROUPS:
            studies, left_out = without_small_groups(studies, leave_out=leave_out_small_groups)
            skipped += left_out
        if not studies:
            raise NotFound("None of these studies may be exported. " + (skipped[0]["reason"] if skipped else _NOT_SEEN))
        selection = Selection(study_instance_uids=[study.study_instance_uid for study in studies])
        instances = await selected_instances(tx, selection, visible_to=[actor.beyond_reading])
        new_id = uuid7()
        await queries.insert_export(
            tx, id=new_id, project_id=used.id, asked_by=actor.id, skipped=skipped,
            study_instance_uids=[instance.study_instance_uid for instance in instances],
            sop_instance_uids=[instance.sop_instance_uid for instance in instances],
        )  # fmt: skip
        await _enqueue(tx, new_id)
        detail = {"project": str(used.id), "profile": used.profile, "studies": len(studies),
                  "instances": len(instances), "skipped": len(skipped)}  # fmt: skip
        await audit.record(tx, actor, "export", str(new_id), detail=detail)
        return new_id, await queries.export_body(tx, new_id, visible_to=actor)


async def _exportable(
    tx: Transaction, actor: Actor, study_instance_uids: Sequence[str]
) -> tuple[list[queries.Asked], list[dict[str, str]]]:
    """The studies that may go out, and why the others may not. Break-glass does not reach so far."""
    if len(study_instance_uids) > MOST_STUDIES:
        raise Unprocessable(f"These are more than {MOST_STUDIES} studies. Ask for them in several exports.")
    found = await queries.asked_studies(tx, study_instance_uids, visible_to=actor.beyond_reading)
    seen = {study.study_instance_uid for study in found}
    skipped = [_skipped(uid, _NOT_SEEN) for uid in dict.fromkeys(study_instance_uids) if uid not in seen]
    skipped += [_skipped(study.study_instance_uid, _SENSITIVE) for study in found if study.sensitive]
    return [study for study in found if not study.sensitive], skipped


def _skipped(study_instance_uid: str, reason: str) -> dict[str, str]:
    return {"studyInstanceUID": study_instance_uid, "reason": reason}


def without_small_groups(studies: Sequence[P], *, leave_out: bool) -> tuple[list[P], list[dict[str, str]]]:
    """The studies whose patients do not stand out; without `leave_out` raises Unprocessable where there are others."""
    small = small_groups(studies)
    if small and not leave_out:
        named = "; ".join(f"{', '.join(group)}: {count}" for group, count in sorted(small.items())[:5])
        more = f" and {len(small) - 5} more groups" if len(small) > 5 else ""
        raise Unprocessable(
            f"Patients could be recognised: of these groups (age band, sex, month) there are fewer than "
            f"{SMALLEST_GROUP} patients: {named}{more}. Take in more studies, or leave these out (leaveOutSmallGroups)."
        )
    left_out = [_skipped(study.study_instance_uid, _SMALL_GROUP) for study in studies if study.group in small]
    return [study for study in studies if study.group not in small], left_out


async def _enqueue(tx: Transaction, id: UUID) -> None:
    await queries.save_job(tx, id, await jobs.enqueue(tx, JOB, {"export": str(id)}, lock=f"{JOB}.{id}"))


async def end_export(app: App, actor: Actor, id: UUID) -> bytes:
    """Make no more of an export, and remove what was made. Raises NotFound, Conflict where there is nothing to end."""
    actor.must(Permission.EXPORT)
    async with app.db.transaction() as tx:
        await queries.export_body(tx, id, visible_to=actor)
        export = await queries.lock_export(tx, id)
        if export.status not in UNDER_WAY | {Status.COMPLETED}:
            raise Conflict(f"The export is {export.status} already.")
        ended = Status.CANCELLED if export.status in UNDER_WAY else Status.EXPIRED
        await queries.change(tx, id, ended, "Ended by hand.")
        await audit.record(tx, actor, "export.cancel", str(id))
        body = await queries.export_body(tx, id, visible_to=actor)
    remove_files(app.settings, id)
    return body


async def file_of(app: App, actor: Actor, id: UUID) -> Path:
    """The finished ZIP, for who asked for it alone. Raises NotFound, Conflict before it is finished."""
    actor.must(Permission.EXPORT)
    async with app.db.transaction() as tx:
        await queries.export_body(tx, id, visible_to=actor)
        export = await queries.lock_export(tx, id)
        if export.asked_by != actor.id:
            raise NotFound("Only who asked for an export is given its file.")
        path = archive_path(app.settings, id)
        if export.status != Status.COMPLETED or not path.exists():
            raise Conflict(f"The export is {export.status}; there is no file.")
        await audit.record(tx, actor, "export.download", str(id))
    return path


async def tend(app: App) -> int:
    """Remove files that have expired, end what its job has given up, and have made what has no job any more.

    Returns how many there were.
    """
    async with app.db.transaction() as tx:
        gone = await queries.expired(tx, now=app.clock.now())
        for each in gone:
            await queries.change(tx, each, Status.EXPIRED, "The file has expired. Ask for a new export.")
        given_up = await queries.given_up(tx)
        left = await queries.abandoned(tx)
        for each in left:
            await _enqueue(tx, each)
    for each in gone:
        remove_files(app.settings, each)
    for each in given_up:
        await fail(app, each, _GIVEN_UP)
    return len(gone) + len(given_up) + len(left)


def remove_parts(settings: Settings, id: UUID) -> None:
    """Leave nothing but the finished ZIP on the disk. May be done twice."""
    shutil.rmtree(folder(settings, id), ignore_errors=True)


def remove_files(settings: Settings, id: UUID) -> None:
    """Leave nothing of an export on the disk. May be done twice."""
    remove_parts(settings, id)
    archive_path(settings, id).unlink(missing_ok=True)


async def note_waiting(app: App, id: UUID, sentence: str) -> None:
    """Say what an export under way waits for. Where the database is what is away, nobody is told."""
    with suppress(Unavailable):
        async with app.db.transaction() as tx:
            if (await queries.lock_export(tx, id)).status in UNDER_WAY:
                await queries.change(tx, id, Status.RUNNING, sentence)


async def fail(app: App, id: UUID, sentence: str) -> None:
    """An export under way cannot be made; of one that was ended meanwhile only the files go. Raises Unavailable."""
    async with app.db.transaction() as tx:
        if (await queries.lock_export(tx, id)).status in UNDER_WAY:
            await queries.change(tx, id, Status.FAILED, sentence)
            await audit.record(tx, SYSTEM, "export.failed", str(id), detail={"reason": sentence})
    remove_files(app.settings, id)
