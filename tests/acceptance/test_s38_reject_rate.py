import pytest

import make

pytestmark = pytest.mark.anyio

RATE = "/api/radiology/studies/rejections/rate"


async def reject(client, stored, title, category):
    body = {
        "title": title,
        "category": category,
        "reason": "Seen at the console.",
        "instances": [stored.sop_instance_uid],
    }
    answer = await client.post(f"/api/radiology/studies/{stored.study_instance_uid}/reject", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_s38_rejected_for_quality_counts_in_the_reject_rate_and_a_wrong_entry_does_not(app, client_as):
    films = [await make.a_study(app, Modality="DX") for _ in range(4)]
    await make.a_study(app, Modality="CT")
    await make.a_study(app, Modality="DX", ImageType=["DERIVED", "SECONDARY"])
    qa, administrator = await client_as("qa"), await client_as("administrator")
    assert (await qa.get(RATE)).json()["rate"] == 0

    first = await reject(qa, films[0], "113001", "positioning")
    await reject(qa, films[1], "113038", "wrong-patient")
    found = (await qa.get(RATE)).json()
    assert (found["rejected"], found["exposures"], found["rate"]) == (1, 3, 0.3333)
    assert found["byCategory"] == [{"category": "positioning", "rejected": 1}]
    assert found["investigate"]
    assert [one["exposures"] for one in found["byDevice"]] == [3]

    withdrawn = f"/api/radiology/studies/rejections/{first}/withdraw"
    assert (await administrator.post(withdrawn, json={"reason": "It can be read."})).status_code == 200
    assert (await qa.get(RATE)).json()["rejected"] == 0


async def test_s38_only_of_the_days_asked_for_and_only_for_quality_officers(app, client_as):
    film = await make.a_study(app, Modality="CR")
    qa, radiographer = await client_as("qa"), await client_as("radiographer")
    await reject(qa, film, "113001", "motion")
    assert (await qa.get(RATE, params={"dateTo": "2020-01-01"})).json()["rate"] is None
    assert (await qa.get(RATE, params={"dateFrom": "2020-01-01"})).json()["rate"] == 1
    assert (await radiographer.get(RATE)).status_code == 403
