"""SQL of facilities, of the places of the country, and of the whole network. `f` is facilities, `g` geocodes."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString

from radiology.errors import NotFound
from radiology.facilities.model import Device, DeviceState, Facility, Operator, Ownership
from radiology.kit import pages
from radiology.kit.db import Transaction, Where

BODY: LiteralString = """jsonb_strip_nulls(jsonb_build_object('code', f.code, 'version', f.version, 'name', f.name,
    'nameBangla', f.name_bangla, 'tier', f.tier, 'ownership', f.ownership, 'division', f.division,
    'district', f.district, 'upazila', f.upazila, 'latitude', f.latitude, 'longitude', f.longitude,
    'openAllHours', f.open_all_hours, 'sedation', f.sedation, 'test', f.test, 'active', f.active))"""

# --- The version of the network ---


async def begin_change(tx: Transaction) -> None:
    """Say that facilities, devices or operators change: first in a transaction, so that all do it in one order."""
    await tx.run("UPDATE network_version SET version = version + 1")


async def version(tx: Transaction) -> int:
    """The version of the network."""
    return await tx.value("SELECT version FROM network_version")


# --- The whole network ---


@dataclass(frozen=True, slots=True)
class _FacilityRow:
    code: str
    name: str
    name_bangla: str
    tier: str
    ownership: str
    division: str
    district: str
    upazila: str
    latitude: float | None
    longitude: float | None
    open_all_hours: bool
    sedation: bool
    active: bool
    test: bool


async def all_facilities(tx: Transaction) -> list[Facility]:
    """Every active facility, by code."""
    rows = await tx.all(
        _FacilityRow,
        """
        SELECT code, name, name_bangla, tier, ownership, coalesce(division, '') AS division,
            coalesce(district, '') AS district, coalesce(upazila, '') AS upazila, latitude, longitude, open_all_hours,
            sedation, active, test
        FROM facilities
        WHERE active
        ORDER BY code COLLATE "C"
        """,
    )
    return [
        Facility(
            row.code, row.name, row.name_bangla, row.tier, Ownership(row.ownership), row.division, row.district,
            row.upazila, row.latitude, row.longitude, row.open_all_hours, row.sedation, row.active, row.test,
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _DeviceRow:
    number: int
    facility_code: str
    name: str
    modality: str
    state: str
    procedures: list[str] | None
    contrast: bool
    mr_conditional: bool
    max_weight_kg: float | None
    youngest_months: int | None
    licence_number: str
    licence_until: date | None
    blocked: str | None
    back_on: date | None
    override_until: date | None
    ae_title: str


async def all_devices(tx: Transaction) -> list[Device]:
    """Every device that is not retired, by number."""
    rows = await tx.all(
        _DeviceRow,
        """
        SELECT number, facility_code, coalesce(nullif(name, ''), ae_title, '') AS name, modality, state, procedures,
            contrast, mr_conditional, max_weight_kg, youngest_months, licence_number, licence_until, blocked, back_on,
            override_until, coalesce(ae_title, '') AS ae_title
        FROM devices
        WHERE state <> 'retired'
        ORDER BY number
        """,
    )
    return [
        Device(
            row.number, row.facility_code, row.name, row.modality, DeviceState(row.state),
            None if row.procedures is None else frozenset(row.procedures), row.contrast, row.mr_conditional,
            row.max_weight_kg, row.youngest_months, row.licence_number, row.licence_until, row.blocked, row.back_on,
            row.override_until, row.ae_title,
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _OperatorRow:
    facility_code: str
    name: str
    modalities: list[str]
    sex: str
    licence_until: date | None


async def all_operators(tx: Transaction) -> list[Operator]:
    """Every active operator, by facility and licence."""
    rows = await tx.all(
        _OperatorRow,
        """
        SELECT facility_code, name, modalities, sex, licence_until
        FROM operators
        WHERE active
        ORDER BY facility_code COLLATE "C", licence_number COLLATE "C"
        """,
    )
    return [
        Operator(row.facility_code, row.name, frozenset(row.modalities), row.sex, row.licence_until) for row in rows
    ]


# --- Facilities ---


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a list of facilities is asked for; all that is given must hold. `place`: a code of any level."""

    place: str | None = None
    tier: str | None = None
    ownership: str | None = None
    active: bool | None = None
    name: str | None = None
    after: str | None = None
    limit: int = 100


async def listed(tx: Transaction, criteria: Criteria) -> tuple[bytes, str | None]:
    """One page of facilities as a JSON array, by code, and the key it ends with where there is another."""
    where = _where(criteria)
    rows = await tx.all(
        pages.Keyed,
        "SELECT " + BODY + "::text AS body, f.code AS key FROM facilities AS f WHERE " + where.condition
        + ' ORDER BY f.code COLLATE "C" LIMIT %(limit)s',
        limit=criteria.limit + 1,
        **where.parameters,
    )  # fmt: skip
    return pages.keyed(rows, limit=criteria.limit)


def _where(criteria: Criteria) -> Where:
    where = Where()
    if criteria.place is not None:
        where.add("{place} IN (f.division, f.district, f.upazila)", place=criteria.place)
    if criteria.tier is not None:
        where.add("f.tier = {tier}", tier=criteria.tier)
    if criteria.ownership is not None:
        where.add("f.ownership = {ownership}", ownership=criteria.ownership)
    if criteria.active is not None:
        where.add("f.active = {active}", active=criteria.active)
    if criteria.name is not None:
        where.add("strpos(lower(f.name || ' ' || f.name_bangla), lower({name})) > 0", name=criteria.name)
    if criteria.after is not None:
        where.add('f.code COLLATE "C" > {after}', after=criteria.after)
    return where


async def body(tx: Transaction, code: str) -> tuple[bytes, int]:
    """A facility as JSON, and its version. Raises NotFound."""
    found = await tx.maybe(
        _Shown, "SELECT " + BODY + "::text AS body, f.version FROM facilities AS f WHERE f.code = %(code)s", code=code
    )
    if found is None:
        raise NotFound("There is no such facility.")
    return found.body.encode(), found.version


@dataclass(frozen=True, slots=True)
class _Shown:
    body: str
    version: int


async def version_of(tx: Transaction, code: str) -> int | None:
    """The version of a facility, kept from all others until the transaction ends; None for one that is new."""
    return await tx.value("SELECT version FROM facilities WHERE code = %(code)s FOR NO KEY UPDATE", code=code)


_COLUMNS: LiteralString = """name, name_bangla, tier, ownership, division, district, upazila, latitude, longitude,
    open_all_hours, sedation, test, active"""
_VALUES: LiteralString = """%(name)s, %(name_bangla)s, %(tier)s, %(ownership)s, nullif(%(division)s, ''),
    nullif(%(district)s, ''), nullif(%(upazila)s, ''), %(latitude)s, %(longitude)s, %(open_all_hours)s, %(sedation)s,
    %(test)s, %(active)s"""


async def insert(tx: Transaction, code: str, columns: Mapping[str, Any]) -> None:
    """Add a facility. `columns` holds every parameter above."""
    await tx.run(
        "INSERT INTO facilities (code, " + _COLUMNS + ") VALUES (%(code)s, " + _VALUES + ")", code=code, **columns
    )


async def save(tx: Transaction, code: str, columns: Mapping[str, Any]) -> bool:
    """Change a facility that is locked; False where it says so already. `columns` holds every parameter above."""
    return bool(
        await tx.run(
            "UPDATE facilities SET (" + _COLUMNS + ", version) = (" + _VALUES + ", version + 1) "
            "WHERE code = %(code)s AND (" + _COLUMNS + ") IS DISTINCT FROM (" + _VALUES + ")",
            code=code,
            **columns,
        )
    )


async def exist(tx: Transaction, codes: Sequence[str]) -> set[str]:
    """Those of the codes that are facilities, active or not."""
    return set(await tx.values("SELECT code FROM facilities WHERE code = ANY(%(codes)s)", codes=list(codes)))


# --- Places ---


@dataclass(frozen=True, slots=True)
class Place:
    """A member of the list of geocodes."""

    code: str
    level: str
    parent: str | None


async def places(tx: Transaction, codes: Sequence[str]) -> dict[str, Place]:
    """Those of the codes that are in the list."""
    rows = await tx.all(
        Place, "SELECT code, level, parent FROM geocodes WHERE code = ANY(%(codes)s)", codes=list(codes)
    )
    return {row.code: row for row in rows}


async def places_body(tx: Transaction, *, level: str | None, parent: str | None) -> bytes:
    """The list of geocodes as a JSON array, by code."""
    where = Where()
    if level is not None:
        where.add("g.level = {level}", level=level)
    if parent is not None:
        where.add("g.parent = {parent}", parent=parent)
    return await tx.json(
        "SELECT coalesce(json_agg(json_strip_nulls(json_build_object('code', g.code, 'level', g.level, "
        "'parent', g.parent, 'name', g.name, 'nameBangla', g.name_bangla, 'latitude', g.latitude, "
        "'longitude', g.longitude)) ORDER BY g.code), '[]')::text FROM geocodes AS g WHERE " + where.condition,
        **where.parameters,
    )


async def save_place(tx: Transaction, columns: Mapping[str, Any]) -> bool:
    """Add a member of the list, or change it; False where it says so already. `columns` holds every parameter below."""
    return bool(
        await tx.run(
            """
            INSERT INTO geocodes AS g (code, level, parent, name, name_bangla, latitude, longitude)
            VALUES (%(code)s, %(level)s, nullif(%(parent)s, ''), %(name)s, %(name_bangla)s, %(latitude)s, %(longitude)s)
            ON CONFLICT (code) DO UPDATE
            SET (level, parent, name, name_bangla, latitude, longitude) = (excluded.level, excluded.parent,
                excluded.name, excluded.name_bangla, excluded.latitude, excluded.longitude)
            WHERE (g.level, g.parent, g.name, g.name_bangla, g.latitude, g.longitude) IS DISTINCT FROM (excluded.level,
                excluded.parent, excluded.name, excluded.name_bangla, excluded.latitude, excluded.longitude)
            """,
            **columns,
        )
    )
