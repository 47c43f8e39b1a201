"""Film over REST: ordered, shown beforehand, printed by the worker, and what a person is told when it cannot be."""

import shutil
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

import make
from film_printer import running_printer
from node import free_port
from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.delivery.film.actions import print_film
from radiology.kit.jobs import Later
from radiology.studies.archive import open_archive

pytestmark = pytest.mark.anyio

PATH = "/api/radiology/film-orders"


async def a_study(app: App, instances: int = 2) -> str:
    stored = await make.a_study(app, instances=instances, PatientName="Khatun^Rahela=রাহেলা^খাতুন",
                                SpecificCharacterSet="ISO_IR 192")  # fmt: skip
    return stored.study_instance_uid


async def a_printer(app: App, port: int) -> None:
    async with app.db.transaction() as tx:
        await entities.save(tx, ApplicationEntity("FILM", "127.0.0.1", port, services=["print"]))


async def do(app: App, order: str) -> None:
    with open_archive(app) as archive:
        await print_film(archive, {"order": order})


def order_of(study: str, **film: Any) -> dict[str, Any]:
    return {"study": study, "printer": "FILM", "film": {"sizeId": "8INX10IN", "dotsPerInch": 60, **film}}


async def test_a_study_is_printed_and_the_order_says_so(app: App, client_as: Any, tmp_path: Path) -> None:
    if not shutil.which("dcmprscp"):
        pytest.skip("dcmprscp of DCMTK is not installed")
    client = await client_as("radiographer")
    study = await a_study(app)
    with running_printer(tmp_path) as printer:
        await a_printer(app, printer.port)
        answer = await client.post(PATH, json=order_of(study, columns=2))
        assert answer.status_code == 202
        await do(app, answer.json()["id"])
        shown = (await client.get(answer.headers["location"])).json()
        assert (shown["state"], shown["sheets"], shown["sheetsPrinted"]) == ("printed", 1, 1)
        assert [image.shape for image in printer.images] == [(600, 240), (600, 240)]
        await do(app, answer.json()["id"])  # A job that is run twice prints nothing twice.
        assert len(printer.films) == 1
    listed = (await client.get(PATH, params={"state": "printed"})).json()
    assert [order["id"] for order in listed["results"]] == [answer.json()["id"]]


async def test_a_printer_that_is_away_is_tried_again_and_then_left_to_a_person(
    app: App, client_as: Any, tmp_path: Path
) -> None:
    client = await client_as("radiographer")
    await a_printer(app, free_port())
    answer = await client.post(PATH, json=order_of(await a_study(app)))
    for minutes in (1, 5, 15):
        with pytest.raises(Later) as later:
            await do(app, answer.json()["id"])
        assert later.value.seconds == minutes * 60
    await do(app, answer.json()["id"])
    shown = (await client.get(answer.headers["location"])).json()
    assert shown["state"] == "failed"
    assert shown["sentence"].startswith("The printer cannot be reached")
    assert (await client.post(answer.headers["location"] + "/again")).json()["state"] == "queued"


async def test_what_will_be_printed_can_be_seen_before(app: App, client_as: Any) -> None:
    client = await client_as("radiologist")
    study = await a_study(app, 3)
    answer = await client.post(f"{PATH}/preview", json={"study": study, "film": {"columns": 2, "rows": 1}})
    assert answer.headers["content-type"] == "image/png"
    picture = np.asarray(Image.open(BytesIO(answer.content)))
    assert picture.shape == (680, 560)
    assert picture.max() > 200
    assert (
        await client.post(f"{PATH}/preview", params={"sheet": 3}, json={"study": study, "film": {"columns": 2}})
    ).status_code == 404


async def test_what_cannot_be_printed_is_refused(app: App, client_as: Any) -> None:
    client, study = await client_as("radiographer"), await a_study(app)
    none = await client.post(PATH, json=order_of(study))
    assert (none.status_code, none.json()["errors"][0]["field"]) == (422, "printer")
    await a_printer(app, free_port())
    assert (await client.post(PATH, json=order_of("2.25.404"))).status_code == 404
    size = await client.post(PATH, json=order_of(study, sizeId="1INX1IN"))
    assert size.status_code == 422
    other = {**order_of(study), "pictures": [{"sopInstanceUID": "2.25.404"}]}
    assert (await client.post(PATH, json=other)).status_code == 404
    assert (await (await client_as("referrer")).post(PATH, json=order_of(study))).status_code == 403


async def test_a_cancelled_order_is_not_printed(app: App, client_as: Any) -> None:
    client = await client_as("radiographer")
    await a_printer(app, free_port())
    answer = await client.post(PATH, json=order_of(await a_study(app)))
    assert (await client.delete(answer.headers["location"])).json()["state"] == "cancelled"
    await do(app, answer.json()["id"])
    assert (await client.get(f"{PATH}/{UUID(answer.json()['id'])}")).json()["state"] == "cancelled"
