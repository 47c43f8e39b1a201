"""Every real file, by every way in: stored and given back byte for byte, or refused with a reason naming the element.

A file whose data set is there already, under other file meta information, is the same object again.
"""

import zipfile
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from multipart import RELATED, related
from node import Node, running_node
from radiology.dicom_network.client import ContextNotAcceptedError, Peer, connect
from radiology.settings import Settings
from radiology.standards.dicom.part10 import read_file_meta
from radiology.studies.importing import Import, Progress
from radiology.studies.receive import Source

NO_DICOM = {".md", ".json", ".hl7", ".xml", ".html", ".txt", ".dump"}
LEAST_STORED = 400


@pytest.fixture(scope="module")
def files(shared_data: Path) -> dict[str, bytes]:
    """Everything that could be a DICOM object, by its path."""
    paths = [path for path in sorted(shared_data.rglob("*")) if path.is_file() and path.suffix not in NO_DICOM]
    return {str(path.relative_to(shared_data)): path.read_bytes() for path in paths}


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def names_an_element(reason: str) -> bool:
    return "[" in reason or reason.startswith("(")


def check_stored(node: Node, files: dict[str, bytes], refused: dict[str, str]) -> None:
    """What was not refused lies in the store as it came; an object under the UID of another is held, not lost."""
    kept = {data_set(file) for file in stored_files(node)}
    lost = [name for name, file in files.items() if name not in refused and data_set(file) not in kept]
    assert lost == []
    assert list(node.app.objects.root.rglob("*.part")) == []
    assert len(files) - len(refused) >= LEAST_STORED


def test_by_import_from_a_folder(node, files, shared_data):
    progress = last(Import(node.archive, shared_data, Source("LOCAL")).run())
    refused = {str(Path(name).relative_to(shared_data)): reason for name, reason in progress.refused}
    held = {name: reason for name, reason in refused.items() if "held" in reason}
    dicom = {name: reason for name, reason in refused.items() if name in files and name not in held}
    assert [name for name, reason in dicom.items() if not names_an_element(reason)] == []
    check_stored(node, files, dicom)

    again = last(Import(node.archive, shared_data, Source("LOCAL")).run())
    assert again.stored == again.duplicates == 0, "an import that has ended has nothing left to do"


def test_by_import_from_a_zip(node, files, tmp_path):
    archive = tmp_path / "files.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, file in files.items():
            packed.writestr(name, file)
    progress = last(Import(node.archive, archive, Source("LOCAL")).run())
    refused = {name.partition("!")[2]: reason for name, reason in progress.refused if "held" not in reason}
    check_stored(node, files, refused)


@pytest.mark.anyio
async def test_by_stow(client_as, files):
    client, reader = await client_as("radiographer"), await client_as("privacy-officer")  # Some files are sensitive.
    refused: dict[str, str] = {}
    versions = defaultdict[str, list[bytes]](list)
    stored = 0
    for name, file in files.items():
        answer = await client.post("/dicomweb/studies", content=related(file), headers={"Content-Type": RELATED})
        assert answer.status_code in {200, 202, 409}, f"{name}: {answer.status_code} {answer.text[:300]}"
        body = answer.json()
        failures = body.get("00081198", body.get("0008119A", {})).get("Value", [])
        if not failures:
            stored += 1
            item = body["00081199"]["Value"][0]
            accept = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
            address = item["00081190"]["Value"][0]
            # Some have the UID and the pixels of another and a header of their own: one of these is served.
            versions[address].append(data_set(file))
            given = await reader.get(address, headers=accept)
            assert any(version in given.content for version in versions[address]), name
        elif failures[0]["00081197"]["Value"][0] not in {0xC104, 0x0110, 0xA900}:
            refused[name] = failures[0].get("00000901", {}).get("Value", [""])[0]
    assert [name for name, element in refused.items() if len(element) != 8] == []
    assert stored >= 350


@pytest.mark.anyio
async def test_by_rest(client_as, files):
    client = await client_as("radiographer")
    statuses: dict[str, int] = {}
    for name, file in files.items():
        headers = {"Content-Type": "application/dicom"}
        answer = await client.post("/api/radiology/dicom/store", content=file, headers=headers)
        statuses[name] = answer.status_code
        if answer.status_code not in {200, 201, 409}:
            assert answer.headers["content-type"] == "application/problem+json", name
            assert answer.status_code in {400, 422}, f"{name}: {answer.text}"
    assert sum(status in {200, 201} for status in statuses.values()) >= 350


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_by_c_store(node, files):
    """The data set of each file as it lies there, also of those that no toolkit would send."""
    outcomes: dict[str, int] = {}
    for name, file in files.items():
        ds = dcmread(BytesIO(file), force=True, specific_tags=["SOPClassUID", "SOPInstanceUID"])
        meta = getattr(ds, "file_meta", {})
        syntax, sop_class = meta.get("TransferSyntaxUID"), ds.get("SOPClassUID")
        if not syntax or not sop_class:
            continue
        try:
            with connect(Peer("127.0.0.1", node.port, "RADSVC", "MODALITY1"), [(sop_class, [syntax])]) as association:
                uid = ds.get("SOPInstanceUID") or generate_uid()
                answer = association.store(sop_class, uid, data_set(file), syntax)
        except ContextNotAcceptedError:
            continue
        outcomes[name] = answer.status
        assert answer.status in {0x0000, 0xB007, 0xA900, 0xC100, 0xC101}, f"{name}: {answer.status:04X}"
        if answer.status >> 12 not in {0x0, 0xB}:
            assert answer.tags(0x0901), f"{name}: {answer.status:04X} names no element"
    assert sum(status in {0x0000, 0xB007} for status in outcomes.values()) >= LEAST_STORED
    kept = {data_set(file) for file in stored_files(node)}
    assert [
        name for name, status in outcomes.items() if status in {0x0000, 0xB007} and data_set(files[name]) not in kept
    ] == []


def stored_files(node: Node) -> list[bytes]:
    """Every whole object of the store."""
    keys = node.app.objects.keys()
    return [node.app.objects.read(key) for key in keys]


def data_set(file: bytes) -> bytes:
    """What follows the elements of group 0002."""
    return file[read_file_meta(file[:65536]).data_set_offset :]


def last(progress: Iterable[Progress]) -> Progress:
    """The progress at the end."""
    return deque(progress, maxlen=1)[0]
