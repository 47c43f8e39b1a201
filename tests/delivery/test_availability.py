"""Instance Availability Notification to pynetdicom: whole studies, late instances, rejections and their withdrawal."""

import pytest

import make
from availability_peers import happen, told
from node import Node, running_node
from radiology.access.model import SYSTEM
from radiology.delivery.availability import actions
from radiology.events import StudyReceived, emit
from radiology.kit import jobs
from radiology.studies.actions.reject import reject, withdraw
from radiology.studies.actions.settle import settle_studies
from radiology.studies.rejection import Category, Title
from storage_peers import register
from working import worker

pytestmark = pytest.mark.peer("Instance Availability Notification (SCU)", "pynetdicom")

ONLINE, UNAVAILABLE = "ONLINE", "UNAVAILABLE"
LONG_AGO = "UPDATE imaging_studies SET last_instance_at = now() - interval '1 hour' RETURNING 1"


@pytest.fixture
def node(settings):
    with running_node(settings) as running:
        running.wait(happen(running))
        yield running


def settle(node: Node) -> None:
    async def wait_long() -> None:
        async with node.app.db.transaction() as tx:
            await tx.value(LONG_AGO)
        await settle_studies(node.app)

    node.wait(wait_long())
    node.wait(happen(node))


def received(node: Node, study_instance_uid: str) -> None:
    async def tell() -> None:
        async with node.app.db.transaction() as tx:
            await emit(
                tx,
                StudyReceived(
                    facility_code="LOCAL", study_id="", study_instance_uid=study_instance_uid, number_of_instances=1
                ),
            )

    node.wait(tell())
    node.wait(happen(node))


def test_a_whole_study_and_what_comes_late(node):
    stored = node.wait(make.a_study(node.app, instances=2))
    with told(node) as notices, worker(node):
        settle(node)
        notice = notices.get(timeout=15)
        assert notice.study_instance_uid == stored.study_instance_uid
        assert notice.availability == dict.fromkeys(stored.files, ONLINE)
        assert notice.retrieve_ae_titles == {"RADSVC"}
        late = make.an_object(StudyInstanceUID=stored.study_instance_uid, PatientID=stored.objects[0].PatientID)
        node.wait(make.store(node.app, late))
        settle(node)
        assert notices.get(timeout=15).availability == dict.fromkeys([*stored.files, late.SOPInstanceUID], ONLINE)


def test_what_is_rejected_is_unavailable_until_the_rejection_is_withdrawn(node):
    stored = node.wait(make.a_study(node.app, instances=2))
    uid = stored.sop_instance_uid
    qa = make_actor("qa")
    with told(node) as notices, worker(node):
        work = reject(node.app, qa, stored.study_instance_uid, title=Title.QUALITY, category=Category.MOTION,
                      reason="Moved.", series=[], instances=[uid])  # fmt: skip
        node.wait(work)
        node.wait(happen(node))
        assert notices.get(timeout=15).availability == {uid: UNAVAILABLE}
        rejection_id = node.value("SELECT id FROM rejections")
        node.wait(withdraw(node.app, make_actor("administrator"), rejection_id, reason="It was another one."))
        node.wait(happen(node))
        assert notices.get(timeout=15).availability == {uid: ONLINE}


def make_actor(role: str):
    return type(SYSTEM)(role, role, SYSTEM.permissions, role=role)


def test_each_event_is_told_of_once_and_only_to_who_wants_it(node):
    stored = node.wait(make.a_study(node.app))
    with told(node) as notices:
        register(node, "OTHER", 4242, services=["ian"], facility_code="ELSEWHERE", move_destination=False)
        register(node, "SENDER", 4243, services=["store"], move_destination=False)
        received(node, stored.study_instance_uid)
        assert node.wait(happen(node)) == 0
        assert node.value("SELECT count(*) FROM availability_notices") == 1
        assert attempt(node) is None
    assert notices.qsize() == 1


def test_what_happened_before_the_first_look_is_not_told_of(settings):
    with running_node(settings) as fresh:
        register(fresh, "FOLLOWER", 1, services=["ian"], move_destination=False)
        stored = fresh.wait(make.a_study(fresh.app))
        received(fresh, stored.study_instance_uid)
        assert fresh.value("SELECT count(*) FROM availability_notices") == 0
        received(fresh, stored.study_instance_uid)
        assert fresh.value("SELECT count(*) FROM availability_notices") == 1


def attempt(node: Node) -> float | None:
    """The job once; after how many seconds it wants to be run again."""
    notice_id = str(node.value("SELECT id FROM availability_notices"))
    try:
        node.wait(actions.notify(node.archive, {"notice": notice_id}))
    except jobs.Later as later:
        return later.seconds
    return None


def test_a_peer_that_fails_is_told_again_under_the_same_uid(node):
    stored, statuses = node.wait(make.a_study(node.app)), [0x0110, 0x0111]
    with told(node, lambda _event: statuses.pop(0)) as notices:
        received(node, stored.study_instance_uid)
        assert attempt(node) == 60
        assert "0110" in node.value("SELECT sentence FROM availability_notices")
        assert attempt(node) is None, "0111 says that it has the notice"
    assert notices.get().sop_instance_uid == notices.get().sop_instance_uid
    assert node.value("SELECT state FROM availability_notices") == "sent"


def test_a_peer_that_is_away_is_tried_again(node):
    stored = node.wait(make.a_study(node.app))
    register(node, "FOLLOWER", 1, services=["ian"], move_destination=False)
    received(node, stored.study_instance_uid)
    assert attempt(node) == 60
    assert node.value("SELECT state FROM availability_notices") == "open"
