"""Undone, every outlet serves byte for byte what it served before, and the same waits: each kind by itself."""

from dataclasses import dataclass
from typing import Any

import pytest
from pydicom.uid import generate_uid

import make
from reconciliation.held import come, held_of, quarantine_id, refused_by_index
from reconciliation.outlets import served

pytestmark = pytest.mark.anyio

PLACE = "/api/radiology/reconciliation"
PATIENT = {"PatientID": "A1", "PatientName": "KARIM^ABDUL", "PatientBirthDate": "19800115", "PatientSex": "M"}
REASON = {"reason": "Asked the radiographer."}


@dataclass
class Asked:
    """A repair, and the studies whose outlets are compared."""

    path: str
    body: dict[str, Any]
    studies: list[str]


async def a_study(app, **attributes):
    """A study of two series."""
    shared = {"StudyInstanceUID": generate_uid(), **PATIENT, **attributes}
    return await make.store(app, *(make.an_object(**shared, InstanceNumber=number) for number in (1, 2)))


async def asked_of(app, client, kind):
    stored = await a_study(app)
    study = stored.study_instance_uid
    match kind:
        case "split":
            series = str(stored.objects[1].SeriesInstanceUID)
            return Asked(f"{PLACE}/studies/{study}/split", REASON | {"series": [series]}, [study])
        case "ungroup" | "merge":
            other = (await a_study(app)).study_instance_uid
            path, body = f"{PLACE}/studies/{study}/merge", REASON | {"with": other}
            if kind == "merge":
                return Asked(path, body | {"physical": True}, [study, other])
            assert (await client.post(path, json=body)).status_code == 201
            return Asked(f"{PLACE}/studies/{study}/ungroup", REASON, [study, other])
    decision = kind.removeprefix("quarantine-")
    if decision in ("keep", "take", "split-duplicate"):
        image = make.an_object(**PATIENT, StudyInstanceUID=study, SeriesInstanceUID=stored.series_instance_uid,
                               SOPInstanceUID=stored.sop_instance_uid, PixelData=bytes(32))  # fmt: skip
        assert await come(app, image) == ["conflicting_duplicate"]
    else:
        (image,) = await held_of(app, study)
    path = f"{PLACE}/quarantine/{await quarantine_id(app, image)}/decide"
    return Asked(path, REASON | {"decision": decision.removesuffix("-duplicate")}, [study])


@pytest.mark.parametrize(
    "kind",
    ["quarantine-keep", "quarantine-take", "quarantine-split", "quarantine-split-duplicate", "quarantine-discard",
     "split", "ungroup", "merge"],
)  # fmt: skip
async def test_undone_every_outlet_serves_what_it_served(app, node, client_as, kind):
    clerk = await client_as("records")
    asked = await asked_of(app, clerk, kind)
    before, waits = await served(clerk, node, *asked.studies), (await clerk.get(PLACE)).json()["results"]
    made = await clerk.post(asked.path, json=asked.body)
    assert made.status_code == 201, made.text
    repair = made.json()
    during = await served(clerk, node, *repair["studyInstanceUIDs"])
    undone = await clerk.post(f"/api/radiology/repairs/{repair['id']}/undo", json=REASON)
    assert undone.status_code == 200, undone.text
    assert await served(clerk, node, *asked.studies) == before
    assert [timeless(each) for each in (await clerk.get(PLACE)).json()["results"]] == [timeless(each) for each in waits]
    for new in set(repair["studyInstanceUIDs"]) - set(asked.studies):
        assert during[f"C-GET {new}"]
        assert set(await outlets_that_answer(clerk, node, new)) == set(), "of the study that was made nothing is left"
    again = await clerk.post(asked.path, json=asked.body)
    assert again.status_code == 201, again.text


def timeless(entry):
    return {name: entry[name] for name in entry if name != "ageSeconds"}


async def outlets_that_answer(client, node, study):
    return [path for path, answer in (await served(client, node, study)).items()
            if answer not in ([], b"[]", 404, (404, {}))]  # fmt: skip


async def test_tried_again_every_outlet_serves_what_the_index_had_refused(app, node, client_as):
    clerk = await client_as("records")
    stored = await a_study(app)
    study = stored.study_instance_uid
    before = await served(clerk, node, study)
    place = await refused_by_index(app, stored.objects[0])
    without = await served(clerk, node, study)
    assert len(without[f"C-GET {study}"]) == 1
    done = await clerk.post(f"{PLACE}/quarantine/{place}/decide", json=REASON | {"decision": "retry"})
    assert done.status_code == 201, done.text
    assert await served(clerk, node, study) == before
    (held,) = await held_of(app, study)
    async with app.db.transaction() as tx:
        await tx.run("UPDATE quarantine SET reason = 'unindexable' WHERE resolved_at IS NULL")
    place = await quarantine_id(app, held)
    again = await clerk.post(f"{PLACE}/quarantine/{place}/decide", json=REASON | {"decision": "retry"})
    assert again.status_code == 409, "it is held again, of another patient"
    assert await served(clerk, node, study) == before
