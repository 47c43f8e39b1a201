"""The job that sends a message of the inbox by e-mail. Whoever caused the message never waits for it."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from radiology.errors import Unprocessable
from radiology.external.notifications import inbox
from radiology.external.notifications.model import Courier
from radiology.external.notifications.smtp import SMTPCourier
from radiology.kit.db import Database
from radiology.kit.log import get_logger
from radiology.settings import Settings

JOB: Final = inbox.JOB

log = get_logger()


async def send(db: Database, settings: Settings, arguments: Mapping[str, Any]) -> None:
    """The job: send one message, unless it was sent or read, or its account wants none. Raises Unavailable."""
    notice = UUID(arguments["notice"])
    async with db.transaction() as tx:
        letter = await inbox.letter_of(tx, notice)
    if letter is None or not settings.smtp_host:
        return
    courier: Courier = SMTPCourier(settings)
    try:
        await courier.carry(letter)
    except Unprocessable as error:
        log.warning("notice.refused", exc_info=error)
        async with db.transaction() as tx:
            await inbox.note_refused(tx, notice)
        return
    async with db.transaction() as tx:
        await inbox.note_mailed(tx, notice)
