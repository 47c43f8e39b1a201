"""`radi ae`: the registry of application entities at a terminal, through the same actions as over REST."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from pydantic import ValidationError

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.application_entities import actions, queries
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.schemas import ApplicationEntityIn, ApplicationEntityOut, shown
from radiology.errors import FieldProblem, Unprocessable
from radiology.kit.tables import table

COLUMNS: Final = ("AE TITLE", "HOST", "PORT", "CALLS FROM", "SERVICES", "DESTINATION", "TLS", "ENABLED", "DESCRIPTION")


async def listed(app: App, *, as_json: bool) -> Iterator[str]:
    """Every peer, as lines."""
    async with app.db.transaction() as tx:
        entities = await queries.all_application_entities(tx)
    if as_json:
        return iter([_json([_body(shown(entity)) for entity in entities])])
    return table(COLUMNS, [_row(entity) for entity in entities])


async def one(app: App, ae_title: str, *, as_json: bool) -> Iterator[str]:
    """One peer, as lines. Raises NotFound."""
    async with app.db.transaction() as tx:
        body = _body(shown(await queries.one_application_entity(tx, ae_title)))
    if as_json:
        return iter([_json(body)])
    return table(("FIELD", "VALUE"), [(name, _text(value)) for name, value in body.items()])


async def set_fields(app: App, ae_title: str, given: Mapping[str, Any]) -> None:
    """Add a peer, or change these fields of it and keep the others. Raises Unprocessable, which names the fields."""
    async with app.db.transaction() as tx:
        before = await queries.find_application_entity(tx, ae_title)
    kept = shown(before).model_dump(exclude={"ae_title"}) if before else {}
    try:
        body = ApplicationEntityIn.model_validate(kept | dict(given))
    except ValidationError as error:
        raise _refused(ae_title, error) from error
    await actions.register(app, SYSTEM, body.entity(ae_title), keeps_secret=body.dicomweb_secret is None)


def _refused(ae_title: str, error: ValidationError) -> Unprocessable:
    fields = [FieldProblem(".".join(str(part) for part in each["loc"]), each["msg"]) for each in error.errors()]
    sentence = "; ".join(f"{problem.field}: {problem.message}" for problem in fields)
    return Unprocessable(f"The record of {ae_title!r} cannot be kept. {sentence}.", fields=fields)


def _row(entity: ApplicationEntity) -> tuple[str, ...]:
    return (
        entity.ae_title,
        entity.dicomweb_url or entity.host,
        str(entity.port or ""),
        ",".join(entity.calling_hosts) or "anywhere",
        ",".join(entity.services),
        _text(entity.move_destination),
        entity.tls,
        _text(entity.enabled),
        entity.description,
    )


def _body(entity: ApplicationEntityOut) -> dict[str, Any]:
    """The record by the names of REST, the AE title first; the secret is never shown."""
    fields = entity.model_dump(by_alias=True, exclude={"dicomweb_secret", "ae_title"})
    return {"aeTitle": entity.ae_title, **fields}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(str(each) for each in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return "" if value is None else str(value)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
