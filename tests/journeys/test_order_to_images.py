"""From order to images: an order by REST, the scanner's worklist, MPPS, images, a study that knows its order.

The scanner types nothing; so whatever its image says of patient and procedure is what the order said.
"""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from conftest import ClientAs
from node import Node, running_node
from ordering import PATH, a_procedure, an_order
from radiology.application_entities.model import ApplicationEntity
from radiology.settings import Settings
from scanner import COPIED, Scanner, scanner

pytestmark = [pytest.mark.anyio, pytest.mark.peer("Modality Worklist (SCP)", "pynetdicom")]

LIMIT_SECONDS = 2
STORAGE = "1.2.840.10008.5.1.4.1.1."
#: Modality, what is done, LOINC, and the storage SOP class of its images.
TEN = (
    ("DX", "Chest X-ray PA", "24648-8", "1.1"),
    ("US", "Ultrasound abdomen", "24558-9", "6.1"),
    ("US", "Obstetric ultrasound", "11525-3", "6.1"),
    ("CT", "CT brain", "30799-1", "2"),
    ("CT", "CT abdomen with contrast", "30620-9", "2"),
    ("MR", "MRI brain", "24590-2", "4"),
    ("MG", "Mammography, both sides", "24606-6", "1.2"),
    ("CR", "X-ray knee, AP and lateral", "36589-4", "1"),
    ("RF", "Intravenous urography", "24788-2", "12.2"),
    ("BMD", "Bone densitometry", "38268-3", "7"),
)
PATIENT = {"id": "DMC-2002", "name": "Begum^Rahela", "birthDate": "1990-05-17", "sex": "F"}
BANGLA = {"id": "DMC-3003", "name": "মোসাঃ রাহেলা বেগম", "birthDate": "1990-05-17", "sex": "F"}


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


async def placed(client_as: ClientAs, node: Node, procedure: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order for now, as it is answered."""
    client = await client_as("radiographer")
    now = node.app.clock.now()
    safety = {
        "weightKg": 58.5,
        "allergies": [{"text": "Iohexol", "contrast": True, "severity": "moderate"}],
        "pregnancy": "not-pregnant",
        "renalFunction": {"measuredOn": now.date().isoformat(), "egfr": 92},
        "noImplants": True,
    }
    told = {"patient": PATIENT, "occurrence": now.isoformat(), "safety": safety, "procedures": [procedure], **changes}
    body = an_order(**told)
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def by_findscu(node: Node, folder: Path) -> Dataset:
    """The only answer to DCMTK's findscu, asking for what the scanner asks for."""
    keys = [f"-k {each}" for each in ("PatientName", "PatientID", "StudyInstanceUID", "AccessionNumber")]
    step = [f"-k ScheduledProcedureStepSequence[0].{each}" for each in ("Modality", "ScheduledProcedureStepID")]
    argv = ["findscu", "-W", "-X", "-aet", "MODALITY1", "-aec", "RADSVC", "-od", str(folder)]
    argv += [word for each in (*keys, *step) for word in each.split(" ", 1)]
    subprocess.run([*argv, "127.0.0.1", str(node.port)], check=True, capture_output=True, timeout=30)
    (answer,) = folder.iterdir()
    return dcmread(answer, force=True)


def retyped(image: Dataset, entry: Dataset, order: dict[str, Any]) -> list[str]:
    """What the image says that neither the worklist nor the order did."""
    procedure = order["procedures"][0]
    expected = {
        **{keyword: entry[keyword].value for keyword in COPIED},
        "AccessionNumber": order["accessionNumber"],
        "StudyInstanceUID": procedure["studyInstanceUID"],
        "PatientID": order["patient"]["id"],
        "PatientBirthDate": order["patient"]["birthDate"].replace("-", ""),
        "PatientSex": order["patient"]["sex"],
        "PatientWeight": order["safety"]["weightKg"],
        "Modality": procedure["modality"],
        "StudyID": procedure["requestedProcedureId"],
        "StudyDescription": entry.RequestedProcedureDescription,
    }
    return [keyword for keyword, value in expected.items() if not value or image[keyword].value != value]


async def end_of(client_as: ClientAs, order: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The study of an order, and the order's procedure, for somebody who sees what is sensitive."""
    reader = await client_as("privacy-officer")
    uid = order["procedures"][0]["studyInstanceUID"]
    study = await reader.get(f"/api/radiology/studies/{uid}")
    assert study.status_code == 200, study.text
    return study.json(), (await reader.get(f"{PATH}/{order['id']}")).json()["procedures"][0]


@pytest.mark.parametrize(("modality", "text", "code", "storage"), TEN, ids=[each[1] for each in TEN])
async def test_the_ten_commonest_procedures(
    node: Node, client_as: ClientAs, modality: str, text: str, code: str, storage: str
) -> None:
    coded = {"coding": [{"system": "http://loinc.org", "code": code, "display": text}], "text": text}
    order = await placed(client_as, node, a_procedure(modality, text, code=coded))
    began = time.monotonic()
    with scanner(node, STORAGE + storage) as machine:
        (entry,) = machine.worklist(Modality=modality)
        image = machine.perform(entry)
        assert machine.worklist() == []
    assert time.monotonic() - began < LIMIT_SECONDS
    assert retyped(image, entry, order) == []
    assert entry.RequestedProcedureDescription == text
    assert entry.RequestedProcedureCodeSequence[0].CodeValue == code
    assert "Iohexol" in entry.Allergies
    study, procedure = await end_of(client_as, order)
    assert (study["status"], study["match"], study["numberOfInstances"]) == ("completed", "exact", 1)
    assert study["basedOn"] == [{"reference": f"ServiceRequest/{order['id']}"}]
    assert (procedure["progress"], procedure["worklistStatus"]) == ("images-complete", "COMPLETED")


@pytest.mark.peer("Modality Worklist (SCP)", "DCMTK findscu")
async def test_findscu_is_given_the_same(node: Node, client_as: ClientAs, tmp_path: Path) -> None:
    order = await placed(client_as, node, a_procedure("CT", "CT brain"))
    with scanner(node, STORAGE + "2") as machine:
        (entry,) = machine.worklist()
    folder = tmp_path / "answers"
    folder.mkdir()
    answer = by_findscu(node, folder)
    assert answer.StudyInstanceUID == entry.StudyInstanceUID == order["procedures"][0]["studyInstanceUID"]
    assert (answer.PatientName, answer.PatientID) == (entry.PatientName, entry.PatientID)
    assert answer.AccessionNumber == order["accessionNumber"]
    (step,), (other,) = answer.ScheduledProcedureStepSequence, entry.ScheduledProcedureStepSequence
    assert (step.Modality, step.ScheduledProcedureStepID) == ("CT", other.ScheduledProcedureStepID)


@pytest.mark.parametrize(
    ("charset", "shown"),
    [("ISO_IR 192", "Mosa Rahela Begam=মোসাঃ রাহেলা বেগম"), ("ISO_IR 100", "Mosa Rahela Begam")],
)
async def test_a_name_in_bangla_goes_to_the_scanner_and_comes_back(
    node: Node, client_as: ClientAs, charset: str, shown: str
) -> None:
    """Also by a scanner that shows Latin letters alone: its images are of the same patient."""
    node.register(ApplicationEntity("MODALITY1", default_charset=charset))
    order = await placed(client_as, node, a_procedure("DX", "Chest X-ray PA"), patient=BANGLA)
    with scanner(node, STORAGE + "1.1") as machine:
        (entry,) = machine.worklist()
        assert str(entry.PatientName) == shown
        image = machine.perform(entry)
    assert retyped(image, entry, order) == []
    study, _ = await end_of(client_as, order)
    assert (study["status"], study["match"]) == ("completed", "exact")
    patients = await (await client_as("records")).get("/api/radiology/patients", params={"query": "রাহেলা"})
    assert patients.status_code == 200, patients.text
    assert len(patients.json()["results"]) == 1


async def test_what_was_cancelled_before_the_scanner_came_is_not_in_its_list(node: Node, client_as: ClientAs) -> None:
    order = await placed(client_as, node, a_procedure("CT", "CT brain"))
    client = await client_as("qa")
    with scanner(node, STORAGE + "2") as machine:
        assert len(machine.worklist()) == 1
        body = {"status": "revoked", "reason": "Not needed any more"}
        assert (await client.put(f"{PATH}/{order['id']}/status", json=body)).status_code == 200
        assert machine.worklist() == []


def test_a_scanner_has_no_way_to_type(node: Node) -> None:
    """What it writes comes from the entry alone: nothing else is given to it."""
    assert Scanner.image_of.__annotations__ == {"entry": Dataset, "return": Dataset}
