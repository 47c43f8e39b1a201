"""A modality does what was ordered: the order follows, and what a modality gives up stands in its history."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom.association import Association

import make
from node import Node, running_node
from ordering import a_procedure, placer, said
from radiology.access.model import SYSTEM
from radiology.events import RepairMade, emit
from radiology.kit import outbox
from radiology.modality_worklist import queries as worklist
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.orders import queries, reading
from radiology.orders.actions.place import place_order
from radiology.orders.following import follow_events
from radiology.orders.model import Order
from radiology.orders.schemas import EXAMPLE
from radiology.settings import Settings
from radiology.studies.actions.status import change_status
from radiology.studies.model import Status, StatusChange
from requestor import requestor
from worklist import MPPS, MWL, begun, ended, query

pytestmark = pytest.mark.peer("Modality Performed Procedure Step (SCP)", "pynetdicom")
CT = "1.2.840.10008.5.1.4.1.1.2"


class Ward:
    """A node, and what a test wants to know of its orders."""

    def __init__(self, node: Node, modality: Association) -> None:
        self.node, self.modality = node, modality

    def place(self, **changes: Any) -> Order:
        now = self.node.app.clock.now().isoformat()
        return self.node.wait(place_order(self.node.app, placer(), said(**{"occurrence": now, **changes})))

    def items(self, order: Order) -> list[ScheduledProcedureStep]:
        async def read() -> list[ScheduledProcedureStep]:
            async with self.node.app.db.transaction() as tx:
                found = await queries.find(tx, order.id)
                assert found is not None
                return [await worklist.load(tx, each.step_id, visible_to=SYSTEM) for each in found.procedures]

        return self.node.wait(read())

    def followed(self, order: Order) -> dict[str, Any]:
        """The order, after everything that follows events has."""

        async def follow() -> bytes:
            async with self.node.app.db.transaction() as tx:
                await outbox.place(tx)
            await follow_events(self.node.app)
            async with self.node.app.db.transaction() as tx:
                return await reading.body(tx, order.id, zone="Asia/Dhaka")

        return orjson.loads(self.node.wait(follow()))

    def history(self, order: Order) -> list[dict[str, Any]]:
        async def read() -> bytes:
            async with self.node.app.db.transaction() as tx:
                return await reading.history(tx, order.id, zone="Asia/Dhaka")

        return orjson.loads(self.node.wait(read()))

    def begin(self, item: ScheduledProcedureStep) -> str:
        uid = generate_uid()
        assert self.modality.send_n_create(begun(item), MPPS, uid)[0].Status == 0x0000
        return uid

    def end(self, uid: str, status: str, **more: Any) -> None:
        assert self.modality.send_n_set(ended(status, **more), MPPS, uid)[0].Status == 0x0000

    def perform(self, item: ScheduledProcedureStep) -> None:
        """Begin, send one image with what the worklist said, and end."""
        step = self.begin(item)
        image = make.an_object(
            StudyInstanceUID=item.study_instance_uid, AccessionNumber=item.accession_number, PatientID=item.patient_id,
            PatientName=item.patient_name, PatientBirthDate="19800115", PatientSex="M",
        )  # fmt: skip
        assert self.modality.send_c_store(image).Status == 0x0000
        self.end(step, "COMPLETED", images=[image])


@pytest.fixture
def ward(settings: Settings) -> Iterator[Ward]:
    contexts = [(uid, ExplicitVRLittleEndian) for uid in (MPPS, MWL, CT)]
    with running_node(settings) as node, requestor(node, contexts) as association:
        yield Ward(node, association)


def test_an_order_is_completed_by_the_last_of_its_procedures(ward: Ward) -> None:
    order = ward.place(procedures=[a_procedure(), a_procedure(text="CT chest")])
    first, second = ward.items(order)
    ward.perform(first)
    body = ward.followed(order)
    assert (body["status"], body["progress"]) == ("active", "in-progress")
    assert [each["progress"] for each in body["procedures"]] == ["images-complete", "scheduled"]
    ward.perform(second)
    body = ward.followed(order)
    assert (body["status"], body["progress"]) == ("completed", "images-complete")
    assert [each["verb"] for each in ward.history(order)] == ["place", "complete"]
    assert ward.followed(order)["version"] == body["version"], "once"


def test_the_worklist_says_all_that_the_order_does(ward: Ward) -> None:
    order = ward.place(
        priority="stat",
        procedures=[{**EXAMPLE["procedures"][0], "stationAETitles": ["MODALITY1"]}],
        admissionId="ADM-7",
        reason="Fell from a bicycle\nand was unconscious",
        safety={
            "weightKg": 58.5,
            "pregnancy": "possibly",
            "allergies": [{"text": "Penicillin"}, {"text": "Iohexol", "contrast": True, "severity": "severe"}],
            "infections": [{"text": "Tuberculosis", "isolation": "airborne"}],
            "mobility": "stretcher",
        },
    )
    answers = [found for _, found in ward.modality.send_c_find(query(), MWL) if found is not None]
    (answer,) = answers
    assert answer.AccessionNumber == order.accession_number
    assert answer.StudyInstanceUID == order.procedures[0].study_instance_uid
    assert answer.RequestedProcedureID == order.procedures[0].requested_procedure_id
    assert answer.RequestedProcedurePriority == "STAT"
    assert answer.AdmissionID == "ADM-7"
    assert answer.PatientWeight == 58.5
    assert answer.PregnancyStatus == 2
    assert answer.Allergies == "Contrast: Iohexol (severe); Penicillin"
    assert answer.MedicalAlerts == "Infection: Tuberculosis (airborne isolation)"
    assert answer.SpecialNeeds == "Stretcher"
    assert str(answer.ReferringPhysicianName).startswith("Dr. Kamal Hossain")
    assert answer.RequestedProcedureCodeSequence[0].CodeValue == "30799-1"


@pytest.mark.parametrize(
    ("code", "reason"),
    [("110507", "Patient did not arrive"), ("110508", "Patient pregnant"),
     ("110513", "Discontinued for unspecified reason")],
)  # fmt: skip
def test_why_a_modality_gave_up_stands_in_the_history(ward: Ward, code: str, reason: str) -> None:
    order = ward.place()
    ward.end(ward.begin(ward.items(order)[0]), "DISCONTINUED", reason=code)
    body = ward.followed(order)
    assert (body["status"], body["procedures"][0]["progress"]) == ("active", "discontinued")
    last = ward.history(order)[-1]
    assert (last["verb"], last["reasonCode"], last["reason"]) == ("discontinued", code, reason)
    told = ward.node.value("SELECT body FROM outbox WHERE type = 'radiology.order.step-discontinued.v1'")
    assert (told["order_id"], told["reason_code"]) == (str(order.id), code)


def test_after_the_wrong_entry_the_order_waits_under_another_uid(ward: Ward) -> None:
    order = ward.place()
    item = ward.items(order)[0]
    step = ward.begin(item)
    image = make.an_object(StudyInstanceUID=item.study_instance_uid, AccessionNumber=item.accession_number,
                           PatientID=item.patient_id, PatientName=item.patient_name)  # fmt: skip
    assert ward.modality.send_c_store(image).Status == 0x0000
    ward.end(step, "DISCONTINUED", reason="110514", images=[image])
    body = ward.followed(order)
    (procedure,) = body["procedures"]
    assert (body["status"], procedure["progress"]) == ("active", "scheduled")
    assert procedure["studyInstanceUID"] != item.study_instance_uid
    assert procedure["numberOfInstances"] == 0
    assert ward.history(order)[-1]["reasonCode"] == "110514"
    ward.perform(ward.items(order)[0])
    assert ward.followed(order)["status"] == "completed"


def test_a_study_that_is_cancelled_leaves_the_worklist(ward: Ward) -> None:
    order = ward.place()
    app, uid = ward.node.app, order.procedures[0].study_instance_uid
    change = StatusChange(Status.CANCELLED, reason="Done elsewhere")
    ward.node.wait(change_status(app, placer(), uid, change, []))
    body = ward.followed(order)
    assert (body["status"], body["progress"]) == ("active", "cancelled")
    assert ward.items(order)[0].status == "CANCELED"


def test_an_order_is_open_again_when_its_images_belong_elsewhere(ward: Ward) -> None:
    order = ward.place()
    ward.perform(ward.items(order)[0])
    assert ward.followed(order)["status"] == "completed"
    app, uid = ward.node.app, order.procedures[0].study_instance_uid

    async def withdraw() -> None:
        async with app.db.transaction() as tx:
            await tx.run("UPDATE imaging_studies SET status = 'entered-in-error'")
            await emit(tx, RepairMade(facility_code="LOCAL", repair_id="1", kind="move", study_instance_uids=[uid]))

    ward.node.wait(withdraw())
    assert ward.followed(order)["status"] == "active"
    assert [each["verb"] for each in ward.history(order)] == ["place", "complete", "reopen"]


def test_a_probable_match_completes_nothing_until_it_is_confirmed(ward: Ward) -> None:
    order = ward.place()
    app, uid = ward.node.app, order.procedures[0].study_instance_uid
    ward.perform(ward.items(order)[0])

    async def match(how: str) -> None:
        async with app.db.transaction() as tx:
            await tx.run("UPDATE imaging_studies SET match = %(how)s", how=how)
            await emit(tx, RepairMade(facility_code="LOCAL", repair_id="1", kind="link", study_instance_uids=[uid]))

    ward.node.wait(match("probable"))
    body = ward.followed(order)
    assert (body["status"], body["progress"]) == ("active", "images-complete")
    ward.node.wait(match("confirmed"))
    assert ward.followed(order)["status"] == "completed"
