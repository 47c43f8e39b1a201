"""Choose a facility: what is known is gathered in a few statements, and the rules are asked once."""

from dataclasses import replace

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import FieldProblem, NotFound, Unprocessable
from radiology.facilities import network as networks
from radiology.facilities.choosing import queries
from radiology.facilities.choosing.choose import choose
from radiology.facilities.choosing.knowing import known_of
from radiology.facilities.choosing.model import Candidate, Choice, Need, Rules
from radiology.facilities.choosing.queries import CountedFigures
from radiology.facilities.choosing.schemas import FiguresIn, FromIn, NeedIn, WaysIn
from radiology.facilities.choosing.travelling import Place, Way
from radiology.facilities.model import Figures
from radiology.kit.db import Transaction
from radiology.procedures.catalogue import catalogue
from radiology.procedures.lookup import Catalogue, catalogued
from radiology.procedures.model import Coding, Procedure

RULES = Rules()
NO_FIGURES = Figures()


async def answer(app: App, actor: Actor, body: NeedIn) -> tuple[Procedure, Choice]:
    """The choice for what a body asks. Raises Unprocessable for a procedure or a place that nobody knows."""
    procedure = _procedure(await catalogue(app), body)
    origin = body.origin or FromIn(facility_code=actor.facility_code or app.settings.facility_code)
    place = await _place(app, origin)
    need = Need(
        procedure=procedure,
        priority=body.priority,
        deadline=body.deadline,
        contrast=body.contrast,
        sedation=body.sedation,
        mr_conditional=body.mr_conditional,
        weight_kg=body.weight_kg,
        age_months=body.age_months,
        female_operator=body.female_operator,
        budget=body.budget,
    )
    return procedure, await choose_facility(app, need, place)


async def choose_facility(app: App, need: Need, place: Place) -> Choice:
    """The best facilities for a need of a patient who is at a place; facilities for tests are none."""
    procedures, network = await catalogue(app), await networks.network(app)
    here = network.facility(place.facility_code)
    if here is not None:
        need = replace(need, from_tier=here.tier)
        place = place if place.latitude is not None else Place(here.code, here.latitude, here.longitude)
    modality, key = need.procedure.modality, need.procedure.key
    figures, travels = await known_of(app, network, modality, place, RULES)
    candidates = [
        Candidate(
            facility=each,
            devices=network.devices_for(each.code, modality),
            operators=network.operators_of(each.code),
            figures=figures.get(each.code, NO_FIGURES),
            terms=procedures.terms(key, each.code, ownership=each.ownership),
            travel=travels[each.code],
        )
        for each in network.facilities
        if not each.test
    ]
    return choose(need, candidates, app.clock.now().astimezone(app.settings.zone), RULES)


async def tell_figures(app: App, actor: Actor, code: str, modality: str, body: FiguresIn) -> None:
    """Keep what a facility tells of itself. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    await _must_exist(app, code)
    counted = CountedFigures(code, catalogued(modality), **body.model_dump(exclude={"subsidy"}))
    async with app.db.transaction() as tx:
        await queries.set_figures(tx, counted, body.subsidy)
        await audit.record(tx, actor, "facility.figures", f"{code}/{modality}")


async def tell_ways(app: App, actor: Actor, code: str, body: WaysIn) -> None:
    """Keep all measured ways that begin at a facility, in place of those before. Raises NotFound, Unprocessable."""
    actor.must(Permission.ADMINISTER)
    await _must_exist(app, code)
    if any(way.to == code for way in body.ways):
        sentence = "leads to where it begins"
        raise Unprocessable(f"A way {sentence}.", fields=[FieldProblem("ways", sentence)])
    async with app.db.transaction() as tx:
        await queries.forget_ways(tx, code)
        for way in body.ways:
            await queries.set_way(tx, code, way.to, Way(way.minutes, way.km, way.cost))
        await audit.record(tx, actor, "facility.ways", code)


async def _must_exist(app: App, code: str) -> None:
    if (await networks.network(app)).facility(code) is None:
        raise NotFound("There is no such facility.")


def _procedure(known: Catalogue, body: NeedIn) -> Procedure:
    if body.procedure is not None:
        found, name = known.by_key(body.procedure), "procedure"
    else:
        code = body.code
        found, name = code and known.find([Coding(code.system, code.code, code.display)]), "code"
    if found is None:
        sentence = "is none that the catalogue knows; look it up at /api/radiology/procedures"
        raise Unprocessable(f"{name} {sentence}.", fields=[FieldProblem(name, sentence)])
    return found


async def _place(app: App, origin: FromIn) -> Place:
    code = origin.facility_code or ""
    if origin.latitude is not None or not origin.place:
        return Place(code, origin.latitude, origin.longitude)
    async with app.db.reading() as tx:
        return await _of_geocode(tx, code, origin.place)


async def _of_geocode(tx: Transaction, facility_code: str, geocode: str) -> Place:
    found = await queries.coordinates(tx, geocode)
    if found is None:
        sentence = "is not in the list of geocodes, or has no coordinates there"
        raise Unprocessable(f"from.place {sentence}.", fields=[FieldProblem("from.place", sentence)])
    return Place(facility_code, found.latitude, found.longitude)
