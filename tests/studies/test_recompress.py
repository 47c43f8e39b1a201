"""Compression at rest: proven for each object, switched in one step, and safe at every point of a crash."""

import asyncio
import hashlib
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.pixels import pixel_array
from pydicom.uid import (
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    generate_uid,
)

import make
from conftest import ClientAs
from multipart import parts_of
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.settings import Settings
from radiology.studies.actions.recompress import delete_superseded, due, recompress_due
from radiology.studies.actions.recover import recover
from radiology.studies.archive import open_archive
from radiology.studies.converting import converted, received
from radiology.studies.queries.rejection import INSTANCE_COLUMNS
from radiology.studies.queries.retrieve import StoredInstance, Target, instances_of

pytestmark = pytest.mark.anyio

ROWS, COLUMNS = 64, 80


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"recompress_after_days": 30})


def an_image(syntax: str = ExplicitVRLittleEndian, frames: int = 1, **attributes: Any) -> pydicom.Dataset:
    values = np.add.outer(np.arange(frames * ROWS), np.arange(COLUMNS) * 3).astype("<i2") - 900
    kind = {
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 1,
        "PixelData": values.tobytes(),
    }
    image = make.an_object(syntax, Rows=ROWS, Columns=COLUMNS, **kind | attributes)
    if frames > 1:
        image.NumberOfFrames = frames
    image["PixelData"].VR = "OW"
    return image


async def the_only(app: App, study: str) -> StoredInstance:
    async with app.db.transaction() as tx:
        (instance,) = await instances_of(tx, Target(study), visible_to=SYSTEM)
    return instance


async def value(app: App, statement: Any) -> Any:
    async with app.db.transaction() as tx:
        return await tx.value(statement)


async def of_days_ago(app: App, days: int = 40) -> None:
    async with app.db.transaction() as tx:
        await tx.run("UPDATE instances SET stored_at = %(at)s", at=app.clock.now() - timedelta(days=days))


def data_set_of(file: bytes) -> bytes:
    return file[144 + int.from_bytes(file[140:144], "little") :]


async def retrieved(client: Any, study: str, syntax: str) -> bytes:
    accept = f'multipart/related; type="application/dicom"; transfer-syntax={syntax}'
    answer = await client.get(f"/dicomweb/studies/{study}", headers={"accept": accept})
    assert answer.status_code == 200, answer.text
    ((_, part),) = parts_of(answer)
    return part


@pytest.mark.parametrize("frames", [1, 5])
async def test_what_was_received_is_given_back_byte_for_byte(app: App, client_as: ClientAs, frames: int) -> None:
    stored = await make.store(app, an_image(frames=frames))
    await of_days_ago(app)
    client, study = await client_as("radiologist"), stored.study_instance_uid
    before = await the_only(app, study)
    assert (await due(app)).instances == 1
    assert await recompress_due(app, gently=False) == 1
    after = await the_only(app, study)
    assert (after.transfer_syntax_uid, after.pixel_data_length) == (HTJ2KLossless, None)
    assert after.size_bytes < before.size_bytes
    assert after.data_set_sha256 == before.data_set_sha256
    assert await value(app, "SELECT size_bytes FROM imaging_studies") == after.size_bytes
    (file,) = stored.files.values()
    given = await retrieved(client, study, ExplicitVRLittleEndian)
    assert data_set_of(given) == data_set_of(file)
    assert pydicom.dcmread(BytesIO(given)).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    compressed = pydicom.dcmread(BytesIO(await retrieved(client, study, "*")))
    assert compressed.file_meta.TransferSyntaxUID == HTJ2KLossless
    assert np.array_equal(pixel_array(compressed), stored.objects[0].pixel_array)
    url = f"/dicomweb/studies/{study}/series/{stored.series_instance_uid}/instances/{stored.sop_instance_uid}"
    frame = await client.get(f"{url}/frames/1", headers={"accept": "application/octet-stream"})
    assert frame.content == stored.objects[0].PixelData[: ROWS * COLUMNS * 2]
    assert (await client.get(f"{url}/rendered")).status_code == 200


@pytest.mark.parametrize("syntax", [HTJ2KLosslessRPCL, JPEG2000Lossless, JPEGLSLossless])
async def test_to_each_syntax_that_can_be_set(app: App, syntax: str) -> None:
    stored = await make.store(app, an_image(frames=2))
    await of_days_ago(app)
    changed = app.settings.model_copy(update={"recompress_transfer_syntax": syntax})
    assert await recompress_due(App(changed, app.db, app.objects, app.clock), gently=False) == 1
    instance = await the_only(app, stored.study_instance_uid)
    assert instance.transfer_syntax_uid == syntax
    (file,) = stored.files.values()
    given = received(app.objects, instance)
    with given.file:
        whole = b"".join(given.chunks(10_000))
    assert len(whole) == given.size_bytes
    assert data_set_of(whole) == data_set_of(file)


async def test_what_is_on_the_disk_can_be_checked(app: App) -> None:
    stored = await make.store(app, an_image())
    await of_days_ago(app)
    await recompress_due(app, gently=False)
    instance = await the_only(app, stored.study_instance_uid)
    digest = hashlib.sha256(app.objects.read(instance.object_key, instance.data_set_offset)).digest()
    assert await value(app, "SELECT object_sha256 FROM instances") == digest


async def test_a_rejected_instance_keeps_all_that_is_known_of_it(app: App) -> None:
    columns = await value(
        app,
        """
        SELECT string_agg(column_name, ' ') FROM information_schema.columns
        WHERE table_name = 'instances' AND table_schema = 'public'
        """,
    )
    assert set(columns.split()) == {column.strip() for column in INSTANCE_COLUMNS.split(",")}


async def test_an_implicit_object_becomes_itself_again(app: App, client_as: ClientAs) -> None:
    image = an_image(ImplicitVRLittleEndian)
    image.RequestAttributesSequence = [pydicom.Dataset()]
    stored = await make.store(app, image)
    await of_days_ago(app)
    assert await recompress_due(app, gently=False) == 1
    instance = await the_only(app, stored.study_instance_uid)
    assert instance.original_transfer_syntax_uid == ImplicitVRLittleEndian
    client = await client_as("radiologist")
    given = await retrieved(client, stored.study_instance_uid, ExplicitVRLittleEndian)
    assert pydicom.dcmread(BytesIO(given)).PixelData == stored.objects[0].PixelData


async def test_shared_images_are_compressed_or_stay(app: App, shared_data: Path) -> None:
    kept: dict[str, bytes] = {}
    for path in sorted((shared_data / "dicom/pydicom").glob("*.dcm")):
        try:
            image = pydicom.dcmread(path)
            if image.file_meta.TransferSyntaxUID not in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
                continue
            assert "PixelData" in image
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            image.StudyInstanceUID, image.SeriesInstanceUID = generate_uid(), generate_uid()
            stored = await make.store(app, image)
        except Exception:  # noqa: S112 - what is not stored is not compressed.
            continue
        kept |= {stored.study_instance_uid: next(iter(stored.files.values()))}
    await of_days_ago(app)
    compressed = await recompress_due(app, gently=False)
    assert compressed >= 5
    for study, file in kept.items():
        instance = await the_only(app, study)
        assert instance.data_set_sha256 == hashlib.sha256(data_set_of(file)).digest()
        if instance.original_transfer_syntax_uid is None:
            assert app.objects.read(instance.object_key) == file


@pytest.mark.parametrize(
    "attributes",
    [
        {"PixelData": b"\xff\x7f" * (ROWS * COLUMNS)},  # Something lies beside the 12 bits of the values.
        {"PixelData": bytes(ROWS * COLUMNS * 2 + 8)},  # More than the frames.
        {"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31, "PixelData": bytes(ROWS * COLUMNS * 4)},
    ],
)
async def test_what_cannot_be_proven_stays_and_is_not_tried_again(app: App, attributes: dict[str, Any]) -> None:
    stored = await make.store(app, an_image(**attributes))
    await of_days_ago(app)
    assert await recompress_due(app, gently=False) == 0
    (file,) = stored.files.values()
    instance = await the_only(app, stored.study_instance_uid)
    assert app.objects.read(instance.object_key) == file
    assert await value(app, "SELECT count(*) FROM superseded_objects") == 0
    assert await value(app, "SELECT at FROM worker_marks WHERE name = 'recompression'") is not None


async def test_what_is_young_or_switched_off_stays(app: App) -> None:
    await make.store(app, an_image())
    assert await recompress_due(app) == 0
    await of_days_ago(app)
    off = App(app.settings.model_copy(update={"recompress_after_days": 0}), app.db, app.objects, app.clock)
    assert await recompress_due(off) == 0


async def test_the_old_object_stays_a_day(app: App, clock: Any) -> None:
    stored = await make.store(app, an_image())
    await of_days_ago(app)
    before = await the_only(app, stored.study_instance_uid)
    await recompress_due(app, gently=False)
    assert await delete_superseded(app) == 0
    assert app.objects.path(before.object_key).exists()
    clock.at += timedelta(days=1, minutes=1)
    assert await delete_superseded(app) == 1
    assert not app.objects.path(before.object_key).exists()
    after = await the_only(app, stored.study_instance_uid)
    assert app.objects.path(after.object_key).exists()
    assert await value(app, "SELECT count(*) FROM superseded_objects") == 0


async def test_the_same_object_again_is_a_duplicate(app: App) -> None:
    stored = await make.store(app, an_image())
    await of_days_ago(app)
    await recompress_due(app, gently=False)
    (file,) = stored.files.values()
    await make.store(app, file)
    assert await value(app, "SELECT count(*) FROM instances") == 1
    assert await value(app, "SELECT count(*) FROM quarantine") == 0


#: What the process is about to do when it is killed.
STEPS = {
    "compressed, not proven": "actions, '_proven'",
    "proven, not written down": "queries, 'supersede'",
    "written down, without its name": "ObjectWriter, 'commit'",
    "named, not switched": "actions, '_switch'",
    "in the middle of the switch": "queries, 'keep'",
    "switched": "metrics.recompression_saved_bytes, 'inc'",
}
KILLED = """
import asyncio, os, sys
from radiology.app import App
from radiology.kit import metrics
from radiology.kit.objects import ObjectWriter
from radiology.settings import Settings
from radiology.studies.actions import recompress as actions
from radiology.studies.queries import recompress as queries

async def main():
    settings = Settings(data_dir=sys.argv[1], database_url=sys.argv[2], disk_reserve_bytes=0, recompress_after_days=30)
    app = App.of(settings)
    await app.db.open()
    await actions.recompress_due(app, gently=False)

if __name__ == "__main__":
    setattr(STEP, lambda *args, **kwargs: os.kill(os.getpid(), 9))
    asyncio.run(main())
"""


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
async def test_killed_at_any_point_nothing_is_lost_and_nothing_is_left(
    app: App, clock: Any, tmp_path: Path, step: str
) -> None:
    stored = await make.store(app, an_image())
    await of_days_ago(app, days=400)
    script = tmp_path / "killed.py"
    script.write_text(KILLED.replace("STEP", step))
    arguments = [sys.executable, str(script), str(app.settings.data_dir), str(app.settings.database_dsn)]
    ended = await asyncio.to_thread(subprocess.run, arguments, capture_output=True, check=False)
    assert ended.returncode == -9, ended.stderr.decode()

    (file,) = stored.files.values()
    with open_archive(app) as archive:
        await recover(archive, older_than_seconds=0)
        await recompress_due(app, gently=False)
        await recover(archive, older_than_seconds=0)
    assert await value(app, "SELECT count(*) FROM quarantine") == 0
    assert await value(app, "SELECT number_of_instances FROM imaging_studies") == 1
    instance = await the_only(app, stored.study_instance_uid)
    assert instance.transfer_syntax_uid == HTJ2KLossless
    with closing(converted(app.objects, instance, ExplicitVRLittleEndian)) as given:
        assert given.read() == data_set_of(file)
    clock.at += timedelta(days=4_000)
    await delete_superseded(app)
    app.objects.discard_parts(older_than_seconds=-1)
    left = [path for path in app.objects.root.rglob("*") if path.is_file()]
    assert left == [app.objects.path(instance.object_key)]
