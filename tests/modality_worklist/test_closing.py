"""Items leave the worklist by themselves: however a step ends, and when nobody says that it has ended."""

from collections.abc import Iterator

import orjson
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

import make
from node import Node, running_node
from radiology.access.model import SYSTEM
from radiology.modality_worklist import queries
from radiology.modality_worklist.actions.status import change_status, expire
from radiology.modality_worklist.criteria import Criteria
from radiology.modality_worklist.model import ScheduledProcedureStep, Status
from radiology.settings import Settings
from radiology.studies.actions.settle import settle_studies
from requestor import requestor
from worklist import MPPS, MWL, begun, ended, place, query

CONTEXTS = [(uid, ExplicitVRLittleEndian) for uid in (MWL, MPPS, CTImageStorage)]
LONG_AGO = "UPDATE scheduled_procedure_steps SET updated_at = now() - interval '30 days' RETURNING 1"


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def how(node: Node, item: ScheduledProcedureStep) -> tuple[str, str, str | None]:
    """Status, what gave it, and why."""
    row = node.value(
        "SELECT json_build_array(status, status_trigger, status_reason) FROM scheduled_procedure_steps "
        "WHERE id = %(id)s",
        id=item.id,
    )
    return row[0], row[1], row[2]


def listed(association: object) -> list[str]:
    answered = association.send_c_find(query(), MWL)  # type: ignore[attr-defined]
    return [answer.AccessionNumber for _, answer in answered if answer is not None]


def image(item: ScheduledProcedureStep) -> Dataset:
    return make.an_object(
        StudyInstanceUID=item.study_instance_uid, AccessionNumber=item.accession_number, PatientID=item.patient_id,
        PatientName="Karim^Abdul", PatientBirthDate="19800115", PatientSex="M",
    )  # fmt: skip


@pytest.mark.peer("Modality Performed Procedure Step (SCP)", "pynetdicom")
@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("COMPLETED", "", ("COMPLETED", "complete", None)),
        ("DISCONTINUED", "110513", ("DISCONTINUED", "discontinue", "Discontinued for unspecified reason")),
        ("DISCONTINUED", "110508", ("DISCONTINUED", "discontinue", "Patient pregnant")),
        ("DISCONTINUED", "110514", ("SCHEDULED", "release", "Incorrect worklist entry selected")),
    ],
)
def test_a_step_that_was_performed_leaves_the_list_unless_it_was_the_wrong_one(
    node: Node, status: str, reason: str, expected: tuple[str, str, str | None]
) -> None:
    item, uid = place(node), generate_uid()
    with requestor(node, CONTEXTS) as association:
        assert association.send_n_create(begun(item), MPPS, uid)[0].Status == 0
        assert listed(association) == []
        assert association.send_n_set(ended(status, reason=reason), MPPS, uid)[0].Status == 0
        assert listed(association) == ([item.accession_number] if reason == "110514" else [])
    assert how(node, item) == expected


def test_a_modality_that_makes_its_own_study_uid_closes_the_item_by_its_other_numbers(node: Node) -> None:
    item, other, uid = place(node, accessionNumber="A1"), place(node, accessionNumber="A1"), generate_uid()
    report = begun(item)
    (step,) = report.ScheduledStepAttributesSequence
    step.StudyInstanceUID, step.ScheduledProcedureStepID = generate_uid(), ""
    with requestor(node, CONTEXTS) as association:
        assert association.send_n_create(report, MPPS, uid)[0].Status == 0
        assert association.send_n_set(ended("COMPLETED"), MPPS, uid)[0].Status == 0
    assert (how(node, item)[0], how(node, other)[0]) == ("COMPLETED", "SCHEDULED")


def test_images_without_mpps_close_their_item_when_the_study_has_settled(node: Node) -> None:
    item = place(node)
    with requestor(node, CONTEXTS) as association:
        assert association.send_c_store(image(item)).Status == 0
    node.value("UPDATE imaging_studies SET last_instance_at = now() - interval '1 hour' RETURNING 1")
    assert node.wait(settle_studies(node.app)) == 1
    assert how(node, item) == ("COMPLETED", "complete", None)


def test_what_is_cancelled_is_gone_at_once_and_comes_back_when_it_is_reinstated(node: Node) -> None:
    item = place(node)
    with requestor(node, CONTEXTS) as association:
        node.wait(change_status(node.app, SYSTEM, item.id, Status.CANCELED, reason="Did not come", version=None))
        assert listed(association) == []
        assert how(node, item) == ("CANCELED", "cancel", "Did not come")
        node.wait(change_status(node.app, SYSTEM, item.id, Status.SCHEDULED, reason=None, version=None))
        assert listed(association) == [item.accession_number]


def test_what_nobody_told_the_end_of_expires_and_what_is_recent_stays(node: Node) -> None:
    old, begun_and_forgotten, recent = (
        place(node, hours=-8 * 24),
        place(node, hours=-9 * 24),
        place(node, hours=-6 * 24),
    )
    with requestor(node, CONTEXTS) as association:
        assert association.send_n_create(begun(begun_and_forgotten), MPPS, generate_uid())[0].Status == 0
    assert node.wait(expire(node.app)) == 0, "they were placed just now"
    node.value(LONG_AGO)
    assert node.wait(expire(node.app)) == 2
    reason = "Nothing was heard of it for 7 days after its start."
    assert how(node, old) == ("CANCELED", "expire", reason)
    assert how(node, begun_and_forgotten) == ("DISCONTINUED", "expire", reason)
    assert how(node, recent)[0] == "SCHEDULED"
    assert node.wait(expire(node.app)) == 0


def test_who_reinstates_what_expired_has_as_long_again(node: Node) -> None:
    item = place(node, hours=-8 * 24)
    node.value(LONG_AGO)
    assert node.wait(expire(node.app)) == 1
    node.wait(change_status(node.app, SYSTEM, item.id, Status.SCHEDULED, reason=None, version=None))
    assert node.wait(expire(node.app)) == 0


def test_the_hospital_says_how_long_is_waited(settings: Settings) -> None:
    with running_node(settings.model_copy(update={"worklist_expires_days": 30})) as node:
        place(node, hours=-24 * 29)
        place(node, hours=-24 * 31)
        node.value("UPDATE scheduled_procedure_steps SET updated_at = now() - interval '40 days' RETURNING 1")
        assert node.wait(expire(node.app)) == 1


def test_expired_items_are_a_list_of_their_own(node: Node) -> None:
    place(node, hours=-8 * 24, accessionNumber="LEFT")
    place(node, accessionNumber="OPEN")
    node.value(LONG_AGO)
    node.wait(expire(node.app))

    async def expired() -> bytes:
        async with node.app.db.transaction() as tx:
            return (await queries.listed(tx, Criteria(trigger="expire"), zone="Asia/Dhaka", visible_to=SYSTEM))[0]

    (item,) = orjson.loads(node.wait(expired()))
    assert (item["accessionNumber"], item["status"], item["statusTrigger"]) == ("LEFT", "CANCELED", "expire")
    assert item["statusReason"].startswith("Nothing was heard of it")
