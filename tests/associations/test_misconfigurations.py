"""The usual misconfigurations, each caused for real by DCMTK or pynetdicom, and each named correctly."""

import subprocess
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE

from data_sets import CT, data_set
from node import Node
from radiology.access.model import SYSTEM
from radiology.application_entities.model import ApplicationEntity
from radiology.associations.model import Trace, from_json
from radiology.associations.queries import since
from radiology.modality_worklist.actions.place import place_item
from radiology.modality_worklist.schemas import WorklistItemIn
from requestor import requestor

VERIFICATION = "1.2.840.10008.1.1"
WORKLIST = "1.2.840.10008.5.1.4.31"
PERFORMED_STEP = "1.2.840.10008.3.1.2.3.3"
DHAKA = ZoneInfo("Asia/Dhaka")
Codes = Callable[..., list[str]]


def echoscu(node: Node, *options: str, calling: str = "MODALITY1", called: str = "RADSVC") -> int:
    """DCMTK's echoscu; its exit code."""
    command = ["echoscu", "-to", "5", *options, "-aet", calling, "-aec", called, "127.0.0.1", str(node.port)]
    return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode


def traces(node: Node) -> list[Trace]:
    """All traces, oldest first."""

    async def read() -> list[Trace]:
        async with node.app.db.transaction() as tx:
            return [from_json(body) for _, body in await since(tx, 0, limit=1000)]

    return node.wait(read())


def test_nothing_is_found_where_all_is_well(node: Node, codes: Codes) -> None:
    assert echoscu(node) == 0
    deadline = time.monotonic() + 5
    while [trace.outcome for trace in traces(node)] != ["released"] and time.monotonic() < deadline:
        time.sleep(0.02)
    (trace,) = traces(node)
    assert (trace.outcome, trace.calling_ae_title, trace.called_ae_title) == ("released", "MODALITY1", "RADSVC")
    assert trace.implementation_version_name.startswith("OFFIS_DCMTK")
    assert [(op.operation, op.status, op.count) for op in trace.operations] == [("C-ECHO", 0, 1)]
    assert [context.result for context in trace.contexts] == [0]
    assert codes(least=0) == []


def test_wrong_called_ae_title(node: Node, codes: Codes) -> None:
    assert echoscu(node, called="RADSRV") != 0
    assert codes() == ["called_ae_title"]


def test_unknown_caller(node: Node, codes: Codes) -> None:
    assert echoscu(node, calling="modality_1") != 0
    assert codes("modality_1") == ["calling_ae_title"]


def test_address_that_is_not_registered(node: Node, codes: Codes) -> None:
    node.register(ApplicationEntity("CT2", hosts=["192.0.2.7"]))
    assert echoscu(node, calling="CT2") != 0
    assert codes("CT2") == ["address"]


def test_no_common_transfer_syntax(node: Node, codes: Codes) -> None:
    ae = AE(ae_title="MODALITY1")
    ae.add_requested_context(WORKLIST, "1.2.840.10008.1.2.4.50")
    assert not ae.associate("127.0.0.1", node.port, ae_title="RADSVC").is_established
    assert "transfer_syntax" in codes()


def test_sop_class_that_is_not_supported(node: Node, codes: Codes) -> None:
    ae = AE(ae_title="MODALITY1")
    ae.add_requested_context("1.2.840.10008.5.1.4.37.1")  # General Relevant Patient Information Query.
    assert not ae.associate("127.0.0.1", node.port, ae_title="RADSVC").is_established
    assert "sop_class" in codes()


def test_service_that_is_not_allowed(node: Node, codes: Codes) -> None:
    node.register(ApplicationEntity("CT3", services=["store"]))
    ae = AE(ae_title="CT3")
    ae.add_requested_context(WORKLIST)
    assert not ae.associate("127.0.0.1", node.port, ae_title="RADSVC").is_established
    assert "service_not_allowed" in codes("CT3")


def test_too_many_associations(node: Node, codes: Codes) -> None:
    ae = AE(ae_title="MODALITY1")
    ae.add_requested_context(VERIFICATION)
    held = [ae.associate("127.0.0.1", node.port, ae_title="RADSVC") for _ in range(2)]
    assert all(association.is_established for association in held)
    assert ae.associate("127.0.0.1", node.port, ae_title="RADSVC").is_rejected
    assert codes() == ["too_many_associations"]
    for association in held:
        association.release()


def test_tls_on_the_plain_port(node: Node, codes: Codes) -> None:
    assert echoscu(node, "+tla", "-ic") != 0
    assert codes("") == ["tls_on_plain_port"]


@contextmanager
def step_waiting(node: Node, *, modality: str = "CT", station: str = "MODALITY1", days: int = 0):
    start = datetime.now(DHAKA) + timedelta(days=days)
    item = WorklistItemIn.model_validate(
        {
            "patient": {"id": "12345", "name": "Karim^Abdul"},
            "modality": modality,
            "start": start.isoformat(),
            "requestedProcedure": "CT chest",
            "stationAETitles": [station],
        }
    )
    node.wait(place_item(node.app, SYSTEM, item))
    yield start


def ask(node: Node, *, patient_id: str = "", **step_keys: str) -> int:
    """A worklist query; how many answers came."""
    step = Dataset()
    step.Modality = step.ScheduledStationAETitle = step.ScheduledProcedureStepStartDate = ""
    for keyword, value in step_keys.items():
        setattr(step, keyword, value)
    query = Dataset()
    query.PatientID, query.PatientName = patient_id, ""
    query.ScheduledProcedureStepSequence = [step]
    with requestor(node, [(WORKLIST, ExplicitVRLittleEndian)]) as association:
        answers = list(association.send_c_find(query, WORKLIST))
    return len(answers) - 1


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize(
    ("keys", "placed", "code"),
    [
        ({"ScheduledStationAETitle": "CT_ROOM_2"}, {}, "worklist_station"),
        ({"Modality": "ct"}, {}, "worklist_modality"),
        ({"ScheduledProcedureStepStartDate": "20200101"}, {}, "worklist_date"),
        ({}, {"days": 5}, "worklist_date"),
        ({}, {"station": "CT9"}, "worklist_station"),
        ({"patient_id": "DMCH 12345"}, {}, "worklist_patient_id"),
        ({"patient_id": "54321"}, {}, "worklist_empty"),
    ],
)
def test_worklist_query_that_can_match_nothing(node: Node, codes: Codes, keys, placed, code: str) -> None:
    with step_waiting(node, **placed):
        assert ask(node, **keys) == 0
        assert codes() == [code]


def test_performed_step_that_is_not_known(node: Node, codes: Codes) -> None:
    change = Dataset()
    change.PerformedProcedureStepStatus = "COMPLETED"
    with requestor(node, [(PERFORMED_STEP, ExplicitVRLittleEndian)]) as association:
        status, _ = association.send_n_set(change, PERFORMED_STEP, generate_uid())
    assert status.Status == 0x0112
    assert codes() == ["performed_step_unknown"]


def store(node: Node, tmp_path: Path, name: bytes | None, charset: str | None, **attributes) -> None:
    """Send an object by DCMTK's storescu, with the bytes of the name as they are."""
    if name is not None:
        attributes["PatientName"] = "N" * len(name)
    image = data_set(SpecificCharacterSet=charset, **attributes)
    path = tmp_path / "image.dcm"
    image.save_as(path, enforce_file_format=True)
    if name is not None:
        path.write_bytes(path.read_bytes().replace(b"N" * len(name), name))
    command = ["storescu", "-aet", "MODALITY1", "-aec", "RADSVC", "127.0.0.1", str(node.port), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=20)


@pytest.mark.parametrize(
    ("name", "charset", "code"),
    [
        (b"K\xe9rim^Abdul ", "ISO_IR 192", "charset_undecodable"),
        ("করিম ".encode(), "ISO_IR 100", "charset_bangla"),
        ("করিম ".encode(), None, "charset_missing"),
    ],
)
def test_wrong_character_set(node: Node, codes: Codes, tmp_path: Path, name: bytes, charset, code: str) -> None:
    store(node, tmp_path, name, charset)
    assert codes() == [code]


def test_clock_that_is_ahead(node: Node, codes: Codes, tmp_path: Path) -> None:
    made = datetime.now(DHAKA) + timedelta(minutes=40)
    store(node, tmp_path, None, "ISO_IR 192", ContentDate=f"{made:%Y%m%d}", ContentTime=f"{made:%H%M%S}")
    assert codes() == ["clock_ahead"]


def test_clock_that_is_behind(node: Node, codes: Codes) -> None:
    began = datetime.now(UTC)  # A modality that is set to UTC and does not say so.
    with requestor(node, [(PERFORMED_STEP, ExplicitVRLittleEndian)]) as association:
        association.send_n_create(a_performed_step(began), PERFORMED_STEP, generate_uid())
    assert codes() == ["clock_behind"]


def a_performed_step(began: datetime) -> Dataset:
    step = Dataset()
    step.PerformedProcedureStepStartDate, step.PerformedProcedureStepStartTime = f"{began:%Y%m%d}", f"{began:%H%M%S}"
    step.PerformedProcedureStepID, step.PerformedStationAETitle = "PPS1", "MODALITY1"
    step.PerformedProcedureStepStatus, step.Modality = "IN PROGRESS", "CT"
    return step


def test_an_object_of_long_ago_says_nothing_of_the_clock(node: Node, codes: Codes, tmp_path: Path) -> None:
    store(node, tmp_path, None, "ISO_IR 192", ContentDate="20200101", ContentTime="120000", SOPClassUID=CT)
    assert codes(least=0) == []
