"""Who stands behind a name: whether somebody may read a study that another gives him or her."""

from uuid import UUID

from radiology.access import queries as accounts
from radiology.access.model import Actor
from radiology.app import App
from radiology.errors import FieldProblem, Unprocessable
from radiology.external.notifications import inbox
from radiology.external.notifications.model import Message
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.practitioners import actions as practitioners
from radiology.practitioners.model import Standing, Subject, why_not_interpret
from radiology.reading_worklist.items import Item
from radiology.relations import queries as relations
from radiology.relations.model import LASTS, Kind


async def standing_of(app: App, account: str, field: str) -> Standing:
    """What is known of `account:<name>`. Asked before a transaction begins. Raises Unprocessable."""
    async with app.db.transaction() as tx:
        found = await accounts.find_account(tx, account.removeprefix("account:"))
    if found is None or not account.startswith("account:"):
        sentence = "is nobody who can sign in; name an account as account:rahim"
        raise Unprocessable(f"{field} {sentence}.", fields=[FieldProblem(field, sentence)])
    return await practitioners.standing_of(app, found.actor)


def must_read(app: App, standing: Standing, item: Item, field: str) -> None:
    """Raises Unprocessable unless somebody is of the facility of a study, and may read it by role and registry."""
    who, facilities = standing.actor, standing.actor.facility_codes
    subject = Subject(item.facility_code, item.modalities, app.clock.now().astimezone(app.settings.zone).date())
    refusal = why_not_interpret(standing, subject)
    if facilities is not None and item.facility_code not in facilities:
        sentence = f"({who.display or who.id}) does not work at {item.facility_code}"
    elif refusal is not None:
        sentence = f"({who.display or who.id}) may not read this study: {refusal}"
    else:
        return
    raise Unprocessable(f"{field} {sentence}.", fields=[FieldProblem(field, sentence)])


async def make_reader(tx: Transaction, who: str, study_id: UUID, *, by: Actor) -> None:
    """Somebody who is given a study takes part in the care of its patient, and sees it in full."""
    await relations.note(
        tx,
        id=uuid7(),
        actor=who,
        kind=Kind.READER,
        study_id=study_id,
        lasts=LASTS[Kind.READER],
        source="reading-worklist",
        made_by=by.id,
    )


async def tell(tx: Transaction, who: str, kind: str, english: str, bangla: str, study_instance_uid: str) -> None:
    """Put a message into somebody's inbox; names and findings stand in none."""
    subject, text = f"{english} / {bangla}", f"{english}.\n{bangla}।"
    await inbox.place(tx, [who], Message(kind, subject, text, f"ImagingStudy/{study_instance_uid}"))
