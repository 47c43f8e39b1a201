"""`radi recompress`: compress at rest what is stored uncompressed and old."""

from typing import TYPE_CHECKING, Annotated

import typer

from radiology.cli.running import database, refuse, say, with_app

if TYPE_CHECKING:
    from radiology.app import App
    from radiology.studies.queries.recompress import Due

MIB = 1024 * 1024
PASS_SECONDS = 60.0


def recompress(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much there is to do.")] = False,
) -> None:
    """Compress now what the worker would compress little by little. Interrupted, it goes on where it was."""
    with database() as settings:
        from radiology.studies.actions.recompress import due

        days = settings.recompress_after_days
        if not days and not dry_run:
            refuse("recompress_after_days is 0, so nothing is compressed. Set it to an age in days.")
        found = with_app(settings, due)
        say(f"{found.instances} uncompressed instances, {found.size_bytes / MIB:,.1f} MiB, are older than {days} days.")
        if not dry_run:
            compressed, left = with_app(settings, _all)
            say(f"{compressed} compressed, {(found.size_bytes - left.size_bytes) / MIB:,.1f} MiB of them before. "
                f"{left.instances} are kept as they are. Old objects are deleted in a day.")  # fmt: skip


async def _all(app: "App") -> "tuple[int, Due]":
    from radiology.studies.actions.recompress import due, is_behind, recompress_due

    compressed = 0
    while await is_behind(app):
        compressed += await recompress_due(app, seconds=PASS_SECONDS, gently=False)
    return compressed, await due(app)
