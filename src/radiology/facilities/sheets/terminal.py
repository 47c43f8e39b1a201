"""`radi facilities`: spreadsheets at a terminal, through the same actions as over REST."""

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.facilities.sheets.actions import How, Kind, give, take
from radiology.kit.sheets import Form, Report
from radiology.kit.tables import table

__all__ = ["How", "given", "taken"]


async def taken(app: App, kind: Kind, content: bytes, how: How) -> tuple[list[str], bool]:
    """What became of a file, as lines, and whether all of it is right."""
    report = await take(app, SYSTEM, kind, content, how)
    problems = sorted(report.problems)
    lines = [_sentence(report)]
    if problems:
        rows = [(str(each.row), each.column, each.sentence) for each in problems]
        lines += table(("ROW", "COLUMN", "WHAT IS WRONG"), rows)
    return lines, not problems


def _sentence(report: Report) -> str:
    counts = f"{report.rows} rows: {report.added} new, {report.changed} changed, {report.same} as before"
    bad = len({problem.row for problem in report.problems})
    return f"{counts}, {bad} bad. {'Saved.' if report.saved else 'Nothing was saved.'}"


async def given(app: App, kind: Kind, form: Form) -> bytes:
    """All of a kind as a file."""
    return await give(app, SYSTEM, kind, form)
