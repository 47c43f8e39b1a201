"""Storage commitment that we ask of pynetdicom: the result on our association, on its own, and never."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

from node import Node, running_node
from radiology.delivery.commitment import actions
from radiology.kit import jobs
from radiology.kit.ids import uuid7
from radiology.studies.commitment import Reference
from storage_peers import register

pytestmark = pytest.mark.peer("Storage Commitment (SCU)", "pynetdicom")

RECEIVER = "RECEIVER"
STATE = "SELECT state FROM commitment_inquiries"
OUTCOMES = """
    SELECT json_object_agg(sop_instance_uid, json_build_array(outcome, failure_reason)) FROM commitment_outcomes
"""


@pytest.fixture
def node(settings):
    with running_node(settings) as running:
        yield running


@contextmanager
def receiver(node: Node, on_action: Callable[[evt.Event], int]) -> Iterator[None]:
    """An SCP of storage commitment that is registered at the node."""

    def handle(event: evt.Event) -> tuple[int, Dataset | None]:
        return on_action(event), None

    ae = AE(ae_title=RECEIVER)
    ae.add_supported_context(StorageCommitmentPushModel)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_ACTION, handle)])
    try:
        register(node, RECEIVER, server.socket.getsockname()[1])
        yield
    finally:
        server.shutdown()


def ask_about(node: Node, *uids: str) -> str:
    """What delivery does after it has sent; the id of the request."""

    async def run() -> None:
        async with node.app.db.transaction() as tx:
            references = [Reference(CTImageStorage, uid) for uid in uids]
            await actions.ask_for_commitment(tx, RECEIVER, references, now=node.app.clock.now())

    node.wait(run())
    return str(node.value("SELECT id FROM commitment_inquiries"))


def attempt(node: Node, inquiry_id: str) -> float | None:
    """The job once; after how many seconds it wants to be run again."""
    try:
        node.wait(actions.ask(node.archive, {"inquiry": inquiry_id}))
    except jobs.Later as later:
        return later.seconds
    return None


def a_result(transaction_uid: str, committed: list[str], failed: list[str]) -> tuple[int, Dataset]:
    """Event type and information."""
    ds = Dataset()
    ds.TransactionUID = transaction_uid
    if committed:
        ds.ReferencedSOPSequence = [item(uid) for uid in committed]
    if failed:
        ds.FailedSOPSequence = [item(uid) for uid in failed]
        for each in ds.FailedSOPSequence:
            each.FailureReason = 0x0112
    return (2 if failed else 1), ds


def item(uid: str) -> Dataset:
    ds = Dataset()
    ds.ReferencedSOPClassUID, ds.ReferencedSOPInstanceUID = UID(CTImageStorage), uid
    return ds


def report(node: Node, transaction_uid: str, committed: list[str], failed: list[str], ae_title: str = RECEIVER) -> int:
    """The result on an association of the receiver, with reversed roles; the status of our response."""
    ae = AE(ae_title=ae_title)
    ae.add_requested_context(StorageCommitmentPushModel, ExplicitVRLittleEndian)
    role = build_role(StorageCommitmentPushModel, scp_role=True)
    association = ae.associate("127.0.0.1", node.port, ae_title="RADSVC", ext_neg=[role])
    assert association.is_established
    assert association.accepted_contexts[0].as_scp
    event_type, ds = a_result(transaction_uid, committed, failed)
    status, _ = association.send_n_event_report(
        ds, event_type, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
    )
    association.release()
    return int(status.Status)


def test_the_result_on_an_association_of_the_receiver(node, monkeypatch):
    monkeypatch.setattr(actions, "SAME_ASSOCIATION_SECONDS", 0.01)
    kept, lost, asked = generate_uid(), generate_uid(), []

    def on_action(event: evt.Event) -> int:
        asked.append((event.action_type, event.action_information))
        return 0x0000

    with receiver(node, on_action):
        assert attempt(node, ask_about(node, kept, lost)) == 24 * 3600
        assert node.value(STATE) == "asked"
        action_type, information = asked[0]
        named = {each.ReferencedSOPInstanceUID for each in information.ReferencedSOPSequence}
        assert (action_type, named) == (1, {kept, lost})
        assert report(node, information.TransactionUID, [kept], [lost]) == 0x0000
    assert node.value(STATE) == "answered"
    assert node.value(OUTCOMES) == {kept: ["committed", None], lost: ["failed", 0x0112]}


def test_the_result_on_the_association_of_the_request(node):
    uid = generate_uid()

    def on_action(event: evt.Event) -> int:
        event_type, ds = a_result(event.action_information.TransactionUID, [uid], [])
        status, _ = event.assoc.send_n_event_report(
            ds, event_type, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
        assert status.Status == 0x0000
        return 0x0000

    with receiver(node, on_action):
        assert attempt(node, ask_about(node, uid)) is None
    assert node.value(STATE) == "answered"
    assert node.value(OUTCOMES) == {uid: ["committed", None]}


def test_a_receiver_that_is_away_or_refuses_is_asked_again(node, monkeypatch):
    monkeypatch.setattr(actions, "SAME_ASSOCIATION_SECONDS", 0.01)
    register(node, RECEIVER, 1)
    inquiry_id, statuses = ask_about(node, generate_uid()), [0x0110, 0x0000]
    assert attempt(node, inquiry_id) == 60
    with receiver(node, lambda _event: statuses.pop(0)):
        assert attempt(node, inquiry_id) == 300
        assert "0110" in node.value("SELECT sentence FROM commitment_inquiries")
        assert attempt(node, inquiry_id) == 24 * 3600


def test_a_result_that_never_comes(node, monkeypatch):
    monkeypatch.setattr(actions, "SAME_ASSOCIATION_SECONDS", 0.01)
    with receiver(node, lambda _event: 0x0000):
        inquiry_id = ask_about(node, generate_uid())
        attempt(node, inquiry_id)
    assert attempt(node, inquiry_id) == pytest.approx(24 * 3600, abs=60), "run again too early, it goes on waiting"
    node.value("UPDATE commitment_inquiries SET asked_at = now() - interval '25 hours' RETURNING 1")
    assert attempt(node, inquiry_id) is None
    assert node.value(STATE) == "given-up"
    assert "no result" in node.value("SELECT sentence FROM commitment_inquiries")


def test_only_who_was_asked_can_answer(node, monkeypatch):
    monkeypatch.setattr(actions, "SAME_ASSOCIATION_SECONDS", 0.01)
    uid = generate_uid()
    with receiver(node, lambda _event: 0x0000):
        attempt(node, ask_about(node, uid))
        transaction_uid = node.value("SELECT transaction_uid FROM commitment_inquiries")
        assert report(node, transaction_uid, [uid], [], ae_title="MODALITY1") == 0x0115
        assert report(node, generate_uid(), [uid], []) == 0x0115
    assert node.value(STATE) == "asked"


@pytest.mark.anyio
async def test_what_was_asked_over_rest(app, client_as: Any):
    administrator, radiologist = await client_as("administrator"), await client_as("radiologist")
    async with app.db.transaction() as tx:
        references = [Reference(CTImageStorage, "1.2.3"), Reference(CTImageStorage, "1.2.4")]
        await actions.ask_for_commitment(tx, RECEIVER, references, now=app.clock.now())
    transaction_uid = ""
    async with app.db.transaction() as tx:
        transaction_uid = await tx.value("SELECT transaction_uid FROM commitment_inquiries")
    _, said = a_result(transaction_uid, ["1.2.3"], ["1.2.4"])
    await actions.take_result(app, RECEIVER, said.to_json_dict())

    assert (await radiologist.get("/api/radiology/commitments")).status_code == 403
    found = await administrator.get("/api/radiology/commitments?aeTitle=RECEIVER&state=answered")
    (listed,) = found.json()["results"]
    assert (listed["committed"], listed["failed"], listed["awaited"]) == (1, 1, 0)
    one = (await administrator.get(f"/api/radiology/commitments/{listed['id']}")).json()
    assert [(each["outcome"], each["failureReason"]) for each in one["instances"]] == [
        ("committed", None),
        ("failed", "0112"),
    ]
    assert (await administrator.get(f"/api/radiology/commitments/{uuid7()}")).status_code == 404
