"""`radi migrate-from`: copy another archive."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radiology.cli.running import database, refuse, say, with_app

if TYPE_CHECKING:
    from radiology.application_entities.model import ApplicationEntity
    from radiology.settings import Settings


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


def migrate_from(
    name: Annotated[str, typer.Argument(help="The foreign archive: its AE title here, or the URL of its DICOMweb.")],
    hours: Annotated[str, typer.Option(help="When to copy, local time, as 20:00-06:00.")] = "00:00-00:00",
    studies_per_hour: Annotated[float, typer.Option(min=0, help="At most; 0 for no limit.")] = 0,
    kib_per_second: Annotated[int, typer.Option(min=0, help="At most, all together; 0 for no limit.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="A query with as many answers is asked again in parts.")] = 100,
    again: Annotated[bool, typer.Option("--again", help="List the whole archive anew, to find new studies.")] = False,
    verify_bytes: Annotated[bool, typer.Option("--verify-bytes", help="Retrieve twice and compare data sets.")] = False,
    user: Annotated[str, typer.Option(help="Name at a URL that is not registered; without one, a token.")] = "",
    secret_file: Annotated[Path | None, typer.Option(exists=True, help="File with password or token there.")] = None,
    facility: Annotated[str, typer.Option(help="Facility that its studies belong to; ours by default.")] = "",
    report: Annotated[bool, typer.Option("--report", help="Only print what became of each study, as CSV.")] = False,
    answer_queries: Annotated[
        Switch | None,
        typer.Option(help="Only switch on or off that queries are answered with studies that are still only there."),
    ] = None,
) -> None:
    """Copy a foreign archive study by study. Interrupt it at any time; started again it goes on where it was."""
    with database() as settings:
        from radiology.app import App
        from radiology.remotes.archives import remote_archive
        from radiology.remotes.copying import Copying
        from radiology.studies.archive import open_archive
        from radiology.takeover import copying, model, sources, terminal

        source = sources.source_of(name)
        if answer_queries is not None:
            _switch(settings, source, answer_queries)
            return
        if report:
            terminal.print_report(settings, source)
            return
        try:
            window = model.hours(hours)
        except ValueError:
            refuse(f"{hours!r} is no time of day. Write it as 20:00-06:00.")
        entity = _entity(settings, source, user, secret_file, facility)
        with open_archive(App.of(settings)) as archive:
            studies = Copying(archive, remote_archive(settings, entity, limit=limit), "migration", verify_bytes)
            at_once = sources.studies_at_once(entity)
            takeover = copying.Takeover(studies, source, window, studies_per_hour, at_once, kib_per_second or None)
            sys.exit(terminal.run(takeover, again=again))


def _switch(settings: "Settings", source: str, switch: Switch) -> None:
    from radiology.access.model import SYSTEM
    from radiology.takeover.actions import answer_queries

    is_on = switch is Switch.ON
    with_app(settings, lambda app: answer_queries(app, SYSTEM, source, answers=is_on))
    say(f"Queries are {'now' if is_on else 'no longer'} answered with studies that are still only there.")


def _entity(
    settings: "Settings", source: str, user: str, secret_file: Path | None, facility: str
) -> "ApplicationEntity":
    from radiology.takeover.sources import entity_of

    secret = secret_file.read_text(encoding="utf-8").strip() if secret_file else ""
    return with_app(settings, lambda app: entity_of(app, source, user=user, secret=secret, facility=facility))
