"""Keep readers and duties, take spreadsheets over, and warn of registrations that expire."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, Literal

from radiology.access.model import Actor, Permission, Role
from radiology.access.queries import who_are
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import FieldProblem, NotFound, NotPermitted, StaleVersion, Unavailable, Unprocessable
from radiology.external.notifications import inbox
from radiology.external.notifications.model import Message
from radiology.external.practitioners import local
from radiology.external.practitioners.model import Practitioner
from radiology.kit import cpu
from radiology.kit.db import Transaction
from radiology.kit.sheets import Form, Report, read, write
from radiology.kit.taking import How, NotSaved, Outcome, completed, take_rows
from radiology.practitioners.readers import queries
from radiology.practitioners.readers.model import Reader
from radiology.practitioners.readers.queries import Row
from radiology.practitioners.readers.schemas import ReaderIn, ReaderRow, cells

Duty = Literal["head", "director"]

WARNED_DAYS: Final = (0, 7, 30, 60)
"""So many days before a registration expires somebody is warned; 0: it has expired."""
_NOT_REGISTERED: Final = "nobody is registered under this practitioner yet; give name, registration and privileges"
_KEPT_ELSEWHERE: Final = "the registry is kept by another server: leave name, registration and privileges out"


def must_keep_readers(actor: Actor) -> None:
    """Raises NotPermitted for who does not administer all facilities: readers are those of the whole network."""
    actor.must(Permission.ADMINISTER)
    if actor.facility_codes is not None:
        raise NotPermitted("Readers are those of the whole network. Ask an administrator of all facilities.")


# --- Readers ---


async def known(app: App, references: Sequence[str]) -> dict[str, Practitioner] | None:
    """What the registry says of some practitioners; None where it cannot be reached."""
    try:
        return await app.practitioners.find_all(references)
    except Unavailable:
        return None


async def everybody(app: App, *, active_only: bool = False) -> list[tuple[Row, Reader, bool]]:
    """All readers, each with the row and whether the registry told of him or her."""
    async with app.db.reading() as tx:
        rows = await queries.everybody(tx, active_only=active_only)
    found = await known(app, [row.practitioner for row in rows])
    told = found or {}
    return [(row, row.reader(told.get(row.practitioner)), row.practitioner in told) for row in rows]


async def one(app: App, practitioner: str) -> tuple[Row, Reader, bool]:
    """One reader in the same way. Raises NotFound."""
    async with app.db.reading() as tx:
        row = await queries.one(tx, practitioner)
    if row is None:
        raise NotFound("There is no such reader.")
    found = await known(app, [practitioner]) or {}
    return row, row.reader(found.get(practitioner)), practitioner in found


async def save(app: App, actor: Actor, practitioner: str, body: ReaderIn, *, version: int | None) -> Outcome:
    """Add or change a reader; returns what became of it. Raises StaleVersion, Unprocessable for an unknown one."""
    must_keep_readers(actor)
    if await app.practitioners.find(practitioner) is None:
        raise Unprocessable("The practitioner registry does not know this practitioner. Add him or her there first.")
    async with app.db.transaction() as tx:
        found = await queries.version_of(tx, practitioner)
        if version is not None and version != (found or 0):
            raise StaleVersion(f"The reader has version {found or 0} by now. Read it again and decide anew.")
        outcome = await _put(tx, practitioner, body)
        if outcome != "same":
            await audit.record(tx, actor, "practitioner.reader", practitioner)
        return outcome


async def _put(tx: Transaction, practitioner: str, body: ReaderIn) -> Outcome:
    if await queries.version_of(tx, practitioner) is None:
        await queries.insert(tx, practitioner, body.columns())
        return "added"
    return "changed" if await queries.save(tx, practitioner, body.columns()) else "same"


# --- Spreadsheets ---


async def take(app: App, actor: Actor, content: bytes, how: How) -> Report:
    """Add and change readers, and practitioners where the registry is kept here.

    Rows and columns that are not there stay as they are.

    Raises NotPermitted, and what `kit.sheets.read` raises.
    """
    must_keep_readers(actor)
    sheet = await cpu.processes.call(read, content, ReaderRow)
    elsewhere = bool(app.settings.practitioner_registry_url)
    named = await known(app, [row.reference for _, row in sheet.rows]) or {}
    standing = {told["practitioner"]: told for told in [cells(reader) for _, reader, _ in await everybody(app)]}
    whole = completed(sheet, standing, key=lambda row: row.practitioner)
    report = Report(0)
    try:
        async with app.db.transaction() as tx:

            async def put(row: ReaderRow) -> Outcome:
                return await _put_row(tx, row, named.get(row.reference), elsewhere=elsewhere)

            report = await take_rows(whole, how, key=lambda row: row.practitioner, put=put)
            if not report.saved:
                raise NotSaved
            detail = {"added": report.added, "changed": report.changed}
            await audit.record(tx, actor, "practitioner.import", "readers", detail=detail)
    except NotSaved:
        pass
    return report


async def _put_row(tx: Transaction, row: ReaderRow, present: Practitioner | None, *, elsewhere: bool) -> Outcome:
    said = row.in_registry()
    if said is not None and elsewhere and said != present:
        raise _refused("name", _KEPT_ELSEWHERE)
    if said is None and present is None:
        raise _refused(
            "name", "nobody is registered under this practitioner yet; give name, registration and privileges"
        )
    if said is not None and said.registration is not None:
        other = await local.holder_of(tx, said.registration)
        if other not in (None, said.reference):
            raise _refused("registration", f"is that of {other}")
    outcome = await _put(tx, row.reference, ReaderIn.model_validate(row.model_dump(include=set(ReaderIn.model_fields))))
    if said is None or said == present:
        return outcome
    await local.save(tx, said)
    return outcome if outcome == "added" else "changed"


def _refused(field: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field}: {message}.", fields=[FieldProblem(field, message)])


async def give(app: App, actor: Actor, form: Form) -> bytes:
    """All readers as a file, which can be taken over again. Raises NotPermitted."""
    must_keep_readers(actor)
    columns = ["practitioner", *(name for name in ReaderRow.model_fields if name != "practitioner")]
    rows = [cells(reader) for _, reader, _ in await everybody(app)]
    async with app.db.transaction() as tx:
        await audit.record(tx, actor, "practitioner.export", "readers", detail={"rows": len(rows)})
    return write(form, columns, [[row[column] for column in columns] for row in rows])


# --- Duties ---


async def give_duty(app: App, actor: Actor, duty: Duty, facility_code: str, accounts: Sequence[str]) -> None:
    """These accounts are told of what is late at a facility; `*` is all. Raises NotPermitted, Unprocessable."""
    actor.must(Permission.ADMINISTER)
    if actor.facility_codes is not None and facility_code not in actor.facility_codes:
        raise NotPermitted(f"You do not administer facility {facility_code}.")
    async with app.db.transaction() as tx:
        if missing := await queries.without_account(tx, accounts):
            raise _refused("accounts", f"nobody signs in as {', '.join(missing)}")
        await queries.give_duty(tx, duty, facility_code, accounts)
        await audit.record(tx, actor, "practitioner.duty", facility_code, detail={"duty": duty})


async def who_leads(tx: Transaction, duty: Duty, facility_code: str) -> Sequence[str]:
    """Who holds a duty for a facility; its administrators where nobody does, so that somebody is told."""
    found = await queries.holders(tx, duty, facility_code)
    return found or await who_are(tx, [Role.ADMINISTRATOR], facility_code)


# --- By the timetable ---


async def warn_of_registrations(app: App) -> int:
    """Tell readers and administrators of registrations that expire or have; each once for 60, 30, 7 and 0 days."""
    now = app.clock.now()
    today = now.astimezone(app.settings.zone).date()
    count = 0
    for _, reader, is_known in await everybody(app, active_only=True):
        days = _days_to_warn(reader.practitioner.registered_until, today) if is_known else None
        if days is not None:
            async with app.db.transaction() as tx:
                count += await _warn(tx, reader, days, now)
    return count


def _days_to_warn(until: date | None, today: date) -> int | None:
    """Of which of the limits somebody is to be warned on this day."""
    if until is None:
        return None
    left = (until - today).days
    return next((limit for limit in WARNED_DAYS if left < limit or (limit and left == limit)), None)


async def _warn(tx: Transaction, reader: Reader, days: int, now: datetime) -> bool:
    until = reader.practitioner.registered_until
    if not await queries.begin_warning(tx, f"registration {reader.reference} {until} {days}", now=now):
        return False
    said = "has expired" if days == 0 else "expires"
    text = (
        f"The BMDC registration of {reader.practitioner.name} ({reader.reference}) {said}; its last day is {until}. "
        "Nobody is given studies to read without a valid one. Enter the new validity in the practitioner registry."
    )
    administrators = await who_are(tx, [Role.ADMINISTRATOR], None)
    recipients = [each for each in (reader.account, *administrators) if each]
    await inbox.place(tx, recipients, Message("registration", "BMDC registration", text, reader.reference))
    return True
