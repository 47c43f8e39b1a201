"""`radi facilities`: facilities, devices, operators and places as spreadsheets."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from radiology.cli.running import ask, refuse, say

app = typer.Typer(help="Facilities, devices, operators and places as spreadsheets.", rich_markup_mode=None)


Kind = Literal["facilities", "devices", "operators", "places"]
KindArgument = Annotated[Kind, typer.Argument(help="facilities, devices, operators or places.")]


@app.command("import")
def import_(
    kind: KindArgument,
    path: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="CSV or XLSX.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would become of it; change nothing.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Take what is right; otherwise all rows or none.")] = False,
) -> None:
    """Add and change what the rows say; what is wrong is listed by row and column, and makes exit code 1."""
    from radiology.facilities.sheets import terminal

    how = terminal.How(dry_run, partial)
    lines, is_right = ask(lambda app: terminal.taken(app, kind, path.read_bytes(), how))
    for line in lines:
        say(line)
    sys.exit(0 if is_right else 1)


@app.command()
def export(
    kind: KindArgument,
    path: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="Ends in .csv or .xlsx.")],
) -> None:
    """Write all of a kind into a file that can be imported again."""
    from radiology.facilities.sheets import terminal

    if path.suffix not in (".csv", ".xlsx"):
        refuse(f"{path.name} must end in .csv or .xlsx.")
    content = ask(lambda app: terminal.given(app, kind, "xlsx" if path.suffix == ".xlsx" else "csv"))
    path.write_bytes(content)
    say(f"{path}: {len(content):,} bytes.")
