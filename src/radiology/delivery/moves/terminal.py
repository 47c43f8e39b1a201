"""`radi move`: have images sent from a terminal, and see how far they are; through the same actions as over REST."""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

import orjson

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.delivery.moves import actions, queries
from radiology.delivery.moves.model import OVER, Status
from radiology.kit.clock import monotonic_seconds
from radiology.kit.tables import table
from radiology.studies.queries.retrieve import Target

COLUMNS: Final = ("JOB", "ASKED AT (UTC)", "STUDY", "DESTINATION", "STATUS", "SENT", "FAILED", "WHY")
LOOKED_EVERY_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 2.0


async def start(app: App, target: Target, destination: str, priority: str, *, wait: bool) -> bool:
    """Have images sent; with `wait` show how far it is until it is over. False where something did not arrive."""
    move_id, _ = await actions.start_move(app, SYSTEM, target, destination, priority)
    if wait:
        return await follow(app, move_id)
    print(f"{move_id} is queued. `radi move show {move_id}` says how far it is.")
    return True


async def follow(app: App, move_id: UUID) -> bool:
    """Show how far a move is until it is over; whether everything arrived. Raises NotFound."""
    began, hinted = monotonic_seconds(), False
    while (move := await _move(app, move_id))["status"] not in OVER:
        _show(_progress(move))
        if not hinted and move["status"] == Status.QUEUED and monotonic_seconds() - began > PATIENCE_SECONDS:
            print("  Nothing has begun yet: is the service (its worker) running?", file=sys.stderr, flush=True)
            hinted = True
        await asyncio.sleep(LOOKED_EVERY_SECONDS)
    _show("\n")
    print(_progress(move))
    return move["status"] == Status.COMPLETED


async def one(app: App, move_id: UUID, *, as_json: bool) -> Iterator[str]:
    """One move with what became of each instance that did not simply arrive, as lines. Raises NotFound."""
    move = await _move(app, move_id)
    if as_json:
        return iter([_json(move)])
    instances = [each for each in move.pop("instances") if each["result"] != "completed"]
    lines = [*table(("FIELD", "VALUE"), [(name, _text(value)) for name, value in move.items()])]
    if instances:
        rows = [(each["sopInstanceUID"], each["result"], each["status"] or "", each["sentence"]) for each in instances]
        lines += ["", *table(("INSTANCE", "RESULT", "STATUS", "WHY"), rows)]
    return iter(lines)


async def listed(app: App, *, limit: int, as_json: bool) -> Iterator[str]:
    """The newest moves, as lines."""
    async with app.db.transaction() as tx:
        body, _ = await queries.page_of(tx, limit=limit, cursor=None, visible_to=SYSTEM)
    moves = orjson.loads(body)
    return iter([_json(moves)]) if as_json else table(COLUMNS, [_row(move) for move in moves])


async def cancel(app: App, move_id: UUID) -> None:
    """Send nothing more of a move. Raises NotFound, Conflict."""
    print(_progress(orjson.loads(await actions.cancel_move(app, SYSTEM, move_id))))


async def retry(app: App, move_id: UUID) -> None:
    """Send now what a move still owes. Raises NotFound, Conflict."""
    print(_progress(orjson.loads(await actions.retry_move(app, SYSTEM, move_id))))


async def _move(app: App, move_id: UUID) -> dict[str, Any]:
    async with app.db.transaction() as tx:
        return orjson.loads(await queries.body_of(tx, move_id, visible_to=SYSTEM))


def _progress(move: Mapping[str, Any]) -> str:
    sent, why = move["completed"] + move["warning"], move["sentence"]
    failed = f", {move['failed']} failed" if move["failed"] else ""
    return f"{move['status']}: {sent} of {move['total']} sent{failed}" + (f". {why}" if why else "")


def _row(move: Mapping[str, Any]) -> tuple[str, ...]:
    sent = f"{move['completed'] + move['warning']}/{move['total']}"
    return (move["jobId"], move["askedAt"][:19], move["studyInstanceUID"], move["destinationAE"], move["status"], sent,
            str(move["failed"]), move["sentence"])  # fmt: skip


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _show(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r  {line:<100}" if line.strip() else line, end="", file=sys.stderr, flush=True)
