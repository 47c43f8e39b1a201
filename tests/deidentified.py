"""Projects that are approved, exports of them, and what calls the engine without a process for each file."""

from typing import Any
from uuid import UUID

from make import Stored
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.deidentification import exports, projects, queries


class Here:
    """Calls a function where it is asked for: a process for each of hundreds of files costs more than the test."""

    def run(self, function: Any, *arguments: Any) -> Any:
        return function(*arguments)


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
