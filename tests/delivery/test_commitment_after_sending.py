"""A receiver that offers storage commitment is asked when it has everything; what it does not keep is sent again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

import make
from node import Node, running_node
from radiology.access.model import SYSTEM
from radiology.delivery.moves import actions as moves
from radiology.delivery.moves import queries as move_queries
from radiology.delivery.routing import actions as routing
from radiology.delivery.routing import delivery_queries, sending
from radiology.studies.queries.retrieve import Target
from routing_rules import add_rule, follow
from storage_peers import register
from waiting import until
from working import worker

pytestmark = pytest.mark.peer("Storage Commitment (SCU)", "pynetdicom")

RECEIVER = "RECEIVER"


@pytest.fixture
def node(settings):
    with running_node(settings) as running:
        yield running


@contextmanager
def keeper(node: Node, loses: set[str], **fields: Any) -> Iterator[list[str]]:
    """A receiver that says at once of what it was asked whether it keeps it: all but what it `loses`. What came."""
    came: list[str] = []

    def on_store(event: evt.Event) -> int:
        came.append(event.request.AffectedSOPInstanceUID)
        return 0x0000

    def on_action(event: evt.Event) -> tuple[int, None]:
        asked = event.action_information
        lost = [item for item in asked.ReferencedSOPSequence if item.ReferencedSOPInstanceUID in loses]
        said = Dataset()
        said.TransactionUID = asked.TransactionUID
        said.ReferencedSOPSequence = [item for item in asked.ReferencedSOPSequence if item not in lost]
        for item in lost:
            item.FailureReason = 0x0112
        if lost:
            said.FailedSOPSequence = lost
        event.assoc.send_n_event_report(
            said, 2 if lost else 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
        return 0x0000, None

    ae = AE(ae_title=RECEIVER)
    ae.add_supported_context(CTImageStorage)
    ae.add_supported_context(StorageCommitmentPushModel)
    handlers = [(evt.EVT_C_STORE, on_store), (evt.EVT_N_ACTION, on_action)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        register(node, RECEIVER, server.socket.getsockname()[1], **fields)
        yield came
    finally:
        server.shutdown()


def a_move(node: Node, study_instance_uid: str) -> UUID:
    move_id, _ = node.wait(moves.start_move(node.app, SYSTEM, Target(study_instance_uid), RECEIVER, "medium"))
    return move_id


def move_body(node: Node, move_id: UUID) -> dict[str, Any]:
    async def ask() -> bytes:
        async with node.app.db.transaction() as tx:
            return await move_queries.body_of(tx, move_id, visible_to=SYSTEM)

    return orjson.loads(node.wait(ask()))


def delivery_body(node: Node) -> dict[str, Any]:
    async def ask() -> bytes:
        async with node.app.db.transaction() as tx:
            return (
                await delivery_queries.page_of(tx, ae_title=None, state=None, limit=1, cursor=None, visible_to=SYSTEM)
            )[0]

    return orjson.loads(node.wait(ask()))[0]


def committed(body: dict[str, Any]) -> bool:
    return body["commitment"]["state"] == "committed"


def commitment_is(body: Callable[[], dict[str, Any]], state: str) -> Callable[[], bool]:
    return lambda: body()["commitment"]["state"] == state


def test_a_move_says_what_is_kept_and_a_retry_sends_the_rest_again(node):
    study = node.wait(make.a_study(node.app, instances=3))
    loses = {study.sop_instance_uid}
    with keeper(node, loses, offers_commitment=True) as came, worker(node):
        move_id = a_move(node, study.study_instance_uid)
        until(commitment_is(lambda: move_body(node, move_id), "failed"))
        body = move_body(node, move_id)
        assert body["status"] == "completed"
        assert body["commitment"]["failedSOPInstanceUIDs"] == [study.sop_instance_uid]
        assert "does not keep 1 of 3 instances" in body["commitment"]["sentence"]
        loses.clear()
        node.wait(moves.retry_move(node.app, SYSTEM, move_id))
        until(lambda: node.wait(moves.start_due(node.app)) >= 0 and committed(move_body(node, move_id)))
    assert len(came) == 4
    assert came[-1] == study.sop_instance_uid
    assert node.value("SELECT count(*) FROM commitment_outcomes") == 4, "what is kept is not asked about again"


def test_a_delivery_is_asked_about_when_it_is_complete_and_only_of_what_came_since(node):
    study = node.wait(make.a_study(node.app, instances=2))
    add_rule(node, RECEIVER)
    loses = {study.sop_instance_uid}
    with keeper(node, loses, offers_commitment=True) as came, worker(node):
        follow(node)
        until(commitment_is(lambda: delivery_body(node), "failed"))
        loses.clear()
        node.wait(routing.retry(node.app, SYSTEM, UUID(delivery_body(node)["id"])))
        until(lambda: node.wait(sending.start_due(node.app)) >= 0 and committed(delivery_body(node)))
        late = make.an_object(StudyInstanceUID=study.study_instance_uid, PatientID=study.objects[0].PatientID)
        node.wait(make.store(node.app, late))
        follow(node)
        until(lambda: len(came) == 4 and delivery_body(node)["commitment"]["state"] == "committed")
    assert node.value("SELECT count(*) FROM commitment_outcomes") == 4


def test_a_receiver_that_does_not_offer_it_is_not_asked(node):
    study = node.wait(make.a_study(node.app))
    with keeper(node, set()) as came, worker(node):
        move_id = a_move(node, study.study_instance_uid)
        until(lambda: move_body(node, move_id)["status"] == "completed")
    assert len(came) == 1
    assert move_body(node, move_id)["commitment"] == {"state": "none", "sentence": "", "failedSOPInstanceUIDs": []}
    assert node.value("SELECT count(*) FROM commitment_inquiries") == 0


def test_a_request_that_cannot_be_made_says_why(node):
    study = node.wait(make.a_study(node.app))
    with keeper(node, set()) as came, worker(node):
        move_id = a_move(node, study.study_instance_uid)
        until(lambda: len(came) == 1)
    register(node, RECEIVER, 1, offers_commitment=True)

    async def ask() -> None:
        async with node.app.db.transaction() as tx:
            references = await move_queries.take_uncommitted(tx, move_id)
            await moves.commitment.ask_for_commitment(
                tx, RECEIVER, references, now=node.app.clock.now(), cause_id=move_id
            )

    node.wait(ask())
    with worker(node):
        until(lambda: move_body(node, move_id)["commitment"]["sentence"] != "")
    assert move_body(node, move_id)["commitment"]["state"] == "asked"
    assert "cannot be reached" in move_body(node, move_id)["commitment"]["sentence"]
