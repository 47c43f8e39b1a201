"""Projects that are approved, and exports of them."""

from uuid import UUID

from make import Stored
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.deidentification import exports, projects, queries


async def an_approved_project(app: App, *, profile: str = "teleradiology", name: str = "elsewhere") -> UUID:
    """A project that somebody else than its maker has approved."""
    made, _ = await projects.create_project(
        app, SYSTEM, name=name, purpose="Read by somebody elsewhere", profile=profile, options={}
    )
    async with app.db.transaction() as tx:
        await queries.approve_project(tx, made, by="officer", at=app.clock.now())
    return made


async def an_export(app: App, *studies: Stored) -> UUID:
    """An export of these studies, queued."""
    uids = [study.study_instance_uid for study in studies]
    export_id, _ = await exports.start_export(app, SYSTEM, "elsewhere", uids)
    return export_id
