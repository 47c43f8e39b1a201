"""Making the viewer: only from the pinned package, changed only where it is as expected, and whole or not at all."""

import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from radiology.settings import Settings
from radiology.viewer import patches
from radiology.viewer.build import ensure
from radiology.viewer.package import CannotBuild, unpack, verify
from radiology.viewer.place import base_of, built, key


def a_package(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "package.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))
    return path


def test_another_file_than_the_pinned_one_is_not_used(tmp_path: Path) -> None:
    package = a_package(tmp_path, {"package/dist/index.html": b"<title>evil</title>"})
    with pytest.raises(CannotBuild, match="not the file that was pinned"):
        verify(package)
    with pytest.raises(CannotBuild, match="not the file that was pinned"):
        ensure(tmp_path / "viewer", say=print, package=package)
    assert built(tmp_path / "viewer") is None
    assert [each.name for each in (tmp_path / "viewer").iterdir()] == ["lock"], "nothing half made is left"


def test_what_is_not_used_is_left_out(tmp_path: Path) -> None:
    names = [
        "package/LICENSE", "package/package.json", "package/dist/app.js", "package/dist/app.js.map",
        "package/dist/ort/model.wasm", "package/dist/dicom-microscopy-viewer/a.js", "package/dist/sw.js",
        "package/dist/assets/favicon.ico", "package/dist/app-config.js",
    ]  # fmt: skip
    unpack(a_package(tmp_path, dict.fromkeys(names, b"x")), tmp_path / "whole")
    found = {str(each.relative_to(tmp_path / "whole")) for each in (tmp_path / "whole").rglob("*") if each.is_file()}
    assert found == {"LICENSE", "app.js", "assets/favicon.ico"}


def test_files_that_are_not_as_expected_are_not_changed_by_guess(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<html><head></head></html>")
    (tmp_path / "app.js").write_text('__webpack_require__.p = "/";')
    with pytest.raises(CannotBuild, match="1 times, not 8"):
        patches.apply(tmp_path, "/viewer/x/")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotBuild, match="cannot be written"):
        ensure(tmp_path / "file" / "viewer", say=print)


def test_the_viewer_of_this_machine_asks_only_below_its_own_address() -> None:
    folder = built(Settings().viewer_dir)
    if folder is None:
        pytest.skip("the viewer has not been made here (./radi viewer)")
    page = (folder / "index.html").read_text()
    assert "<script>" not in page
    assert page.count(base_of(key())) >= 10
    assert (folder / "LICENSE").read_text().startswith("The MIT License")
    bundle = next(folder.glob("app.bundle.*.js"))
    assert bundle.with_name(bundle.name + ".gz").stat().st_size < bundle.stat().st_size / 3
