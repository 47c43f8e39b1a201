"""What becomes of a message: taken once, answered the same, kept, refused with a sentence."""

from typing import Any

import pytest

import hl7_peer as peers
from hl7_peer import HIS
from radiology.app import App
from radiology.hl7 import receiving
from radiology.hl7.model import Peer, Sender
from radiology.hl7.receiving import Outcome, receive

pytestmark = pytest.mark.anyio
HERE = Peer("127.0.0.1")


@pytest.fixture
async def his(app: App) -> Sender:
    await peers.register(app, HIS)
    return HIS


async def _value(app: App, statement: Any, **parameters: Any) -> Any:
    async with app.db.transaction() as tx:
        return await tx.value(statement, **parameters)


async def _send(app: App, raw: bytes, peer: Peer = HERE) -> peers.Said:
    return peers.Said((await receive(app, raw, peer)).acknowledgement)


async def _states(app: App) -> Any:
    rows = "json_agg(json_build_array(state, code, attempts) ORDER BY received_at, id)"
    return await _value(app, f"SELECT coalesce({rows}, '[]') FROM hl7_messages")  # noqa: S608


async def _patients(app: App) -> int:
    return await _value(app, "SELECT count(*) FROM patients")


def _admission(id: str | None = None, number: str = "1001") -> bytes:
    return peers.message(peers.header("ADT^A04", id), peers.pid(number), "PV1|1|O")


async def test_a_message_and_what_it_changes_are_kept(app: App, his: Sender):
    said = await _send(app, _admission("C7"))
    assert said.lines["MSA"][1:3] == ["AA", "C7"]
    assert said.lines["MSH"][2:6] == ["RADI", "LOCAL", "HIS", "DMCH"]
    assert await _patients(app) == 1
    assert await _states(app) == [["processed", "AA", 1]]
    assert await _value(app, "SELECT content FROM hl7_messages") == _admission("C7")
    reference = await _value(app, "SELECT reference FROM patients")
    assert await _value(app, "SELECT effects->'references'->>0 FROM hl7_messages") == reference


async def test_the_same_message_is_answered_the_same_and_changes_nothing(app: App, his: Sender):
    first = await receive(app, _admission("C7"), HERE)
    again = await receive(app, _admission("C7"), HERE)
    later = await receive(app, _admission("C7").replace(b"20260121103000+0600", b"20260121110000+0600"), HERE)
    assert again == Outcome(first.acknowledgement, first.verdict, "ADT^A04", again=True)
    assert later.acknowledgement == first.acknowledgement
    assert await _states(app) == [["processed", "AA", 1]]
    assert await _value(app, "SELECT count(*) FROM audit_arrivals WHERE action LIKE 'patient.%%'") <= 1


async def test_another_message_under_the_same_control_id_waits_for_a_person(app: App, his: Sender):
    await _send(app, _admission("C7"))
    said = await _send(app, _admission("C7", "2002"))
    assert (said.code, said.place) == ("AE", "MSH^1^10")
    assert said.sentence.startswith("Another message with control id C7 was taken before.")
    assert await _patients(app) == 1
    assert await _states(app) == [["processed", "AA", 1], ["failed", "AE", 1]]


async def test_the_same_control_id_of_another_sender_is_another_message(app: App, his: Sender):
    await peers.register(app, Sender("LAB", "LAB"))
    raw = peers.message(peers.header("ADT^A04", "C7", application="LAB", facility="ANY"), peers.pid("2002"))
    assert (await _send(app, _admission("C7"))).code == (await _send(app, raw)).code == "AA"
    assert await _patients(app) == 2


async def test_a_message_that_failed_is_tried_again_when_it_comes_again(app: App, his: Sender):
    raw = peers.message(peers.header("ADT^A04", "C9"), peers.pid(sex="X"))
    said = await _send(app, raw)
    assert (said.code, said.place) == ("AE", "PID^1^8")
    assert said.sentence == "PID-8 is 'X'; it must be one of M, F, O, A, N, U."
    assert said.lines["ERR"][3] == "103^Table value not found^HL70357"
    await _send(app, raw)
    assert await _states(app) == [["failed", "AE", 2]]


async def test_a_patient_without_a_number_is_refused_by_name(app: App, his: Sender):
    said = await _send(app, peers.message(peers.header("ADT^A04"), "PID|1||||Karim^Abdul"))
    assert (said.code, said.place, said.lines["ERR"][3]) == ("AE", "PID^1^3", "101^Required field missing^HL70357")
    assert await _patients(app) == 0


async def test_a_bug_keeps_the_message(app: App, his: Sender, monkeypatch: pytest.MonkeyPatch):
    async def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(receiving, "HANDLERS", {"ADT^A04": ("patients", broken)})
    said = await _send(app, _admission("C7"))
    assert (said.code, said.lines["ERR"][3]) == ("AE", "207^Application internal error^HL70357")
    assert await _states(app) == [["failed", "AE", 1]]
    monkeypatch.undo()
    assert (await _send(app, _admission("C7"))).code == "AA"
    assert await _states(app) == [["processed", "AA", 2]]


async def test_messages_that_nothing_is_for_are_rejected_and_wait_for_nobody(app: App, his: Sender):
    said = await _send(app, peers.message(peers.header("MDM^T02"), peers.pid()))
    assert (said.code, said.lines["ERR"][3]) == ("AR", "200^Unsupported message type^HL70357")
    said = await _send(app, peers.message(peers.header("ADT^A60"), peers.pid()))
    assert (said.code, said.lines["ERR"][3]) == ("AR", "201^Unsupported event code^HL70357")
    assert await _states(app) == [["dismissed", "AR", 1], ["dismissed", "AR", 1]]


async def test_a_sender_may_send_only_what_is_allowed(app: App):
    await peers.register(app, Sender("HIS", "HIS", messages=["patients"]))
    said = await _send(app, peers.order())
    assert said.code == "AR"
    assert said.sentence == "HIS may not send ORM-O01: add orders to its messages."


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"hello", "The message does not begin with MSH."),
        (b"", "The message does not begin with MSH."),
        (b"MSH|^~\\&|HIS|DMCH|R|L|2026||ADT^A04||P|2.5\r", "MSH-10 is empty: a message needs a control id."),
        (b"MSH|^~\\&|HIS|DMCH|R|L|2026||ADT^A04|" + b"7" * 200 + b"|P|2.5\r", "MSH-10 is longer than 199 characters."),
    ],
)
async def test_what_has_no_name_is_rejected_and_not_kept(app: App, his: Sender, raw: bytes, sentence: str):
    said = await _send(app, raw)
    assert (said.code, said.sentence) == ("AR", sentence)
    assert await _states(app) == []


async def test_a_version_that_is_not_read_is_rejected(app: App, his: Sender):
    said = await _send(app, _admission().replace(b"|2.5.1|", b"|3.0|"))
    assert (said.code, said.place) == ("AR", "MSH^1^12")


async def test_an_unknown_sender_is_refused(app: App):
    outcome = await receive(app, _admission(), HERE)
    said = peers.Said(outcome.acknowledgement)
    assert (said.code, outcome.refused) == ("AR", "unknown sender")
    assert said.sentence == "HIS at DMCH may not send messages to this service from 127.0.0.1 (unknown sender)."
    assert await _states(app) == []


async def test_an_unknown_sender_is_quarantined_where_that_is_set(app: App):
    object.__setattr__(app, "settings", app.settings.model_copy(update={"hl7_unknown_senders": "quarantine"}))
    assert (await _send(app, _admission("C7"))).code == "AR"
    assert await _states(app) == [["quarantined", "AR", 1]]
    assert await _patients(app) == 0
    await peers.register(app, HIS)
    assert (await _send(app, _admission("C7"))).code == "AA"
    assert await _states(app) == [["processed", "AA", 2]]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"enabled": False}, "disabled"),
        ({"hosts": ["192.0.2.1"]}, "address"),
        ({"tls": "required"}, "not encrypted"),
    ],
)
async def test_a_known_sender_from_elsewhere_is_refused(app: App, changed: dict[str, Any], why: str):
    await peers.register(app, Sender("HIS", "HIS", **changed))
    assert (await receive(app, _admission(), HERE)).refused == why
    assert await _states(app) == []


async def test_the_sender_of_a_facility_comes_before_the_one_of_any(app: App):
    await peers.register(app, Sender("ANY", "HIS"))
    await peers.register(app, HIS)
    await _send(app, _admission())
    assert await _value(app, "SELECT sender FROM hl7_messages") == "HIS"


async def test_a_charset_may_be_overruled_for_a_sender(app: App):
    await peers.register(app, Sender("HIS", "HIS", charset="UNICODE UTF-8"))
    await _send(app, _admission().replace(b"UNICODE UTF-8", b"8859/1"))
    assert "করিম" in await _value(app, "SELECT patient_name FROM patients")
