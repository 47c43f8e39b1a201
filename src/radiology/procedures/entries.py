"""Entries of the catalogue as the shipped file, the database and bodies have them. Pure but for reading the file."""

import hashlib
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from radiology.procedures.model import Coding, Procedure

#: Since when what is shipped holds: before anything that an archive has.
SINCE_EVER: Final = date(1900, 1, 1)
_BANDS: Final = ("public_price", "private_price")


@cache
def shipped() -> Mapping[str, Mapping[str, Any]]:
    """The entries that come with the service, by key."""
    return tomllib.loads(_text())["procedures"]


@cache
def shipped_preparations() -> Mapping[str, Mapping[str, Any]]:
    """The preparations that come with the service, by code."""
    return tomllib.loads(_text())["preparations"]


@cache
def shipped_sha256() -> str:
    """Tells whether the file is another one than before."""
    return hashlib.sha256(_text().encode()).hexdigest()


def procedure_of(
    key: str, body: Mapping[str, Any], *, version: int = 0, effective_from: date = SINCE_EVER
) -> Procedure:
    """The procedure that an entry describes."""
    told = dict(body)
    told["common"] = told.pop("common_in_bd", False)
    for name in ("preparations", "indications", "names"):
        told[name] = tuple(told.get(name, ()))
    told["codings"] = tuple(Coding(**coding) for coding in told.get("codings", ()))
    told["flags"] = frozenset(told.get("flags", ()))
    told["cost"] = Decimal(told["cost"]) if told.get("cost") is not None else None
    for name in _BANDS:
        told[name] = tuple(told[name]) if told.get(name) else None
    return Procedure(key, version=version, effective_from=effective_from, **told)


def body_of(procedure: Procedure) -> dict[str, Any]:
    """An entry that describes a procedure. Numbers of money are strings, in BDT."""
    return {
        "display": procedure.display,
        "display_bangla": procedure.display_bangla,
        "names": list(procedure.names),
        "modality": procedure.modality,
        "procedure_code": procedure.procedure_code,
        "codings": [{"system": each.system, "code": each.code, "display": each.display} for each in procedure.codings],
        "body_site": procedure.body_site,
        "needs_laterality": procedure.needs_laterality,
        "contrast": procedure.contrast,
        "effective_dose_msv": procedure.effective_dose_msv,
        "radiation_dose": procedure.radiation_dose,
        "reference_levels": dict(procedure.reference_levels),
        "preparations": list(procedure.preparations),
        "preparation": procedure.preparation,
        "preparation_bangla": procedure.preparation_bangla,
        "cost": None if procedure.cost is None else str(procedure.cost),
        "public_price": procedure.public_price and list(procedure.public_price),
        "private_price": procedure.private_price and list(procedure.private_price),
        "turnaround_hours": procedure.turnaround_hours,
        "priority": procedure.priority,
        "common_in_bd": procedure.common,
        "indications": list(procedure.indications),
        "flags": sorted(procedure.flags),
        "minutes": procedure.minutes,
        "rvu": procedure.rvu,
        "subspecialty": procedure.subspecialty,
        "active": procedure.active,
    }


def _text() -> str:
    return files("radiology.procedures").joinpath("catalogue.toml").read_text(encoding="utf-8")
