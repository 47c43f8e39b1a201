"""Stored objects are compared with what was stored: real damage is found, told, taken out of the way and repaired."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import make
from conftest import ClientAs
from node import free_port
from orthanc import AE_TITLE, Orthanc, orthanc
from radiology.access import accounts
from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.errors import Unavailable
from radiology.kit.clock import SetClock
from radiology.retention import repairing, verifying
from radiology.settings import Settings
from radiology.studies.actions.recompress import recompress_due
from radiology.studies.archive import open_archive

pytestmark = pytest.mark.anyio

BASE = "/api/radiology/retention"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"verification_hours": "0-24", "verification_mib_per_second": 1000, "recompress_after_days": 30}
    )


def flip(path: Path) -> None:
    file = bytearray(path.read_bytes())
    file[-5] ^= 0x01
    path.write_bytes(file)


def flip_in_head(path: Path) -> None:
    """In the transfer syntax of the file meta information, which no digest covers."""
    file = path.read_bytes()
    path.write_bytes(file.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0", 1))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


async def value(app: App, statement: Any, **parameters: Any) -> Any:
    async with app.db.transaction() as tx:
        return await tx.value(statement, **parameters)


async def key_of(app: App, uid: str) -> str:
    return await value(app, "SELECT object_key FROM instances WHERE sop_instance_uid = %(uid)s", uid=uid)


async def repaired(app: App) -> int:
    with open_archive(app) as archive:
        return await repairing.repair_due(archive)


async def register(app: App, entity: ApplicationEntity) -> None:
    async with app.db.transaction() as tx:
        await entities.save(tx, entity)


def data_set_of(file: bytes) -> bytes:
    return file[144 + int.from_bytes(file[140:144], "little") :]


async def test_what_is_sound_is_noted_and_looked_at_again_after_a_while(
    app: App, client_as: ClientAs, clock: SetClock
) -> None:
    stored = await make.a_study(app, instances=3)
    assert await verifying.verify_due(app) == 3
    assert await verifying.verify_due(app) == 0
    admin = await client_as("administrator")
    told = (await admin.get(f"{BASE}/studies/{stored.study_instance_uid}")).json()["verification"]
    assert (told["objects"], told["verified"], told["damaged"]) == (3, 3, 0)
    [done] = (await admin.get(f"{BASE}/verification")).json()["results"]
    assert (done["objects"], done["damaged"], "endedAt" in done) == (3, 0, True)
    clock.advance(31 * 24 * 3600.0)
    await make.a_study(app)
    assert await verifying.verify_due(app) == 4


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (flip, "altered"),
        (flip_in_head, "altered"),
        (truncate, "truncated"),
        (Path.unlink, "missing"),
        (make_a_folder, "truncated"),
    ],
)
async def test_damage_is_found_told_and_taken_out_of_the_way(
    app: App, client_as: ClientAs, damage: Callable[[Path], None], problem: str
) -> None:
    stored = await make.a_study(app, instances=2, StudyDate="20100301")
    admin, reader = await client_as("administrator"), await client_as("radiologist")
    path = app.objects.path(await key_of(app, stored.sop_instance_uid))
    damage(path)
    assert await verifying.verify_due(app) == 2
    [found] = (await admin.get(f"{BASE}/damaged")).json()["results"]
    assert (found["problem"], found["state"]) == (problem, "open")
    assert found["sopInstanceUID"] == stored.sop_instance_uid
    assert not path.exists()
    assert len(list((app.settings.data_dir / "damaged").glob("*"))) == (0 if problem == "missing" else 1)
    assert await value(app, "SELECT count(*) FROM outbox WHERE type = 'radiology.object.damaged.v1'") == 1
    assert await value(app, "SELECT recipient || ' ' || kind FROM notices") == "account:administrator object.damaged"
    told = (await admin.get(f"{BASE}/studies/{stored.study_instance_uid}")).json()
    assert (told["rule"], told["verification"]["damaged"]) == ("damaged", 1)
    assert "radiology_objects_damaged 1.0" in (await admin.get("/metrics")).text
    series = f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
    assert (await reader.get(f"{series}/instances/{stored.sop_instance_uid}")).status_code >= 400
    assert await repaired(app) == 0
    [found] = (await admin.get(f"{BASE}/damaged")).json()["results"]
    assert (found["attempts"], "No archive" in found["sentence"]) == (1, True)
    assert (await admin.post(f"{BASE}/damaged/{found['id']}/repair")).status_code == 202
    lost = {"reason": "There is no backup of this one."}
    codes = [(await admin.post(f"{BASE}/damaged/{found['id']}/lost", json=lost)).status_code for _ in range(2)]
    assert codes == [204, 409]
    assert (await reader.post(f"{BASE}/damaged/{found['id']}/lost", json=lost)).status_code == 403


def second_archive(peer: Orthanc, way: str) -> ApplicationEntity:
    if way == "DICOMweb":
        return ApplicationEntity("SECOND", dicomweb_url=peer.dicomweb_url)
    return ApplicationEntity(AE_TITLE, "127.0.0.1", peer.dicom_port, move_destination=True)


@pytest.mark.peer("DICOMweb (client)", "Orthanc")
@pytest.mark.peer("Query/Retrieve GET (SCU)", "Orthanc")
@pytest.mark.parametrize("way", ["DICOMweb", "DIMSE"])
async def test_a_damaged_object_is_replaced_by_the_same_one_of_a_second_archive(
    app: App, client_as: ClientAs, tmp_path: Path, way: str
) -> None:
    """One of them was compressed at rest meanwhile: what was received comes back."""
    large = {"Rows": 64, "Columns": 64, "PixelData": bytes(64 * 64 * 2), "StudyInstanceUID": "1.2.3.4"}
    images = [make.an_object(**large, PatientID="P1"), make.an_object(StudyInstanceUID="1.2.3.4", PatientID="P1")]
    stored = await make.store(app, *images)
    async with app.db.transaction() as tx:
        await tx.run(
            "UPDATE instances SET stored_at = %(at)s WHERE pixel_rows = 64", at=app.clock.now() - timedelta(days=40)
        )
    assert await recompress_due(app, gently=False) == 1
    node: Any = SimpleNamespace(port=free_port())
    with orthanc(node, tmp_path / "orthanc", dicomweb=way == "DICOMweb") as peer:
        for file in stored.files.values():
            await asyncio.to_thread(peer.send, file)
        await register(app, ApplicationEntity("AWAY", dicomweb_url=f"http://127.0.0.1:{free_port()}/dicom-web"))
        await register(app, second_archive(peer, way))
        for uid in stored.files:
            flip(app.objects.path(await key_of(app, uid)))
        await verifying.verify_due(app)
        assert await repaired(app) == 2
    reader = await client_as("radiologist")
    for uid, file in stored.files.items():
        key = await key_of(app, uid)
        assert data_set_of(app.objects.path(key).read_bytes()) == data_set_of(file)
    assert (await reader.get(f"/dicomweb/studies/{stored.study_instance_uid}")).status_code == 200
    assert (await verifying.verify(app, None)).damaged == 0
    sizes = "SELECT size_bytes = (SELECT sum(size_bytes) FROM instances) FROM imaging_studies"
    assert await value(app, sizes)
    assert await value(app, "SELECT count(*) FROM outbox WHERE type = 'radiology.object.repaired.v1'") == 2
    named = set(await value(app, "SELECT array_agg(object_key) FROM instances"))
    going = set(await value(app, "SELECT array_agg(object_key) FROM superseded_objects"))
    assert named <= set(app.objects.keys()) <= named | going


@pytest.mark.peer("DICOMweb (client)", "Orthanc")
async def test_what_a_second_archive_has_otherwise_is_not_taken(app: App, tmp_path: Path) -> None:
    await accounts.make_account(app, "boss", role="administrator")
    image = make.an_object()
    stored = await make.store(app, image)
    image.PatientName = "OTHER^NAME"
    node: Any = SimpleNamespace(port=free_port())
    with orthanc(node, tmp_path / "orthanc", dicomweb=True) as peer:
        await asyncio.to_thread(peer.send, make.as_file(image))
        await register(app, second_archive(peer, "DICOMweb"))
        flip(app.objects.path(await key_of(app, stored.sop_instance_uid)))
        await verifying.verify_due(app)
        assert await repaired(app) == 0
    assert "did not give it out as it was received" in await value(app, "SELECT sentence FROM damaged_objects")
    assert list(app.objects.keys()) == []
    kinds = await value(app, "SELECT array_agg(kind ORDER BY made_at) FROM notices")
    assert kinds == ["object.damaged", "object.not-repaired"]


@pytest.mark.peer("DICOMweb (client)", "Orthanc")
async def test_rows_that_share_an_object_are_repaired_together(app: App, tmp_path: Path) -> None:
    stored, other = await make.a_study(app), await make.a_study(app)
    key = await key_of(app, stored.sop_instance_uid)
    async with app.db.transaction() as tx:
        await tx.run(
            "UPDATE instances SET object_key = %(key)s, corrections = '{}', (size_bytes, data_set_offset,"
            " data_set_sha256) = (SELECT size_bytes, data_set_offset, data_set_sha256 FROM instances"
            " WHERE sop_instance_uid = %(first)s) WHERE sop_instance_uid = %(uid)s",
            key=key,
            first=stored.sop_instance_uid,
            uid=other.sop_instance_uid,
        )
    node: Any = SimpleNamespace(port=free_port())
    with orthanc(node, tmp_path / "orthanc", dicomweb=True) as peer:
        await asyncio.to_thread(peer.send, stored.files[stored.sop_instance_uid])
        await register(app, second_archive(peer, "DICOMweb"))
        truncate(app.objects.path(key))
        await verifying.verify_due(app)
        assert await repaired(app) == 1
    assert await key_of(app, stored.sop_instance_uid) == await key_of(app, other.sop_instance_uid) != key


async def test_a_disk_that_is_not_there_is_not_the_loss_of_everything(app: App) -> None:
    await make.a_study(app, instances=3)
    elsewhere = app.objects.root.rename(app.objects.root.with_name("elsewhere"))
    app.objects.root.mkdir()
    with pytest.raises(Unavailable, match="Is its disk there"):
        await verifying.verify_due(app)
    assert await value(app, "SELECT count(*) FROM damaged_objects") == 0
    app.objects.root.rmdir()
    elsewhere.rename(app.objects.root)
    assert await verifying.verify_due(app) == 3
    assert await value(app, "SELECT count(*) FROM object_verifications WHERE result = 'intact'") == 3


async def test_many_damaged_objects_are_one_notice(app: App, clock: SetClock) -> None:
    await accounts.make_account(app, "boss", role="administrator")
    stored = await make.a_study(app, instances=4)
    for uid in stored.files:
        flip(app.objects.path(await key_of(app, uid)))
    await verifying.verify_due(app)
    assert await value(app, "SELECT count(*) FROM damaged_objects") == 4
    assert await value(app, "SELECT count(*) FROM notices") == 1


async def test_by_day_and_at_no_rate_nothing_is_read(app: App) -> None:
    await make.a_study(app)
    for update in ({"verification_hours": "22-6"}, {"verification_mib_per_second": 0}):
        object.__setattr__(app, "settings", app.settings.model_copy(update=update))
        assert await verifying.verify_due(app) == 0


@pytest.mark.parametrize(
    ("hours", "hour", "is_so"),
    [("22-6", 23, True), ("22-6", 5, True), ("22-6", 6, False), ("22-6", 12, False), ("0-24", 23, True),
     ("1-3", 1, True), ("1-3", 3, False)],
)  # fmt: skip
def test_hours(hours: str, hour: int, is_so: bool) -> None:
    assert verifying.is_hour(hours, datetime(2026, 1, 21, hour, 30)) is is_so  # noqa: DTZ001 - local time.
