"""What it costs to know who asks: microseconds for a session, a key and a password, remembered and not.

One after the other, in this process, over a PostgreSQL of its own: what a request waits. Argon2, which is meant to be
slow, is measured apart.
"""

import statistics
import time
from collections.abc import Awaitable, Callable

from bench import alone, tokens
from radiology.access import accounts, passwords, sessions
from radiology.access.accounts import Authenticator
from radiology.access.model import Actor
from radiology.app import App

TIMES = 500
PASSWORD = "a sentence that nobody knows"  # noqa: S105 - of a database that lives for seconds.

Verify = Callable[[Authenticator], Awaitable[Actor]]


def run() -> int:
    """Measure, print, write and judge. The exit status."""
    return alone.run("access", _figures, form=".4g")


async def _figures(app: App, _postgres: int) -> dict[str, float]:
    account = await accounts.make_account(app, "reader", role="radiologist", password=PASSWORD)
    key = await accounts.make_token(app, "reader", role="radiologist")
    async with app.db.transaction() as tx:
        session = await sessions.begin(tx, account.name, now=app.clock.now())
    figures: dict[str, float] = {}
    verifications: dict[str, Verify] = {
        "session": lambda known: known.by_session(session),
        "key": lambda known: known.by_token(key),
        "password": lambda known: known.by_password("reader", PASSWORD),
    }
    for name, verify in verifications.items():
        figures |= await _verifications(app, name, verify)
    figures["argon2_us"] = await _median_us(lambda: passwords.fits(account.password_hash, PASSWORD), times=20)
    return figures | tokens.figures()


async def _verifications(app: App, name: str, verify: Verify) -> dict[str, float]:
    known = Authenticator(app)
    await verify(known)
    remembered = await _median_us(lambda: verify(known), times=TIMES)
    seconds, accounts.SESSION_REMEMBERED_SECONDS = accounts.SESSION_REMEMBERED_SECONDS, 0.0
    try:
        forgetful = Authenticator(app)
        await verify(forgetful)
        looked_up = await _median_us(lambda: verify(forgetful), times=TIMES)
    finally:
        accounts.SESSION_REMEMBERED_SECONDS = seconds
    return {f"{name}_remembered_us": remembered, f"{name}_looked_up_us": looked_up}


async def _median_us(work: Callable[[], Awaitable[object]], *, times: int) -> float:
    spent: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1e6
