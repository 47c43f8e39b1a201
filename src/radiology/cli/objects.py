"""`radi objects`: compare what is stored with what was stored."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from radiology.cli.running import ask, say, say_more

if TYPE_CHECKING:
    from radiology.app import App
    from radiology.retention.verifying import Tally

MIB = 1024 * 1024
SAID_EVERY_OBJECTS = 500

app = typer.Typer(help="The stored objects.", rich_markup_mode=None)


@app.callback()
def objects() -> None:
    """The stored objects."""


@app.command()
def verify(
    study: Annotated[str | None, typer.Option(help="Only this study: id, studyId or Study Instance UID.")] = None,
) -> None:
    """Read every object, or those of a study, and compare its digest; exit code 1 where one is damaged.

    What is damaged is taken out of the way; the worker repairs it from another archive.
    """
    tally = ask(lambda app: _verify(app, study))
    say(f"{tally.objects} objects, {tally.size_bytes / MIB:,.1f} MiB: {tally.damaged or 'none'} newly found damaged.")
    sys.exit(1 if tally.damaged else 0)


async def _verify(app: "App", study: str | None) -> "Tally":
    from radiology.access.model import SYSTEM
    from radiology.retention import verifying
    from radiology.studies.queries import read

    study_id, said = None, 0
    if study is not None:
        async with app.db.transaction() as tx:
            study_id = await read.resolve(tx, study, visible_to=SYSTEM)

    def on_progress(tally: "Tally") -> None:
        nonlocal said
        if tally.objects >= said + SAID_EVERY_OBJECTS:
            said = tally.objects
            say_more(f"{tally.objects} objects, {tally.size_bytes / MIB:,.0f} MiB, {tally.damaged} damaged")

    return await verifying.verify(app, study_id, on_progress=on_progress)
