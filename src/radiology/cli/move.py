"""`radi move`: send images to another machine."""

import sys
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer
from typer.core import TyperGroup

from radiology.cli.running import ask, say


class SendByDefault(TyperGroup):
    """`radi move STUDY_UID DESTINATION` is `radi move send STUDY_UID DESTINATION`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["send", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=SendByDefault,
    help="Send images to another machine: radi move STUDY_UID DESTINATION, and what became of it.",
    rich_markup_mode=None,
)

Job = Annotated[UUID, typer.Argument(metavar="JOB", help="As `radi move list` shows it.")]
AsJSON = Annotated[bool, typer.Option("--json", help="As JSON, with the names of REST.")]


class Priority(StrEnum):
    """What is sent first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@app.command()
def send(
    study_uid: Annotated[str, typer.Argument(metavar="STUDY_UID", help="Study Instance UID.")],
    destination: Annotated[str, typer.Argument(metavar="DESTINATION", help="AE title of a move destination.")],
    series: Annotated[str | None, typer.Option(help="Only this series, by its UID.")] = None,
    instance: Annotated[str | None, typer.Option(help="Only this instance, by its UID.")] = None,
    priority: Annotated[Priority, typer.Option(help="What is sent first.")] = Priority.MEDIUM,
    wait: Annotated[bool, typer.Option("--wait", help="Show how far it is, until it is over.")] = False,
) -> None:
    """Send a study, one series or one instance. With --wait, exit code 1 says that not everything arrived."""
    from radiology.delivery.moves import terminal
    from radiology.studies.queries.retrieve import Target

    target = Target(study_uid, series, instance)
    sent = ask(lambda app: terminal.start(app, target, destination, priority.value, wait=wait))
    sys.exit(0 if sent else 1)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20, as_json: AsJSON = False
) -> None:
    """What was sent, the newest first."""
    from radiology.delivery.moves import terminal

    for line in ask(lambda app: terminal.listed(app, limit=limit, as_json=as_json)):
        say(line)


@app.command()
def show(
    job: Job,
    wait: Annotated[bool, typer.Option("--wait", help="Show how far it is, until it is over.")] = False,
    as_json: AsJSON = False,
) -> None:
    """How far one is, and what did not arrive."""
    from radiology.delivery.moves import terminal

    if wait:
        sys.exit(0 if ask(lambda app: terminal.follow(app, job)) else 1)
    for line in ask(lambda app: terminal.one(app, job, as_json=as_json)):
        say(line)


@app.command()
def cancel(job: Job) -> None:
    """Send nothing more of it."""
    from radiology.delivery.moves import terminal

    ask(lambda app: terminal.cancel(app, job))


@app.command()
def retry(job: Job) -> None:
    """Send now what failed."""
    from radiology.delivery.moves import terminal

    ask(lambda app: terminal.retry(app, job))
