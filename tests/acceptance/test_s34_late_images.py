"""34. Given a final report, when a new image comes, then it is still final and outdated, with a task that is due.

Closing the task needs somebody who looked again and signs that nothing changes, or a new version of the report.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from data_sets import data_set
from node import Node
from radiology.kit.clock import SetClock
from radiology.kit.outbox import place as place_events
from radiology.reports.outdated.following import follow
from radiology.reports.schemas import REPORT_EXAMPLE
from requestor import requestor
from worklist import place

pytestmark = pytest.mark.anyio

REPORTS = "/api/radiology/reports"
DOSE_REPORT = "1.2.840.10008.5.1.4.1.1.88.67"


def send(node: Node, ds: Dataset) -> None:
    with requestor(node, [(ds.SOPClassUID, ExplicitVRLittleEndian)]) as modality:
        assert modality.send_c_store(ds).Status == 0x0000


@dataclass
class Signed:
    """A final report of a study with one image."""

    node: Node
    image: Dataset
    address: str
    radiologist: Any

    def another(self, **changes: Any) -> Dataset:
        study = {"StudyInstanceUID": self.image.StudyInstanceUID, "AccessionNumber": self.image.AccessionNumber}
        return data_set(**study, **changes)

    def follow(self, *, hours: float = 0) -> None:
        async def work() -> None:
            async with self.node.app.db.transaction() as tx:
                await place_events(tx)
            await follow(replace(self.node.app, clock=SetClock(self.node.app.clock.now() + timedelta(hours=hours))))

        self.node.wait(work())

    async def body(self) -> dict[str, Any]:
        return (await self.radiologist.get(self.address)).json()


@pytest.fixture
async def signed(node: Node, client_as: Any, clock: SetClock) -> Callable[..., Awaitable[Signed]]:
    """Makes one, of an order with this priority."""

    async def make(priority: str = "ROUTINE") -> Signed:
        item = place(node, priority=priority)
        ds = data_set(StudyInstanceUID=item.study_instance_uid, AccessionNumber=item.accession_number)
        send(node, ds)
        clock.at = node.app.clock.now()
        radiologist = await client_as("radiologist", practitioner="Practitioner/222")
        body = {name: value for name, value in REPORT_EXAMPLE.items() if name not in {"subject", "encounter"}}
        begun = await radiologist.post(REPORTS, json={**body, "studyId": ds.StudyInstanceUID})
        address = f"{REPORTS}/{begun.json()['id']}"
        approved = await radiologist.post(f"{address}/approve")
        assert approved.status_code == 200, approved.text
        made = Signed(node, ds, address, radiologist)
        made.follow()
        assert "outdated" not in await made.body()
        return made

    return make


async def test_s34_a_late_image_makes_a_final_report_outdated_until_somebody_looks(
    signed: Callable[..., Awaitable[Signed]], client_as: Any, clock: SetClock
) -> None:
    report = await signed()
    before = (await report.radiologist.get(report.address)).headers["etag"]
    send(report.node, report.another())
    report.follow()
    answer = await report.radiologist.get(report.address, headers={"if-none-match": before})
    shown = answer.json()
    assert (answer.status_code, shown["status"]) == (200, "final")
    assert (shown["outdated"]["cause"], shown["outdated"]["instances"]) == ("late-images", 1)
    study = (await report.radiologist.get(f"/api/radiology/studies/{report.image.StudyInstanceUID}")).json()
    assert study["reportOutdated"] is True
    (task,) = (await report.radiologist.get(f"{REPORTS}/outdated?mine=true")).json()["results"]
    assert (task["reportId"], task["priority"], task["overdue"]) == (shown["reportId"], "routine", False)
    send(report.node, report.another())
    report.follow()
    assert (await report.body())["outdated"]["instances"] == 2
    review = f"{report.address}/outdated/review"
    assert (await report.radiologist.post(review, json={})).status_code == 422
    assert (await (await client_as("resident")).post(review, json={"comment": "Seen."})).status_code == 403
    assert (await report.radiologist.post(review, json={"comment": "Seen.", "instances": 1})).status_code == 412
    clock.at = report.node.app.clock.now()
    done = await report.radiologist.post(review, json={"comment": "Repeated localizers.", "instances": 2})
    assert (done.status_code, "outdated" in done.json()) == (200, False)
    assert (await report.radiologist.get(f"{REPORTS}/outdated")).json()["results"] == []
    assert (await report.radiologist.post(review, json={"comment": "Again."})).status_code == 409
    assert (await report.radiologist.get(f"{report.address}/verify")).json()["valid"]
    closed = report.node.value(
        "SELECT json_build_array(resolution, closed_by, length(signature_sha256)) FROM outdated_reports"
    )
    assert closed == ["reviewed-no-change", "account:radiologist", 32]
    report.follow()
    assert "outdated" not in await report.body()
    send(report.node, report.another())
    report.follow()
    assert (await report.body())["outdated"]["instances"] == 1


@pytest.mark.parametrize(("priority", "hours"), [("STAT", 1), ("HIGH", 4), ("ROUTINE", 24)])
async def test_s34_the_task_is_due_by_the_priority_and_then_the_head_is_told(
    signed: Callable[..., Awaitable[Signed]], client_as: Any, priority: str, hours: int
) -> None:
    await client_as("consultant")
    report = await signed(priority)
    send(report.node, report.another())
    report.follow()
    span = "SELECT extract(epoch FROM due_at - since) / 3600 FROM outdated_reports"
    assert float(report.node.value(span)) == hours
    told = "SELECT json_agg(json_build_array(recipient, kind) ORDER BY made_at) FROM notices"
    assert report.node.value(told) == [["account:radiologist", "report.outdated"]]
    report.follow(hours=hours - 0.1)
    assert len(report.node.value(told)) == 1
    for _ in range(2):
        report.follow(hours=hours + 0.1)
    assert report.node.value(told)[1:] == [["account:consultant", "report.review-overdue"]]


async def test_s34_what_is_no_image_changes_nothing(signed: Callable[..., Awaitable[Signed]]) -> None:
    report = await signed()
    dose = report.another(sop_class_uid=DOSE_REPORT, Modality="SR")
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
                    "SamplesPerPixel", "PhotometricInterpretation"):  # fmt: skip
        delattr(dose, keyword)
    send(report.node, dose)
    report.follow()
    assert "outdated" not in await report.body()


async def test_s34_rejecting_an_image_of_a_final_report_makes_it_outdated(
    signed: Callable[..., Awaitable[Signed]], client_as: Any
) -> None:
    report = await signed()
    qa = await client_as("qa")
    body = {"title": "113001", "category": "motion", "reason": "Blurred.", "instances": [report.image.SOPInstanceUID]}
    rejected = await qa.post(f"/api/radiology/studies/{report.image.StudyInstanceUID}/reject", json=body)
    assert rejected.status_code == 201, rejected.text
    report.follow()
    shown = await report.body()
    assert (shown["status"], shown["outdated"]["cause"]) == ("final", "rejected-images")
    report.node.value("UPDATE radiology_reports SET status = 'amended', version = version + 1 RETURNING 1")
    report.follow()
    assert "outdated" not in await report.body()
    assert report.node.value("SELECT resolution FROM outdated_reports") == "new-version"
