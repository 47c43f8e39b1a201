"""Health, metrics, documentation."""

import os
from typing import Any

import pytest

from radiology.kit.processes import ChildState, SupervisorState, write_state
from radiology.reports.schemas import APPROVAL_EXAMPLE, REPORT_EXAMPLE
from radiology.studies.actions.recover import MARK
from radiology.studies.schemas import STATUS_EXAMPLE, STUDY_EXAMPLE

pytestmark = pytest.mark.anyio

KEYS = {
    "database", "cache", "kafka", "dicom_engine", "pacs_integration", "report_engine", "storage_service", "timestamp",
}  # fmt: skip


async def test_the_map_of_the_specification(client: Any) -> None:
    answer = await client.get("/health")
    assert answer.status_code == 200
    assert set(answer.json()) >= KEYS
    assert answer.json()["timestamp"].endswith("+06:00")
    assert (await client.get("/health/live")).status_code == 200


async def test_ready_only_when_everything_can_be_used(client: Any, app: Any) -> None:
    assert (await client.get("/health/ready")).status_code == 200
    app.settings.run_dir.mkdir(parents=True, exist_ok=True)

    def told(state: Any) -> None:
        children = tuple(ChildState(role, role, state, 1, 0, 0.0, None) for role in ("http", "dimse", "worker"))
        write_state(app.settings.run_dir, SupervisorState("ready", os.getpid(), 0.0, children))

    told("running")
    assert (await client.get("/health/ready")).json()["missing"] == ["recovery"]
    async with app.db.transaction() as tx:
        await tx.run("INSERT INTO worker_marks VALUES (%(name)s, now())", name=MARK)
    assert (await client.get("/health/ready")).status_code == 200
    told("waiting")
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["dicom_engine", "worker"])
    (app.settings.run_dir / "state.json").unlink()
    async with app.db.transaction() as tx:
        await tx.run("UPDATE alembic_version SET version_num = '0000'")
    assert (await client.get("/health/ready")).json()["missing"] == ["database"]


async def test_metrics_name_routes_and_not_paths(client: Any, client_as: Any) -> None:
    await (await client_as("referrer")).get("/api/radiology/studies/study-77")
    await client.get("/api/radiology/nothing-like-this")
    text = (await client.get("/metrics")).text
    assert 'radiology_requests_total{endpoint="/api/radiology/studies/{study}",method="GET",status="404"}' in text
    assert "nothing-like-this" not in text
    assert "study-77" not in text
    for name in ("dicom_operations_total", "radiology_report_generation_seconds", "radiology_disk_free_bytes",
                 "radiology_outbox_age_seconds", "radiology_index_waiting"):  # fmt: skip
        assert f"# TYPE {name}" in text or f"# HELP {name}" in text, name


async def test_openapi_holds_the_payloads_of_the_specification(client: Any) -> None:
    answer = await client.get("/openapi.json")
    description = answer.json()
    assert description["openapi"].startswith("3.1")
    schemas = description["components"]["schemas"]
    for name, example in (
        ("StudyIn", STUDY_EXAMPLE), ("StatusIn", STATUS_EXAMPLE),
        ("ReportIn", REPORT_EXAMPLE), ("Approval", APPROVAL_EXAMPLE),
    ):  # fmt: skip
        assert schemas[name]["examples"] == [example]
    assert "/api/radiology/studies/{study}/status" in description["paths"]


@pytest.mark.parametrize("page", ["/", "/docs", "/docs/page.js", "/docs/page.css"])
async def test_pages_need_nothing_from_elsewhere(client: Any, page: str) -> None:
    answer = await client.get(page)
    assert answer.status_code == 200
    assert "http://" not in answer.text
    assert "https://" not in answer.text
