"""Order films, draw them, send them to the printer."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.application_entities.calling import association
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import find_application_entity
from radiology.application_entities.retries import MINUTES_BETWEEN_ATTEMPTS
from radiology.audit import actions as audit
from radiology.delivery.film import queries
from radiology.delivery.film.model import Film, FilmOrder, Picture, State, must_follow, sheets_of
from radiology.delivery.film.picture import Grey, cell, sheet_png
from radiology.delivery.film.printer import CONTEXTS, PrintRefusedError, print_sheets
from radiology.dicom_network.transport import AssociationEndedError
from radiology.errors import Conflict, FieldProblem, NotFound, RadiologyError, Unprocessable
from radiology.kit import cpu, jobs
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.pixels.captions import captions_of
from radiology.pixels.render import grey
from radiology.studies import pictures as stored_pictures
from radiology.studies.archive import Archive
from radiology.studies.queries import read
from radiology.studies.queries.retrieve import (
    StoredInstance,
    Target,
    attributes_of,
    instances_of,
    study_instance_uid_of,
)

JOB = "film.print"
PREVIEW_DOTS_PER_INCH = 40
WITHOUT_PIXELS = ("1.2.840.10008.5.1.4.1.1.88.", "1.2.840.10008.5.1.4.1.1.11.", "1.2.840.10008.5.1.4.1.1.104.")


# --- Ordering ---------------------------------------------------------------------------------------------------------


async def order_film(
    app: App, actor: Actor, study: str, printer: str, film: Film, pictures: Sequence[Picture] | None
) -> tuple[UUID, bytes]:
    """Have images of a study printed, all of them where none are named. Returns the id and the body of the order.

    Raises NotFound for a study or an image that is not there, Unprocessable for a printer that is none.
    """
    actor.must(Permission.WRITE)
    order_id = uuid7()
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor.beyond_reading)
        chosen = await _chosen(tx, await study_instance_uid_of(tx, study_id), pictures, actor)
        await _printer(tx, printer)
        sheets = len(sheets_of(chosen, film.cells))
        await queries.insert(
            tx, id=order_id, study_id=study_id, printer=printer, film=film, pictures=chosen, sheets=sheets,
            asked_by=actor.id,
        )  # fmt: skip
        await audit.record(tx, actor, "film.order", str(study_id), detail={"printer": printer, "sheets": sheets})
        await jobs.enqueue(tx, JOB, {"order": str(order_id)}, lock=f"film:{printer}")
        return order_id, await queries.body_of(tx, order_id, visible_to=actor.beyond_reading)


async def preview_film(
    app: App, actor: Actor, study: str, film: Film, pictures: Sequence[Picture] | None, sheet: int
) -> bytes:
    """One sheet, from 1, as a PNG: what would lie on the film. Raises NotFound."""
    coarse = _coarse(film)
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor.beyond_reading)
        study_instance_uid = await study_instance_uid_of(tx, study_id)
        chosen = await _chosen(tx, study_instance_uid, pictures, actor)
        sheets = sheets_of(chosen, film.cells)
        if not 1 <= sheet <= len(sheets):
            raise NotFound(f"There is no sheet {sheet}; the order has {len(sheets)}.")
        material = await _material(tx, study_instance_uid, sheets[sheet - 1], actor)
    cells = await asyncio.to_thread(lambda: [_drawn(app, coarse, each) for each in material])
    return await asyncio.to_thread(sheet_png, cells, coarse.columns, coarse.rows)


async def cancel_film(app: App, actor: Actor, order_id: UUID) -> bytes:
    """Print no more sheets of an order; the one in work ends. Raises NotFound, Conflict where it is over already."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        await queries.body_of(tx, order_id, visible_to=actor.beyond_reading)
        order = await queries.take(tx, order_id)
        if order is None:
            raise NotFound("There is no such film order.")
        must_follow(State(order.state), State.CANCELLED)
        await queries.change(tx, order_id, state=State.CANCELLED, sentence="Cancelled.", attempts=order.attempts)
        await audit.record(tx, actor, "film.cancel", str(order_id))
        return await queries.body_of(tx, order_id, visible_to=actor.beyond_reading)


async def again(app: App, actor: Actor, order_id: UUID) -> bytes:
    """Print what a failed order still owes. Raises NotFound, Conflict for one that has not failed."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        await queries.body_of(tx, order_id, visible_to=actor.beyond_reading)
        order = await queries.take(tx, order_id)
        if order is None:
            raise NotFound("There is no such film order.")
        if order.state != State.FAILED:
            raise Conflict(f"The film order is {order.state}; only one that failed can be printed again.")
        await queries.change(tx, order_id, state=State.QUEUED, sentence="", attempts=0)
        await audit.record(tx, actor, "film.again", str(order_id))
        await jobs.enqueue(tx, JOB, {"order": str(order_id)}, lock=f"film:{order.printer}")
        return await queries.body_of(tx, order_id, visible_to=actor.beyond_reading)


async def _chosen(
    tx: Transaction, study_instance_uid: str, pictures: Sequence[Picture] | None, actor: Actor
) -> list[Picture]:
    """The pictures to print, all of this study. Raises NotFound."""
    there = await _instances(tx, study_instance_uid, actor)
    if pictures is None:
        return [Picture(uid) for uid, each in there.items() if not each.sop_class_uid.startswith(WITHOUT_PIXELS)]
    for picture in pictures:
        found = there.get(picture.sop_instance_uid)
        if found is None:
            raise NotFound(f"The study has no instance {picture.sop_instance_uid}.")
        if picture.frame > (found.number_of_frames or 1):
            raise NotFound(f"Instance {picture.sop_instance_uid} has {found.number_of_frames or 1} frames.")
    return list(pictures)


async def _instances(tx: Transaction, study_instance_uid: str, actor: Actor) -> dict[str, StoredInstance]:
    found = await instances_of(tx, Target(study_instance_uid), visible_to=actor.beyond_reading)
    return {each.sop_instance_uid: each for each in found}


async def _printer(tx: Transaction, ae_title: str) -> ApplicationEntity:
    """The record of a printer. Raises Unprocessable where it is none."""
    entity = await find_application_entity(tx, ae_title)
    if entity is None or not entity.may("print") or not entity.host or not entity.port:
        sentence = "an application entity with host, port and the service print"
        raise Unprocessable(
            f"{ae_title} is no printer. Register it as {sentence}.", fields=[FieldProblem("printer", sentence)]
        )
    return entity


# --- Printing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Material:
    """What a cell is drawn from."""

    instance: StoredInstance
    attributes: bytes
    frame: int


async def print_film(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """The job: print what an order still owes. Done twice it prints nothing twice, but for the sheet in work.

    Raises jobs.Later where the printer may take it another time.
    """
    app, order_id = archive.app, UUID(arguments["order"])
    async with app.db.transaction() as tx:
        order = await queries.take(tx, order_id)
        if order is None or order.state not in {State.QUEUED, State.PRINTING}:
            return
        await queries.change(tx, order_id, state=State.PRINTING, sentence="", attempts=order.attempts + 1)
    try:
        warnings = await _print(app, order)
    except _CancelledError:
        return
    except (PrintRefusedError, AssociationEndedError, RadiologyError, OSError) as error:
        await _failed(app, order, _sentence_of(error), for_good=isinstance(error, Unprocessable | NotFound))
    else:
        async with app.db.transaction() as tx:
            await queries.change(tx, order_id, state=State.PRINTED, sentence=" ".join(warnings), attempts=0)
            await audit.record(tx, SYSTEM, "film.printed", str(order_id))


class _CancelledError(Exception):
    """Somebody cancelled the order while it was printed."""


async def _print(app: App, order: FilmOrder) -> list[str]:
    film = queries.as_film(order.film)
    sheets = sheets_of(queries.as_pictures(order.pictures), film.cells)[order.sheets_printed :]
    async with app.db.transaction() as tx:
        entity = await _printer(tx, order.printer)
        material = [await _material(tx, order.study_instance_uid, sheet, SYSTEM) for sheet in sheets]

    async def count() -> bool:
        async with app.db.transaction() as tx:
            return await queries.count_sheet(tx, order.id)

    def printed() -> None:
        if not app.db.wait_for(count()):
            raise _CancelledError

    def drawn() -> Iterator[Sequence[Grey]]:
        return ([_drawn(app, film, each) for each in sheet] for sheet in material)

    def send() -> list[str]:
        label = captions_of(orjson.loads(material[0][0].attributes)).label if material else ""
        with association(app.settings, entity, CONTEXTS) as opened:
            return print_sheets(opened, film, drawn(), label, printed)

    return await asyncio.to_thread(send) if sheets else []


async def _failed(app: App, order: FilmOrder, sentence: str, *, for_good: bool) -> None:
    """Note why; try again after 1, 5 and 15 minutes, then leave it to a person."""
    attempts = order.attempts + 1
    gives_up = for_good or attempts > len(MINUTES_BETWEEN_ATTEMPTS)
    async with app.db.transaction() as tx:
        state = State.FAILED if gives_up else State.QUEUED
        await queries.change(tx, order.id, state=state, sentence=sentence, attempts=attempts)
    if not gives_up:
        raise jobs.Later(MINUTES_BETWEEN_ATTEMPTS[attempts - 1] * 60)


def _sentence_of(error: Exception) -> str:
    if isinstance(error, RadiologyError):
        return error.sentence
    if isinstance(error, OSError):
        return f"The printer cannot be reached: {error.strerror or error}."
    return str(error)


# --- Drawing ----------------------------------------------------------------------------------------------------------


async def _material(
    tx: Transaction, study_instance_uid: str, pictures: Sequence[Picture], actor: Actor
) -> list[_Material]:
    """Instances and attributes of pictures. Raises NotFound for one that has gone meanwhile."""
    there = await _instances(tx, study_instance_uid, actor)
    uids = list(dict.fromkeys(picture.sop_instance_uid for picture in pictures))
    if gone := [uid for uid in uids if uid not in there]:
        raise NotFound(f"The study no longer has the instance {gone[0]}.")
    headers = {row.sop_instance_uid: row.attributes for row in await attributes_of(tx, uids)}
    return [_Material(there[p.sop_instance_uid], headers[p.sop_instance_uid], p.frame) for p in pictures]


def _drawn(app: App, film: Film, material: _Material) -> Grey:
    shown = stored_pictures.material(app.objects, material.instance, material.attributes, [material.frame])
    image, aspect = cpu.processes.run(grey, shown)
    captions = captions_of(orjson.loads(material.attributes)) if film.annotate else None
    return cell(image, aspect, film.cell_pixels, captions.corners(material.frame) if captions else None)


def _coarse(film: Film) -> Film:
    return Film(film.size_id, film.orientation, film.columns, film.rows, film.medium_type, film.destination, 1,
                PREVIEW_DOTS_PER_INCH, film.annotate)  # fmt: skip
