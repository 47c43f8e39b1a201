"""Messages of the inbox by e-mail: a real mail server at the other end, present, away, slow or unwilling."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

import make
from node import free_port
from radiology.access import accounts
from radiology.app import App
from radiology.errors import Unavailable
from radiology.external.notifications import mailing

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

EMAIL = "/api/radiology/me/notices/email"


class Taking:
    """Keeps what it is sent; says no as often as it is told to."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.refusals: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: ARG002, N802
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: ARG002, N802
        self.letters.append(envelope)
        return "250 taken"


@pytest.fixture
def mail() -> Iterator[tuple[Taking, int]]:
    """A mail server on loopback and its port."""
    taking, port = Taking(), free_port()
    controller = Controller(taking, hostname="127.0.0.1", port=port)
    controller.start()
    yield taking, port
    controller.stop()


async def broken_glass(app: App, client_as: Any, port: int) -> str:
    """Somebody breaks the glass, and a privacy officer with an address is told; the id of the notice."""
    change = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none"}
    object.__setattr__(app, "settings", app.settings.model_copy(update=change))
    stored = await make.a_study(app, Modality="MG", StudyDescription="Mammography")
    officer = await client_as("privacy-officer")
    assert (await officer.put(EMAIL, json={"email": "officer@hospital.example"})).status_code == 204
    doctor = await client_as("referrer")
    await accounts.make_account(app, "referrer", role="referrer", password="correct horse")
    body = {"study": stored.study_instance_uid, "reasonCode": "emergency", "password": "correct horse",
            "text": "Unstable after an accident, needed at once."}  # fmt: skip
    assert (await doctor.post("/api/radiology/break-glass", json=body)).status_code == 201, "it waits for no mail"
    async with app.db.transaction() as tx:
        waiting = await tx.values(
            "SELECT args->'arguments'->>'notice' FROM jobs.procrastinate_jobs WHERE task_name = 'notices.mail'"
        )
    assert len(waiting) == 1
    return waiting[0]


@pytest.mark.peer("SMTP (client)", "aiosmtpd")
async def test_a_notice_is_sent_once_in_both_languages_and_says_nothing_of_the_patient(
    app: App, client_as: Any, mail: tuple[Taking, int]
) -> None:
    taking, port = mail
    notice = await broken_glass(app, client_as, port)
    for _ in range(2):
        await mailing.send(app.db, app.settings, {"notice": notice})
    (envelope,) = taking.letters
    assert (envelope.mail_from, envelope.rcpt_tos) == ("radiology@localhost", ["officer@hospital.example"])
    letter = message_from_bytes(envelope.content or b"", policy=policy.default)  # type: ignore[arg-type]
    text = f"{letter['subject']} {letter.get_content()}"
    assert notice in letter["message-id"]
    assert "Break-glass" in text
    assert "জরুরি" in text
    assert not {"mammo", "MG", "Accident"} & set(text.split())


async def test_a_server_that_is_away_or_busy_is_tried_again(app: App, client_as: Any, mail: tuple[Taking, int]) -> None:
    taking, port = mail
    notice = await broken_glass(app, client_as, port)
    away = app.settings.model_copy(update={"smtp_port": free_port()})
    with pytest.raises(Unavailable):
        await mailing.send(app.db, away, {"notice": notice})
    taking.refusals.append("451 later")
    with pytest.raises(Unavailable):
        await mailing.send(app.db, app.settings, {"notice": notice})
    with_tls = app.settings.model_copy(update={"smtp_security": "starttls"})
    with pytest.raises(Unavailable):
        await mailing.send(app.db, with_tls, {"notice": notice})
    assert taking.letters == [], "nothing goes unprotected where protection was asked for"
    await mailing.send(app.db, app.settings, {"notice": notice})
    assert len(taking.letters) == 1


async def test_an_address_that_nobody_has_is_given_up(app: App, client_as: Any, mail: tuple[Taking, int]) -> None:
    taking, port = mail
    notice = await broken_glass(app, client_as, port)
    taking.refusals.append("550 no such user")
    for _ in range(2):
        await mailing.send(app.db, app.settings, {"notice": notice})
    assert taking.letters == []
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM notices WHERE mail_refused_at IS NOT NULL") == 1


async def test_addresses_are_ones_own_and_only_where_mail_is_sent(app: App, client_as: Any) -> None:
    officer = await client_as("privacy-officer")
    body = {"email": "officer@hospital.example"}
    assert (await officer.put(EMAIL, json=body)).status_code == 415
    object.__setattr__(app, "settings", app.settings.model_copy(update={"smtp_host": "127.0.0.1"}))
    for wrong in ("officer", "a@b\nBcc: c@d", "A <a@b>", "a@b, c@d", "ক@b"):
        assert (await officer.put(EMAIL, json={"email": wrong})).status_code == 422, wrong
    assert (await officer.put(EMAIL, json=body)).status_code == 204
    assert (await officer.get(EMAIL)).json() == body
    assert (await officer.put(EMAIL, json={"email": None})).status_code == 204
    assert (await officer.get(EMAIL)).json() == {"email": None}
