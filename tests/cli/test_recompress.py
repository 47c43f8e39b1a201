"""`radi recompress`: old images compressed from the command line."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

import make
from command_line import environment, radi
from radiology.app import App
from radiology.kit import clock

pytestmark = pytest.mark.anyio


async def test_it_says_how_much_there_is_and_does_it(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.add.outer(np.arange(128), np.arange(128)).astype("<u2")
    kind: dict[str, Any] = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelData": values.tobytes()}
    await make.a_study(app, instances=2, Rows=128, Columns=128, **kind)
    async with app.db.transaction() as tx:
        await tx.run("UPDATE instances SET stored_at = %(at)s", at=clock.now() - timedelta(days=10))
    off = radi(app.settings, "recompress")
    assert (off.code, off.out) == (2, "")
    assert "recompress_after_days" in off.err

    def with_days(settings: Any) -> dict[str, str]:
        return environment(settings) | {"RADI_RECOMPRESS_AFTER_DAYS": "7"}

    monkeypatch.setattr("command_line.environment", with_days)
    dry = radi(app.settings, "recompress", "--dry-run")
    assert dry.out == "2 uncompressed instances, 0.1 MiB, are older than 7 days.\n", dry.err
    done = radi(app.settings, "recompress")
    assert (done.code, done.err) == (0, ""), done.err
    assert "2 compressed, 0.1 MiB of them before. 0 are kept as they are." in done.out
    assert radi(app.settings, "recompress", "--dry-run").out.startswith("0 uncompressed")
