"""The published worklist of DCMTK: each item is held and answered attribute by attribute, each query is answered as
DCMTK's own wlmscpfs answers it."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from node import Node, free_port, running_node
from radiology.access.model import SYSTEM
from radiology.modality_worklist.actions.place import place_item
from radiology.modality_worklist.schemas import WorklistItemIn
from radiology.settings import Settings
from requestor import requestor
from waiting import until
from worklist import MWL

ITEMS, QUERIES = range(1, 11), range(13)
#: Attribute of the file -> name in the body of REST; of the item, of its step, of its patient.
_ITEM = {"AccessionNumber": "accessionNumber", "StudyInstanceUID": "studyInstanceUID",
         "RequestingPhysician": "requestingPhysician", "RequestedProcedureDescription": "requestedProcedure",
         "RequestedProcedureID": "requestedProcedureId", "RequestedProcedurePriority": "priority"}  # fmt: skip
_STEP = {"Modality": "modality", "RequestedContrastAgent": "contrastAgent",
         "ScheduledPerformingPhysicianName": "performingPhysician",
         "ScheduledProcedureStepDescription": "description", "ScheduledProcedureStepID": "scheduledProcedureStepId",
         "ScheduledStationName": "stationName", "ScheduledProcedureStepLocation": "location",
         "PreMedication": "premedication", "CommentsOnTheScheduledProcedureStep": "comments"}  # fmt: skip
_PATIENT = {"PatientName": "name", "PatientID": "id", "PatientSex": "sex", "MedicalAlerts": "medicalAlerts",
            "Allergies": "allergies"}  # fmt: skip


@pytest.fixture
def files(shared_data: Path) -> Path:
    return shared_data / "worklist"


def body(ds: Dataset, *, day: str = "") -> dict[str, Any]:
    """An item of DCMTK's as it is placed by REST; `day` is another one than its own."""
    (step,) = ds.ScheduledProcedureStepSequence
    date, clock = day or step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime
    stations = step.ScheduledStationAETitle
    born = ds.PatientBirthDate
    return {
        **_given(ds, _ITEM),
        **_given(step, _STEP),
        "start": f"{date[:4]}-{date[4:6]}-{date[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:6]}+06:00",
        "stationAETitles": [stations] if isinstance(stations, str) else list(stations),
        "patient": {**_given(ds, _PATIENT), "birthDate": f"{born[:4]}-{born[4:6]}-{born[6:]}"},
    }


def _given(ds: Dataset, names: dict[str, str]) -> dict[str, str]:
    return {name: str(ds[keyword].value) for keyword, name in names.items() if keyword in ds and ds[keyword].value}


def put(node: Node, ds: Dataset, *, day: str = "") -> None:
    item = WorklistItemIn.model_validate(body(ds, day=day))
    node.wait(place_item(node.app, SYSTEM, item))


def asking_for(ds: Dataset) -> Dataset:
    """A query for all attributes that a data set has, of every station and of its day."""
    asked = Dataset()
    for element in ds:
        if element.keyword == "ScheduledProcedureStepSequence":
            inner = asking_for(element.value[0])
            inner.ScheduledStationAETitle = "*"
            inner.ScheduledProcedureStepStartDate = element.value[0].ScheduledProcedureStepStartDate
            asked.ScheduledProcedureStepSequence = [inner]
        elif element.keyword != "SpecificCharacterSet":
            setattr(asked, element.keyword, None)
    return asked


def plain(ds: Dataset) -> dict[str, Any]:
    """The values of a data set by keyword, without its character set."""
    return {
        element.keyword: [plain(item) for item in element.value] if element.VR == "SQ" else element.value or ""
        for element in ds
        if element.keyword != "SpecificCharacterSet"
    }


def of_dump(path: Path, folder: Path) -> Dataset:
    """What DCMTK's dump2dcm makes of a dump."""
    made = folder / f"{path.stem}.made"
    subprocess.run(["dump2dcm", "-q", "+te", path, made], check=True, capture_output=True, timeout=30)
    return dcmread(made, force=True)


@pytest.mark.peer("Modality Worklist (SCP)", "pynetdicom")
@pytest.mark.parametrize("number", ITEMS)
def test_each_item_is_held_and_answered_with_all_that_it_says(files: Path, settings: Settings, number: int) -> None:
    ds = dcmread(files / "wl" / f"wklist{number}.wl")
    with running_node(settings) as node:
        put(node, ds)
        with requestor(node, [(MWL, ExplicitVRLittleEndian)]) as association:
            (_, answer), (last, _) = association.send_c_find(asking_for(ds), MWL)
    assert last.Status == 0x0000
    assert plain(answer) == plain(ds)


@pytest.mark.parametrize("number", ITEMS)
def test_the_dumps_of_items_say_the_same(files: Path, tmp_path: Path, number: int) -> None:
    made = of_dump(files / "dump" / f"wklist{number}.dump", tmp_path)
    assert body(made) == body(dcmread(files / "wl" / f"wklist{number}.wl"))


@pytest.mark.parametrize("number", QUERIES)
def test_the_dumps_of_queries_say_the_same(files: Path, tmp_path: Path, number: int) -> None:
    made = of_dump(files / "query" / f"wlistqry{number}.dump", tmp_path)
    assert plain(made) == plain(dcmread(files / "query" / f"wlistqry{number}.dcm", force=True))


@contextmanager
def wlmscpfs(folder: Path) -> Iterator[int]:
    """DCMTK's worklist server over a folder of folders; its port."""
    port = free_port()
    process = subprocess.Popen(["wlmscpfs", "-dfp", folder, "-dfr", str(port)], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _echoes(port))
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _echoes(port: int) -> bool:
    argv = ["echoscu", "-aec", "RADSVC", "127.0.0.1", str(port)]
    return subprocess.run(argv, capture_output=True, timeout=10, check=False).returncode == 0


def found(port: int, query: Path, folder: Path, *keys: str) -> list[dict[str, Any]]:
    """What findscu is answered, in a fixed order."""
    folder.mkdir()
    options = [word for key in keys for word in ("-k", key)]
    argv = [
        "findscu",
        "-W",
        "-X",
        "-aet",
        "MODALITY1",
        "-aec",
        "RADSVC",
        "-od",
        folder,
        *options,
        "127.0.0.1",
        str(port),
        query,
    ]
    run = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 0, run.stderr
    return sorted((plain(dcmread(each, force=True)) for each in folder.iterdir()), key=str)


@pytest.fixture
def both(files: Path, tmp_path: Path, settings: Settings) -> Iterator[tuple[Node, int]]:
    """This service and wlmscpfs with the same ten items, of today."""
    theirs = tmp_path / "wlmscpfs" / "RADSVC"
    theirs.mkdir(parents=True)
    (theirs / "lockfile").touch()
    today = time.strftime("%Y%m%d", time.gmtime(time.time() + 6 * 3600))
    with running_node(settings) as node:
        for number in ITEMS:
            ds = dcmread(files / "wl" / f"wklist{number}.wl")
            put(node, ds, day=today)
            ds.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate = today
            ds.save_as(theirs / f"{number}.wl", enforce_file_format=True)
        with wlmscpfs(theirs.parent) as port:
            yield node, port


@pytest.mark.peer("Modality Worklist (SCP)", "DCMTK findscu")
@pytest.mark.skipif(shutil.which("wlmscpfs") is None, reason="DCMTK's wlmscpfs is not installed")
def test_each_query_is_answered_as_wlmscpfs_answers_it(both: tuple[Node, int], files: Path, tmp_path: Path) -> None:
    """Here a query that names no station means the caller's own; wlmscpfs takes it for every station."""
    node, port = both
    everywhere = "ScheduledProcedureStepSequence[0].ScheduledStationAETitle"
    for number in QUERIES:
        query = files / "query" / f"wlistqry{number}.dcm"
        asked = dcmread(query, force=True)
        (step,) = asked.get("ScheduledProcedureStepSequence") or [Dataset()]
        named = bool(step.get("ScheduledStationAETitle"))
        ours = found(node.port, query, tmp_path / f"ours{number}", *([] if named else [everywhere + "=*"]))
        theirs = found(port, query, tmp_path / f"theirs{number}", *([] if named else [everywhere]))
        assert [_told(each, asked) for each in ours] == [_told(each, asked) for each in theirs], number


def _told(answer: dict[str, Any], asked: Dataset) -> dict[str, Any]:
    """What both servers are asked for and know: wlmscpfs leaves out the attributes that it does not support."""
    names = {"AccessionNumber", "PatientName", "PatientID", "StudyInstanceUID", "RequestedProcedureID", "PatientSex"}
    return {name: value for name, value in answer.items() if name in names and name in asked}
