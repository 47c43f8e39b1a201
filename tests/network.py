"""A network of readers for tests: practitioners, readers and accounts, and who is on call."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from radiology.access import accounts
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.external.practitioners import local
from radiology.external.practitioners.model import Practitioner, Privilege
from radiology.practitioners.readers import actions as readers
from radiology.practitioners.readers.rota import actions as rotas
from radiology.practitioners.readers.rota.model import Turn
from radiology.practitioners.readers.schemas import ReaderIn

ALWAYS: dict[str, Any] = {"days": [1, 2, 3, 4, 5, 6, 7], "begins": "00:00", "ends": "00:00"}


async def reader(app: App, name: str, *, account: bool = True, registered_until: Any = None, **changes: Any) -> str:
    """A radiologist of the whole country with all privileges, always on shift; returns the reference."""
    reference = f"Practitioner/{name}"
    known = Practitioner(
        reference, f"Dr. {name}", registration=f"A-{sum(map(ord, name)):05}", registered_until=registered_until,
        specialties=frozenset({"radiology"}), privileges=(Privilege("*", frozenset({"*"})),),
    )  # fmt: skip
    async with app.db.transaction() as tx:
        await local.save(tx, known)
    given = {
        "subspecialties": ["neuro"], "ageGroups": ["adult", "child", "neonate"], "shifts": [ALWAYS],
        "contracts": [{"scope": "national"}], **changes,
    }  # fmt: skip
    await readers.save(app, SYSTEM, reference, ReaderIn.model_validate(given), version=None)
    if account:
        await accounts.make_account(app, name, role="radiologist", practitioner=reference)
    return reference


async def on_call(app: App, group: str, primary: Sequence[str], secondary: Sequence[str] = ()) -> None:
    """A rota of a group, on which readers are on call for a day from an hour ago on, one at a time on each line."""
    await rotas.save(app, SYSTEM, group, name=group.title(), group=group, facility_codes=None, active=True)
    begins = app.clock.now() - timedelta(hours=1)
    for line, several in ((1, primary), (2, secondary)):
        for name in several:
            turn = Turn(line, f"Practitioner/{name}", begins, begins + timedelta(days=1))
            await rotas.add_turn(app, SYSTEM, group, turn)
