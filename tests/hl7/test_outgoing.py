"""How orders fare, told to a receiver that answers, refuses, or is away."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from hl7.mllp import start_hl7_server

import hl7
import hl7_peer as peers
from node import free_port
from ordering import an_order
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.hl7.outgoing import sending
from radiology.hl7.outgoing.following import follow_events
from radiology.hl7.outgoing.model import Receiver
from radiology.kit import jobs, outbox

pytestmark = [pytest.mark.anyio, pytest.mark.peer("HL7 order status (sender)", "python-hl7")]


@dataclass
class Peer:
    """An MLLP server of another library, which answers as it is told."""

    port: int
    code: str = "AA"
    received: list[hl7.Message] = field(default_factory=list)

    async def serve(self, reader: Any, writer: Any) -> None:
        while True:
            try:
                message = await reader.readmessage()
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            self.received.append(message)
            writer.writemessage(message.create_ack(self.code))
            await writer.drain()
        writer.close()

    @property
    def statuses(self) -> list[str]:
        return [str(message.segment("ORC")[5]) for message in self.received]


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    made = Peer(free_port())
    server = await start_hl7_server(made.serve, "127.0.0.1", made.port, encoding="utf-8")
    yield made
    server.close()


async def _register(app: App, peer: Peer, **changed: Any) -> None:
    receiver = Receiver("HIS", "127.0.0.1", peer.port, receiving_application="HIS", receiving_facility="DMCH")
    await sending.save_receiver(app, SYSTEM, replace(receiver, **changed))


async def _follow(app: App) -> int:
    async with app.db.transaction() as tx:
        await outbox.place(tx)
    return await follow_events(app)


async def _send_all(app: App) -> list[float]:
    """Do the jobs that wait; returns the seconds after which some want to be done again."""
    async with app.db.transaction() as tx:
        waiting = await tx.values(
            "SELECT DISTINCT order_id FROM hl7_deliveries WHERE state = 'open' ORDER BY order_id"
        )  # fmt: skip
    later: list[float] = []
    for order_id in waiting:
        try:
            await sending.send(app, {"receiver": "HIS", "order": str(order_id)})
        except jobs.Later as error:
            later.append(error.seconds)
    return later


async def _deliveries(app: App) -> list[Any]:
    async with app.db.transaction() as tx:
        return await tx.values(
            "SELECT json_build_array(status, state, code, attempts) FROM hl7_deliveries ORDER BY number"
        )


async def test_a_receiver_is_told_in_order(app: App, send: Any, peer: Peer):
    await _register(app, peer)
    await send(peers.order("P1"))
    await send(peers.order("P1", control="HD"))
    await send(peers.order("P1", control="RL"))
    await send(peers.order("P1", control="CA"))
    assert await _follow(app) == 4
    assert await _follow(app) == 0
    assert await _send_all(app) == []
    assert peer.statuses == ["SC", "HD", "SC", "CA"]
    first = peer.received[0]
    assert str(first["MSH.F9"]) == "ORM"
    assert (first["PID.F3.R1.C1"], first["ORC.F1"], first["ORC.F2.R1.C1"]) == ("1001", "SC", "P1")
    assert (first["PID.F5.R1.C1"], first["PID.F5.R2.C1"]) == ("Karim", "করিম")
    assert (first["OBR.F4.R1.C1"], first["OBR.F24"], first["OBR.F25"]) == ("CTHEAD", "CT", "S")
    assert await _deliveries(app) == [[each, "sent", "AA", 1] for each in ("SC", "HD", "SC", "CA")]
    async with app.db.transaction() as tx:
        enqueued = await tx.value("SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'hl7.send'")
    assert enqueued == 4


async def test_no_impossible_code_is_told_under_the_name_of_loinc(app: App, client_as: Any, peer: Peer):
    await _register(app, peer)
    code = {"coding": [{"system": "http://loinc.org", "code": "34839-5", "display": "Chest X-ray"}]}
    body = an_order(procedures=[{"modality": "DX", "code": code}])
    assert (await (await client_as("radiographer")).post("/api/radiology/orders", json=body)).status_code == 201
    await _follow(app)
    await _send_all(app)
    told = peer.received[0]
    assert (told["OBR.F4.R1.C1"], told["OBR.F4.R1.C3"]) == ("34839-5", "L")


async def test_what_is_refused_waits_for_a_person(app: App, send: Any, peer: Peer, client_as: Any):
    await _register(app, peer)
    peer.code = "AE"
    await send(peers.order("P1"))
    await _follow(app)
    assert await _send_all(app) == []
    assert await _deliveries(app) == [["SC", "refused", "AE", 1]]
    client = await client_as("administrator")
    base = "/api/radiology/hl7/outgoing"
    (item,) = (await client.get(base, params={"state": "refused", "receiver": "HIS"})).json()["results"]
    assert (item["status"], item["code"]) == ("SC", "AE")
    peer.code = "AA"
    assert (await client.post(f"{base}/{item['id']}/retry")).status_code == 204
    assert await _send_all(app) == []
    assert await _deliveries(app) == [["SC", "sent", "AA", 2]]
    assert (await client.post(f"{base}/{item['id']}/dismiss")).status_code == 404


async def test_a_receiver_that_is_away_is_told_later(app: App, send: Any, clock: Any):
    await _register(app, Peer(free_port()))
    await send(peers.order("P1"))
    await send(peers.order("P1", control="CA"))
    await _follow(app)
    assert await _send_all(app) == [60]
    assert await _deliveries(app) == [["SC", "open", "", 1], ["CA", "open", "", 0]]
    made = Peer(free_port())
    server = await start_hl7_server(made.serve, "127.0.0.1", made.port, encoding="utf-8")
    await _register(app, made)
    assert await _send_all(app) == []
    assert made.statuses == ["SC", "CA"]
    server.close()


async def test_it_is_given_up_after_a_day(app: App, send: Any, clock: Any):
    await _register(app, Peer(free_port()))
    await send(peers.order("P1"))
    await _follow(app)
    clock.advance(25 * 3600)
    assert await _send_all(app) == []
    assert await _deliveries(app) == [["SC", "given-up", "", 1]]


@pytest.mark.parametrize(
    "answer", [b"", b"\x0bhello\x1c\r", b"\x0bMSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.5\rMSA|AA|other\r\x1c\r"]
)
async def test_an_answer_that_is_none_is_a_failure(app: App, send: Any, answer: bytes):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\x1c\r")
        writer.write(answer)
        writer.close()

    port = free_port()
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    await _register(app, Peer(port))
    await send(peers.order("P1"))
    await _follow(app)
    assert await _send_all(app) == [60]
    async with app.db.transaction() as tx:
        assert (await tx.value("SELECT sentence FROM hl7_deliveries")).startswith("The ")
    server.close()


async def test_only_what_a_receiver_wants(app: App, send: Any, peer: Peer):
    await _register(app, peer, statuses=["CA"], facility_code="DMCH", form="OMG^O19", version="2.6")
    await send(peers.order("P1"))
    await send(peers.order("P1", control="CA"))
    assert await _follow(app) == 1
    await _send_all(app)
    assert peer.statuses == ["CA"]
    assert str(peer.received[0]["MSH.F9"]) == "OMG"
    await _register(app, peer, facility_code="BSMMU")
    await send(peers.order("P2"))
    assert await _follow(app) == 0


async def test_a_step_that_begins_is_told(app: App, send: Any, peer: Peer):
    from radiology.modality_worklist.actions.status import change_status
    from radiology.modality_worklist.model import Status

    await _register(app, peer)
    await send(peers.order("P1"))
    async with app.db.transaction() as tx:
        step: UUID = await tx.value("SELECT id FROM scheduled_procedure_steps")
    await change_status(app, SYSTEM, step, Status.STARTED, reason=None, version=None)
    await _follow(app)
    await _send_all(app)
    assert peer.statuses == ["SC", "IP"]
