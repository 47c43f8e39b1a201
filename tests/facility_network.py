"""A network of facilities in the database, made directly."""

from typing import Any

from radiology.app import App


async def a_facility(app: App, code: str, *, name: str = "", **columns: Any) -> None:
    """A facility; columns are those of its table."""
    told = {"code": code, "name": name or f"Facility {code}", "ownership": "public", "tier": "", **columns}
    await _insert(app, "facilities", told)


async def a_device(app: App, facility: str, *, modality: str = "DX", operator: str = "F", **columns: Any) -> None:
    """A device with a valid licence, and somebody who works it."""
    told = {"facility_code": facility, "modality": modality, "licence_until": "2099-12-31", **columns}
    await _insert(app, "devices", told)
    if operator:
        told = {"facility_code": facility, "name": f"Operator {modality}", "sex": operator, "modalities": [modality]}
        await _insert(app, "operators", {**told, "licence_number": f"L-{modality}"})


async def _insert(app: App, table: str, columns: dict[str, Any]) -> None:
    names = list(columns)
    if table == "operators":
        names.append("id")
    values = ", ".join("gen_random_uuid()" if name == "id" else f"%({name})s" for name in names)
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608
    async with app.db.transaction() as tx:
        await tx.run("UPDATE network_version SET version = version + 1")
        await tx.run(statement, **columns)  # type: ignore[arg-type]
