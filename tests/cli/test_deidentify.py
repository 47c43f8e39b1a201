"""`radi deidentify`: files without a service, and exports through the job of the worker."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pydicom
import pytest

from command_line import Ended, radi
from deidentified import an_approved_project
from make import Stored, a_study, an_object, as_file
from node import Node, running_node
from radiology.settings import Settings
from working import worker

SECRETS = ("QWERTYSON", "HOSP-7788")


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    """Two objects of one patient, one that may have text, and no object."""
    folder = tmp_path / "originals" / "QWERTYSON"
    folder.mkdir(parents=True)
    kind: dict[str, Any] = {"PatientName": "QWERTYSON^Z", "PatientID": "HOSP-7788", "BodyPartExamined": "CHEST"}
    for number, more in enumerate(({}, {}, {"BurnedInAnnotation": "YES"})):
        (folder / f"{number}.dcm").write_bytes(as_file(an_object(**kind, **more)))
    (folder / "README").write_text("Images of QWERTYSON")
    return folder


@pytest.fixture
def somewhere(tmp_path: Path) -> Settings:
    """Settings whose database is nowhere."""
    return Settings(data_dir=tmp_path / "data", database_url="postgresql://nobody@127.0.0.1:1/none")


def run(settings: Settings, source: Path, out: Path, key: Path, *more: str) -> Ended:
    return radi(settings, "deidentify", source, "-o", out, "--profile", "research", "--key-file", key, *more)


def test_files_are_written_without_whose_they_are(somewhere: Settings, originals: Path, tmp_path: Path) -> None:
    out, key = tmp_path / "out", tmp_path / "project.key"
    ended = run(somewhere, originals, out, key)
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.endswith("2 written, 0 were there already, 2 withheld.\n")
    assert f"withheld {originals / '2.dcm'}: Text may be burned into the image" in ended.out
    assert f"withheld {originals / 'README'}: This is not a DICOM object" in ended.out
    made = sorted(path for path in out.rglob("*") if path.is_file())
    images = [pydicom.dcmread(path) for path in made]
    assert [path.name for path in made] == [f"{image.SOPInstanceUID}.dcm" for image in images]
    assert len({image.PatientID for image in images}) == 1
    content = b"".join(str(path).encode() + path.read_bytes() for path in made)
    assert not [secret for secret in SECRETS if secret.encode() in content.replace(str(tmp_path).encode(), b"")]
    assert (len(key.read_bytes()), key.stat().st_mode & 0o777) == (32, 0o600)
    again = run(somewhere, originals, out, key)
    assert again.out.endswith("0 written, 2 were there already, 2 withheld.\n")
    assert sorted(path for path in out.rglob("*") if path.is_file()) == made


def test_all_is_well_where_nothing_is_withheld(somewhere: Settings, originals: Path, tmp_path: Path) -> None:
    ended = run(somewhere, originals / "0.dcm", tmp_path / "out", tmp_path / "key")
    assert (ended.code, ended.out) == (0, "1 written, 0 were there already, 0 withheld.\n"), ended.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Give a folder of files, or --study with --project."),
        (["{originals}"], "A folder needs --out, --profile and --key-file."),
        (["--study", "1.2"], "Give a folder of files, or --study with --project."),
        (["--study", "1.2", "--project", "p", "--profile", "research"], "are those of its project"),
        (["{originals}", "-o", "{originals}/out", "--profile", "research", "--key-file", "{tmp}/k"], "must lie apart"),
        (["{originals}", "-o", "{tmp}/out", "--profile", "research", "--key-file", "{tmp}/out/k"], "The key must lie"),
        (["{originals}", "-o", "{tmp}/out", "--profile", "nonsense", "--key-file", "{tmp}/k"], "nonsense"),
    ],
)
def test_what_does_not_go_together_is_refused(
    somewhere: Settings, originals: Path, tmp_path: Path, words: list[str], sentence: str
) -> None:
    ended = radi(somewhere, "deidentify", *(word.format(originals=originals, tmp=tmp_path) for word in words))
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err
    assert not (tmp_path / "out").exists()


def test_a_damaged_key_makes_nothing(somewhere: Settings, originals: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"short")
    ended = run(somewhere, originals, tmp_path / "out", key)
    assert (ended.code, ended.out, "damaged" in ended.err) == (2, "", True)


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def test_studies_are_exported_by_a_project(node: Node, tmp_path: Path) -> None:
    settings, out = node.app.settings, tmp_path / "export.zip"
    study: Stored = node.wait(a_study(node.app, instances=2, BodyPartExamined="CHEST", PatientName="QWERTYSON"))
    node.wait(an_approved_project(node.app, profile="teleradiology"))
    asked = ("deidentify", "--study", study.study_instance_uid, "--project", "elsewhere")
    with worker(node):
        ended = radi(settings, *asked, "-o", out)
    assert (ended.code, ended.out) == (0, "completed: 2 of 2 written\n"), ended.err
    with zipfile.ZipFile(out) as archive:
        manifest = orjson.loads(archive.read("manifest.json"))
        assert not [name for name in archive.namelist() if b"QWERTYSON" in archive.read(name)]
    assert len(manifest["instances"]) == 2
    refused = radi(settings, *asked, "-o", out)
    assert (refused.code, "is there already" in refused.err) == (2, True)
    queued = radi(settings, *asked)
    assert (queued.code, " is queued." in queued.out) == (0, True)


def test_a_project_that_is_not_there_or_unknown_studies_are_refused(node: Node) -> None:
    node.wait(an_approved_project(node.app, profile="teleradiology"))
    for project, sentence in (("other", "no such project"), ("elsewhere", "None of these studies may be exported")):
        ended = radi(node.app.settings, "deidentify", "--study", "1.2.3", "--project", project)
        assert (ended.code, ended.out, sentence in ended.err) == (2, "", True), ended.err
