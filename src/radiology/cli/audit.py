"""`radi audit`: verify the record, and say who saw what of a patient."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from radiology.cli.running import ask, say

app = typer.Typer(help="The audit record: who saw and did what.", rich_markup_mode=None)


class Language(StrEnum):
    """What is said in."""

    ENGLISH = "en"
    BANGLA = "bn"


@app.command()
def verify(
    from_checkpoint: Annotated[
        bool, typer.Option("--from-checkpoint", help="From the last checkpoint on, instead of the beginning.")
    ] = False,
) -> None:
    """Go along the chain of hashes; exit code 1 and the first record that was tampered with where it does not hold."""
    from radiology.audit import terminal

    lines, holds = ask(lambda app: terminal.verify(app, from_checkpoint=from_checkpoint))
    for line in lines:
        say(line)
    sys.exit(0 if holds else 1)


@app.command("who-saw")
def who_saw(
    patient: Annotated[str, typer.Argument(help="Reference of the patient, as Patient/12345, or the hospital number.")],
    language: Annotated[Language, typer.Option(help="en or bn.")] = Language.ENGLISH,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most lines.")] = 200,
) -> None:
    """Who saw or did what with what is held of a patient, newest first."""
    from radiology.audit import terminal

    for line in ask(lambda app: terminal.who_saw(app, patient, language=language.value, limit=limit)):
        say(line)
