"""Unintended exposures: who may report and see them, every step, and what must be settled before the end."""

import pytest

import make
from radiology.errors import Conflict, TransitionRefused
from radiology.kit.steps import follow
from radiology.quality.incidents.model import CAUSES, TRANSITIONS, Cause, Status, Verb, letter

pytestmark = pytest.mark.anyio
PATH = "/api/radiology/quality/incidents"
BODY = {
    "cause": "wrong-side",
    "occurredAt": "2026-01-21T09:00:00+06:00",
    "description": "The left knee was exposed, the right one was ordered.",
}


@pytest.mark.parametrize(
    ("status", "verb"),
    [(status, verb) for status in Status for verb in Verb if (status, verb) not in TRANSITIONS],
)
def test_steps_that_there_are_not_are_refused(status: Status, verb: Verb):
    with pytest.raises(TransitionRefused):
        follow(TRANSITIONS, status, verb, of="An incident")


def test_every_cause_has_texts_in_both_languages():
    for cause in Cause:
        assert CAUSES[cause].english
        assert any("\u0980" <= letter_ <= "\u09ff" for letter_ in letter(cause).bangla)
    assert issubclass(TransitionRefused, Conflict)


async def step(client, incident: str, verb: str, **more):
    return await client.post(f"{PATH}/{incident}/steps", json={"verb": verb, "text": "As it was found."} | more)


async def test_an_incident_goes_its_way_to_the_end(app, client_as):
    stored = await make.a_study(app)
    radiographer, quality = await client_as("radiographer"), await client_as("qa", name="mina")

    made = await radiographer.post(PATH, json=BODY | {"study": stored.study_instance_uid})

    assert made.status_code == 201, made.text
    incident = made.json()["id"]
    assert made.json()["studyInstanceUID"] == stored.study_instance_uid
    assert (await step(radiographer, incident, "assess")).status_code == 403
    assert (await step(quality, incident, "close")).status_code == 409
    assessed = await step(quality, incident, "assess", doseMsv=0.02)
    assert (assessed.status_code, assessed.json()["status"]) == (200, "assessed")
    assert (await step(quality, incident, "notify")).json()["status"] == "notified"
    unsettled = await step(quality, incident, "close")
    assert (unsettled.status_code, "authority" in unsettled.json()["detail"]) == (409, True)
    await step(quality, incident, "assess", authorityNeeded=True)
    assert (await step(quality, incident, "close")).status_code == 409
    await step(quality, incident, "notify", authorityTold=True)
    closed = (await step(quality, incident, "close")).json()
    assert closed["status"] == "closed"
    assert [each["verb"] for each in closed["steps"]] == [
        "report", "assess", "notify", "assess", "notify", "close",
    ]  # fmt: skip
    assert (await step(quality, incident, "reopen", version=1)).status_code == 412
    async with app.db.transaction() as tx:
        told = await tx.values("SELECT kind FROM notices WHERE recipient = 'account:mina' ORDER BY id")
    assert sorted(told) == ["incident.notify", "incident.open"]


async def test_a_pregnant_patient_needs_an_estimate_for_the_foetus(app, client_as):
    quality = await client_as("qa")
    incident = (await quality.post(PATH, json=BODY | {"cause": "pregnant-unknowingly"})).json()["id"]
    await step(quality, incident, "assess", authorityNeeded=False)
    await step(quality, incident, "notify")

    waiting = await step(quality, incident, "close")
    assert (waiting.status_code, "foetus" in waiting.json()["detail"]) == (409, True)

    given = await step(quality, incident, "assess", foetalDoseMgy=1.2)
    assert given.json()["foetalEstimate"] == "given"
    assert (await step(quality, incident, "close")).json()["status"] == "closed"


async def test_others_see_only_what_they_have_reported_and_no_sensitive_study(app, client_as):
    stored = await make.a_study(app)
    quality, radiographer = await client_as("qa"), await client_as("radiographer")
    own = (await radiographer.post(PATH, json=BODY)).json()["id"]
    other = (await quality.post(PATH, json=BODY | {"study": stored.study_instance_uid})).json()["id"]

    assert [each["id"] for each in (await radiographer.get(PATH)).json()["results"]] == [own]
    assert (await radiographer.get(f"{PATH}/{other}")).status_code == 404
    assert len((await quality.get(PATH)).json()["results"]) == 2
    assert (await quality.get(f"{PATH}/counts")).json()["results"] == [
        {"facilityCode": "LOCAL", "cause": "wrong-side", "status": "open", "n": 2}
    ]
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET sensitive_classes = '{S1}'")

    assert [each["id"] for each in (await quality.get(PATH)).json()["results"]] == [own]
    assert (await quality.get(f"{PATH}/{other}")).status_code == 404
    assert (await step(quality, other, "assess")).status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"cause": "unknown"}, 422), ({"occurredAt": "2027-01-01T00:00:00Z"}, 422), ({"occurredAt": "2026-01-21"}, 422),
        ({"study": "1.2.3"}, 404), ({"device": 77}, 409), ({"description": "x"}, 422),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused(client_as, change, status):
    answer = await (await client_as("qa")).post(PATH, json=BODY | change)

    assert answer.status_code == status, answer.text


async def test_a_referrer_reports_nothing(client_as):
    assert (await (await client_as("referrer")).post(PATH, json=BODY)).status_code == 403
