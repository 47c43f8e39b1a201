"""Figures of this service alone, without a peer: an App over a PostgreSQL of its own, and figures as one table."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench import check, results
from bench.sets import CACHE
from radiology.app import App
from radiology.kit import migrate
from radiology.kit.postgres import EmbeddedPostgres
from radiology.settings import Settings

#: Figures by name, of an App and the process id of its PostgreSQL.
Measure = Callable[[App, int], Awaitable[dict[str, float]]]


def run(name: str, measure: Measure, *, form: str) -> int:
    """Measure, print, write and judge. The exit status. `form` is how a figure is written."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=CACHE) as folder:
        figures = asyncio.run(_measured(Path(folder), measure))
    rows = (f"| {key} | {value:{form}} |" for key, value in figures.items())
    text = "\n".join(["| figure | |", "|---|---:|", *rows])
    print(text)
    results.write(name, figures, {}, text)
    return check.check([name])


async def _measured(folder: Path, measure: Measure) -> dict[str, float]:
    with EmbeddedPostgres(folder / "data", Path(tempfile.mkdtemp(prefix="radi-"))) as server:
        settings = Settings(data_dir=folder / "data", database_url=server.dsn, disk_reserve_bytes=0)
        migrate.upgrade(settings.database_dsn)
        app = App.of(settings)
        await app.db.open()
        try:
            return await measure(app, server.process.pid if server.process else 0)
        finally:
            await app.db.close()
