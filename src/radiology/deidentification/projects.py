"""Make, approve and end projects; say where devices burn text in; open what was sealed."""

import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.deidentification import queries, region_queries
from radiology.deidentification.keys import KEY_BYTES, Seal
from radiology.deidentification.model import Project
from radiology.deidentification.rules import DeviceRegions, Rules
from radiology.errors import NotFound
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7


async def create_project(
    app: App, actor: Actor, *, name: str, purpose: str, profile: str, options: Mapping[str, Any]
) -> tuple[UUID, bytes]:
    """A project with a key of its own, which somebody else must approve. Raises Conflict for a name that is taken."""
    actor.must(Permission.EXPORT)
    new_id = uuid7()
    sealed = Seal.of_projects(app.settings).seal(os.urandom(KEY_BYTES), str(new_id))
    async with app.db.transaction() as tx:
        await queries.insert_project(
            tx, id=new_id, name=name, purpose=purpose, profile=profile, options=options, sealed_key=sealed,
            created_by=actor.id,
        )  # fmt: skip
        await audit.record(tx, actor, "privacy.project-create", str(new_id), detail={"profile": profile})
        return new_id, await queries.project_body(tx, new_id)


async def approve_project(app: App, actor: Actor, id: UUID) -> bytes:
    """Exports of the project may run from now on. Raises NotPermitted for who made it, Conflict, NotFound."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        project = await queries.lock_project(tx, id)
        project.must_be_approved_by_another(actor.id)
        await queries.approve_project(tx, id, by=actor.id, at=app.clock.now())
        await audit.record(tx, actor, "privacy.project-approve", str(id))
        return await queries.project_body(tx, id)


async def end_project(app: App, actor: Actor, id: UUID) -> bytes:
    """No export of it may begin any more; what it has exported can still be named again. Raises NotFound."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        project = await queries.lock_project(tx, id)
        if project.ended_at is None:
            await queries.end_project(tx, id, at=app.clock.now())
            await audit.record(tx, actor, "privacy.project-end", str(id))
        return await queries.project_body(tx, id)


async def rules_of(app: App, tx: Transaction, project: Project) -> Rules:
    """What the engine is told for a project. Raises Unavailable where its key cannot be opened."""
    key = Seal.of_projects(app.settings).open(project.sealed_key, str(project.id))
    return project.rules(key, await region_queries.regions(tx))


async def who_is(app: App, actor: Actor, project_id: UUID, pseudonym: str) -> bytes:
    """Who a pseudonym of a project is, as JSON. Raises NotFound, Unavailable."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        sealed = await queries.sealed_person(tx, project_id, pseudonym)
        await audit.record(tx, actor, "privacy.reidentify", str(project_id), detail={"pseudonym": pseudonym})
    return Seal.of_persons(app.settings).open(sealed, f"{project_id}/{pseudonym}")


async def what_was_replaced(app: App, actor: Actor, export_id: UUID) -> bytes:
    """Old and new UIDs of each instance of an export, as JSON. Raises NotFound, Unavailable."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        await queries.export_body(tx, export_id, visible_to=actor)
        sealed = await queries.sealed_of(tx, export_id)
        await audit.record(tx, actor, "privacy.reidentify", str(export_id), detail={"instances": len(sealed)})
    seal = Seal.of_persons(app.settings)
    return orjson.dumps([orjson.loads(seal.open(each, str(export_id))) for each in sealed])


async def set_regions(app: App, actor: Actor, device: DeviceRegions) -> None:
    """Say where images of a device have text, from the next export on."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        await region_queries.save_regions(tx, device, by=actor.id)
        detail = {"rows": device.rows, "columns": device.columns, "rectangles": len(device.rectangles)}
        await audit.record(tx, actor, "privacy.masked-regions", f"{device.manufacturer} {device.model}", detail=detail)


async def forget_regions(app: App, actor: Actor, *, manufacturer: str, model: str, rows: int, columns: int) -> None:
    """Say nothing any more of a device and size. Raises NotFound."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        if not await region_queries.delete_regions(
            tx, manufacturer=manufacturer, model=model, rows=rows, columns=columns
        ):
            raise NotFound("Nothing is said of images of this device and size.")
        await audit.record(tx, actor, "privacy.masked-regions-forget", f"{manufacturer} {model}")
