"""`radi quality`: count indicators again, and verify that they are what the tables give."""

import sys

import typer

from radiology.cli.running import ask, say

app = typer.Typer(help="The indicators of quality: count again, verify.", rich_markup_mode=None)
_MOST_NAMED = 20


@app.command()
def recount() -> None:
    """Look at every study again, and count every day again that was ever counted."""
    from radiology.quality.indicators.verifying import recount_all

    changed, days = ask(recount_all)
    say(f"{changed} studies were known otherwise; {days} days of all sources were counted.")


@app.command()
def verify() -> None:
    """Compare studies and days with what the tables give; exit code 1 where something is other. Nothing is changed."""
    from radiology.quality.indicators.verifying import verify as compare

    verdict = ask(compare)
    say(f"{verdict.studies} studies and {verdict.sheets} sheets of days were compared.")
    if not verdict.holds:
        say(f"{verdict.wrong_studies} studies and {len(verdict.wrong_sheets)} sheets differ: radi quality recount.")
        for each in verdict.wrong_sheets[:_MOST_NAMED]:
            say(f"  {each}")
    sys.exit(0 if verdict.holds else 1)
