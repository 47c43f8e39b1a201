"""Patients are merged and unmerged: all that tells of them follows, on every outlet, and comes back exactly."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

import make
from node import Node
from ordering import a_patient, an_order
from query import found, identifier
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.reconciliation.patients.merge import merge_in, unmerge_in
from radiology.reconciliation.patients.model import Asked
from radiology.reconciliation.patients.relations import MOVE, STAYS
from reconciliation.outlets import served

pytestmark = pytest.mark.anyio

PATH = "/api/radiology/patients"
WHY = {"reason": "Registered twice."}
ONE = {"identifiers": [{"type": "MR", "value": "DMC-1"}], "name": "Rahman^Abdur", "nameBangla": "রহমান^আব্দুর",
       "birthDate": "1980-01-15", "sex": "M"}  # fmt: skip
TWO = {"identifiers": [{"type": "MR", "value": "DMC-2"}, {"type": "NID", "value": "1234567890"}],
       "name": "Rohman^Abdul", "birthDate": "1980-01-15", "sex": "M"}  # fmt: skip


async def two(client: Any) -> tuple[str, str]:
    """The ids of two patients."""
    return tuple([(await client.post(PATH, json=body)).json()["id"] for body in (ONE, TWO)])  # type: ignore[return-value]


async def an_image(app: App, number: str, **attributes: Any) -> make.Stored:
    names = {"DMC-1": "Rahman^Abdur=রহমান^আব্দুর", "DMC-2": "Rohman^Abdul"}
    return await make.a_study(app, PatientID=number, PatientName=names[number], PatientBirthDate="19800115",
                              PatientSex="M", **attributes)  # fmt: skip


async def value(app: App, statement: Any, **parameters: Any) -> Any:
    async with app.db.transaction() as tx:
        return await tx.value(statement, **parameters)


async def everything(app: App) -> dict[str, Any]:
    """All rows that tell of a patient, but for counts and moments of changes."""
    tables = [*MOVE, "scheduled_procedure_steps", "patients", "patient_identifiers"]
    rows: dict[str, Any] = {}
    async with app.db.transaction() as tx:
        for table in tables:
            statement: Any = f"SELECT to_jsonb(t) - 'version' - 'updated_at' FROM {table} AS t"  # noqa: S608
            rows[table] = sorted(json.dumps(row, sort_keys=True) for row in await tx.values(statement))
    return rows


async def test_merged_on_every_outlet_and_unmerged_exactly(app: App, node: Node, client_as: Any) -> None:
    clerk = await client_as("records")
    one, other = await two(clerk)
    ours, theirs = await an_image(app, "DMC-1"), await an_image(app, "DMC-2", instances=2)
    patient = a_patient(2, id="DMC-2", name="Rohman^Abdul")
    order = await clerk.post("/api/radiology/orders", json=an_order(patient=patient))
    assert order.status_code == 201, order.text
    await make.care(app, "account:ward", f"Patient/{other}")
    uids = (ours.study_instance_uid, theirs.study_instance_uid)
    before, rows = await served(clerk, node, *uids), await everything(app)

    made = await clerk.post(f"{PATH}/{other}/merge", json=WHY | {"into": "DMC-1"})
    assert made.status_code == 201, made.text
    assert made.json()["moved"] == {"imaging_studies": 2, "orders": 1, "care_relations": 2}
    assert await value(app, "SELECT count(DISTINCT patient_id) FROM imaging_studies") == 1
    (image,) = found(
        node,
        identifier("STUDY", SpecificCharacterSet="ISO_IR 192", StudyInstanceUID=uids[1], PatientID="", PatientName=""),
    )
    assert (image.PatientID, str(image.PatientName)) == ("DMC-1", "Rahman^Abdur=রহমান^আব্দুর")
    by_old_number = found(node, identifier("STUDY", PatientID="DMC-2", StudyInstanceUID=""))
    assert {ds.StudyInstanceUID for ds in by_old_number} == set(uids)
    assert len((await clerk.get("/api/radiology/studies", params={"patient": "DMC-2"})).json()["results"]) == 3
    item = await value(app, "SELECT jsonb_build_array(patient_id, details->'patient'->>'name') "
                            "FROM scheduled_procedure_steps")  # fmt: skip
    assert item == ["DMC-1", "Rahman^Abdur"]
    for name in (other, "DMC-2", "1234567890"):
        (hit,) = (await clerk.get(PATH, params={"query": name})).json()["results"]
        assert hit["patient"]["id"] == one
    old = [each["value"] for each in hit["patient"]["identifiers"] if each["use"] == "old"]
    assert sorted(old) == ["1234567890", "DMC-2"]

    undone = await clerk.post(f"{PATH}/{other}/unmerge", json=WHY)
    assert undone.status_code == 200, undone.text
    assert await served(clerk, node, *uids) == before
    assert await everything(app) == rows
    assert undone.json()["stays"] == {"studies": [], "reports": [], "orders": []}
    told = await value(
        app, "SELECT array_agg(type ORDER BY sequence) FROM outbox WHERE type LIKE '%%patient.%%merged%%'"
    )
    assert told == ["radiology.patient.merged.v1", "radiology.patient.unmerged.v1"]


async def test_what_came_after_the_merge_stays_and_is_listed(app: App, client_as: Any) -> None:
    clerk = await client_as("records")
    one, other = await two(clerk)
    before = await an_image(app, "DMC-2")
    await clerk.post(f"{PATH}/{other}/merge", json=WHY | {"into": one})
    later = await an_image(app, "DMC-2")
    undone = (await clerk.post(f"{PATH}/DMC-2/unmerge", json=WHY)).json()
    assert undone["stays"]["studies"] == [later.study_instance_uid]
    owner = "SELECT patient_id FROM imaging_studies WHERE study_instance_uid = %(uid)s"
    assert await value(app, owner, uid=later.study_instance_uid) == UUID(one)
    assert await value(app, owner, uid=before.study_instance_uid) == UUID(other)
    again = await clerk.post(f"{PATH}/DMC-2/unmerge", json=WHY)
    assert again.json()["type"] == "urn:radiology:problem:transition-refused"


async def test_asked_again_or_the_other_way_round_it_is_the_same_merge(app: App, client_as: Any) -> None:
    clerk = await client_as("records")
    one, other = await two(clerk)
    first = (await clerk.post(f"{PATH}/{other}/merge", json=WHY | {"into": one})).json()
    for merged, into in ((other, one), (one, other), ("DMC-2", "DMC-1")):
        again = await clerk.post(f"{PATH}/{merged}/merge", json=WHY | {"into": into})
        assert (again.status_code, again.json()["id"]) == (201, first["id"])
    assert await value(app, "SELECT count(*) FROM patient_repairs") == 1
    same = await clerk.post(f"{PATH}/{one}/merge", json=WHY | {"into": one})
    assert same.status_code == 409 or same.json()["id"] == first["id"]


async def test_a_chain_of_merges_leads_to_the_last_and_is_undone_in_any_order(app: App, client_as: Any) -> None:
    clerk = await client_as("records")
    one, other = await two(clerk)
    third = (await clerk.post(PATH, json=ONE | {"identifiers": [{"type": "MR", "value": "DMC-3"}]})).json()["id"]
    image = await an_image(app, "DMC-2")
    await clerk.post(f"{PATH}/{other}/merge", json=WHY | {"into": one})
    await clerk.post(f"{PATH}/{one}/merge", json=WHY | {"into": third})
    owner = "SELECT patient_id FROM imaging_studies WHERE study_instance_uid = %(uid)s"
    assert await value(app, owner, uid=image.study_instance_uid) == UUID(third)
    assert (await clerk.get(f"{PATH}/{other}")).json()["id"] == third
    await clerk.post(f"{PATH}/{other}/unmerge", json=WHY)
    assert await value(app, owner, uid=image.study_instance_uid) == UUID(other)
    assert await value(app, "SELECT dicom_patient_id FROM imaging_studies") == "DMC-2"
    await clerk.post(f"{PATH}/{one}/unmerge", json=WHY)
    assert await value(app, owner, uid=image.study_instance_uid) == UUID(other)


async def test_a_message_is_followed_once_also_when_it_comes_many_times_at_once(app: App, client_as: Any) -> None:
    clerk = await client_as("records")
    one, other = map(UUID, await two(clerk))
    await an_image(app, "DMC-2")
    asked = Asked("A40", "HIS", "HIS|MSG-1")

    async def follow() -> UUID:
        async with app.db.transaction() as tx:
            return await merge_in(tx, app, SYSTEM, other, one, asked)

    assert len(set(await asyncio.gather(*(follow() for _ in range(4))))) == 1
    async with app.db.transaction() as tx:
        await unmerge_in(tx, app, SYSTEM, other, Asked("A37"))
    assert await value(app, "SELECT count(DISTINCT patient_id) FROM imaging_studies") == 1


async def test_broken_off_in_the_middle_nothing_has_happened(app: App, client_as: Any) -> None:
    """The connection goes in the middle of the transaction, as with kill -9."""
    clerk = await client_as("records")
    one, other = map(UUID, await two(clerk))
    await an_image(app, "DMC-2")
    rows = await everything(app)

    async def broken_off() -> None:
        async with app.db.transaction() as tx:
            await merge_in(tx, app, SYSTEM, other, one, Asked("A40"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await broken_off()
    assert await everything(app) == rows
    assert await value(app, "SELECT count(*) FROM patient_repairs") == 0


async def test_a_restriction_comes_with_the_merge_and_goes_with_its_undoing(app: App, client_as: Any) -> None:
    clerk, officer = await client_as("records"), await client_as("privacy-officer")
    one, other = await two(clerk)
    ours = await an_image(app, "DMC-1")
    await an_image(app, "DMC-2")
    made = await officer.post(f"{PATH}/Patient/{other}/restrictions",
                              json={"kind": "vip", "reason": "A person of public interest."})  # fmt: skip
    assert made.status_code in (200, 201), made.text
    labels = "SELECT sensitive_classes FROM imaging_studies WHERE study_instance_uid = %(uid)s"
    await clerk.post(f"{PATH}/{other}/merge", json=WHY | {"into": one})
    assert await value(app, labels, uid=ours.study_instance_uid) == ["S7"]
    await clerk.post(f"{PATH}/{other}/unmerge", json=WHY)
    assert await value(app, labels, uid=ours.study_instance_uid) == []


async def test_only_who_may_reconcile_merges_and_only_who_is_of_both_facilities(app: App, client_as: Any) -> None:
    clerk, service = await client_as("records"), await client_as("service")
    one, other = await two(clerk)
    assert (await service.post(f"{PATH}/{other}/merge", json=WHY | {"into": one})).status_code == 403
    assert (await clerk.post(f"{PATH}/{other}/merge", json=WHY | {"into": "NOBODY"})).status_code == 404


async def test_links_say_perhaps_or_different_and_different_ones_are_no_duplicates(client_as: Any) -> None:
    clerk = await client_as("records")
    one = (await clerk.post(PATH, json=ONE)).json()["id"]
    other = (await clerk.post(PATH, json=ONE | {"identifiers": []})).json()["id"]
    assert len((await clerk.get(f"{PATH}/{one}/duplicates")).json()["results"]) == 1
    linked = await clerk.put(f"{PATH}/{one}/links", json={"other": other, "kind": "different"})
    assert [each["kind"] for each in linked.json()["results"]] == ["different"]
    assert (await clerk.get(f"{PATH}/{one}/duplicates")).json()["results"] == []
    assert (await clerk.get(f"{PATH}/{other}/repairs")).json()["links"][0]["patient"] == f"Patient/{one}"


async def test_every_table_that_refers_to_patients_moves_or_stays(app: App) -> None:
    async with app.db.transaction() as tx:
        referring = await tx.values(
            "SELECT DISTINCT conrelid::regclass::text FROM pg_constraint WHERE confrelid = 'patients'::regclass"
        )
    assert set(referring) == set(MOVE) | STAYS


async def test_images_that_come_after_a_merge_are_served_as_the_survivors(app: App, node: Node, client_as: Any) -> None:
    """By the old number: of a study nobody knew, and of an order that the scanner had fetched before the merge."""
    clerk = await client_as("records")
    _, other = await two(clerk)
    patient = a_patient(2, id="DMC-2", name="Rohman^Abdul")
    order = await clerk.post("/api/radiology/orders", json=an_order(patient=patient))
    planned = await value(app, "SELECT study_instance_uid FROM scheduled_procedure_steps")
    await clerk.post(f"{PATH}/{other}/merge", json=WHY | {"into": "DMC-1"})
    assert order.status_code == 201
    alone = await an_image(app, "DMC-2")
    await an_image(app, "DMC-2", StudyInstanceUID=planned)
    assert await value(app, "SELECT count(*) FROM quarantine") == 0
    for uid in (alone.study_instance_uid, planned):
        (image,) = found(
            node, identifier("STUDY", StudyInstanceUID=uid, PatientID="", NumberOfStudyRelatedInstances="")
        )
        assert (image.PatientID, image.NumberOfStudyRelatedInstances) == ("DMC-1", 1)
