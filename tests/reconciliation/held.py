"""Objects that come to be held in quarantine."""

from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

import make
from radiology.app import App
from radiology.reconciliation.studies.queries import count_anew
from radiology.studies.actions.store import Storing
from radiology.studies.archive import open_archive
from radiology.studies.receive import Source

SOMEBODY_ELSE = {
    "PatientID": "B2",
    "PatientName": "SULTANA^NASRIN",
    "PatientBirthDate": "19990303",
    "PatientSex": "F",
}


async def come(app: App, *images: Dataset) -> list[str | None]:
    """Bring objects, whatever becomes of them; the reasons for which they are held, where they are."""
    with open_archive(app) as archive:
        storing = Storing(archive, Source("LOCAL"))
        for image in images:
            reception = storing.begin()
            reception.write(make.as_file(image))
            await storing.received(reception)
        await storing.finish()
    async with app.db.transaction() as tx:
        return [
            await tx.value(
                "SELECT reason FROM quarantine WHERE sop_instance_uid = %(uid)s ORDER BY id DESC LIMIT 1",
                uid=str(image.SOPInstanceUID),
            )
            for image in images
        ]


async def held_of(app: App, study: str, *, count: int = 1, **attributes: Any) -> list[Dataset]:
    """Objects of somebody else that name a study, held."""
    series = generate_uid()
    images = [
        make.an_object(
            StudyInstanceUID=study, SeriesInstanceUID=series, InstanceNumber=number, **SOMEBODY_ELSE | attributes
        )
        for number in range(1, count + 1)
    ]
    assert set(await come(app, *images)) == {"patient_conflict"}
    return images


async def refused_by_index(app: App, image: Dataset) -> str:
    """Let an object that is served be one that the index could not take; its id in quarantine."""
    uid, study = str(image.SOPInstanceUID), str(image.StudyInstanceUID)
    async with app.db.transaction() as tx:
        await tx.run(
            """
            INSERT INTO quarantine (id, reason, detail, object_key, size_bytes, study_instance_uid,
                series_instance_uid, sop_instance_uid, data_set_sha256, facility_code)
            SELECT gen_random_uuid(), 'unindexable', 'The index refused it.', object_key, size_bytes, %(study)s,
                %(series)s, sop_instance_uid, data_set_sha256, 'LOCAL'
            FROM instances WHERE sop_instance_uid = %(uid)s
            """,
            study=study,
            series=str(image.SeriesInstanceUID),
            uid=uid,
        )
        await tx.run("DELETE FROM instances WHERE sop_instance_uid = %(uid)s", uid=uid)
        await count_anew(tx, [study])
    return await quarantine_id(app, image)


async def quarantine_id(app: App, image: Dataset) -> str:
    """The id of what is held."""
    async with app.db.transaction() as tx:
        found = await tx.value(
            "SELECT id FROM quarantine WHERE sop_instance_uid = %(uid)s AND resolved_at IS NULL ORDER BY id",
            uid=str(image.SOPInstanceUID),
        )
    assert found is not None
    return str(found)
