"""Claims of an identity provider -> who somebody is here: role, facilities, name. Pure; the mapping is a setting."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

import orjson

from radiology.access.model import ROLES, Role
from radiology.access.signed_tokens import time_of
from radiology.settings import SettingsError

EVERY_FACILITY: Final = "*"
_practitioner = re.compile(r"(?:.*/)?(Practitioner/[A-Za-z0-9.-]{1,64})")
_not_in_names = re.compile(r"[^\w.@+-]+")
LONGEST_NAME: Final = 64

#: The claim (dots lead inwards) -> its value -> what it means here.
Meaning = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Mapped:
    """The setting `oidc_mapping`. Earlier roles win over later ones; without facilities everybody is of all of them."""

    roles: Meaning
    facilities: Meaning

    def role_of(self, claims: Mapping[str, Any]) -> Role | None:
        """The first role in the order of the mapping whose value is among the claims; None for nobody of ours."""
        return next((Role(meant) for meant in _meant(self.roles, claims)), None)

    def facilities_of(self, claims: Mapping[str, Any]) -> frozenset[str] | None:
        """The facilities; None for all of them."""
        found = frozenset(_meant(self.facilities, claims))
        return None if not self.facilities or EVERY_FACILITY in found else found

    def is_complete_in(self, claims: Mapping[str, Any]) -> bool:
        """Whether every claim that the mapping asks for is there."""
        return all(_value(claims, name) is not None for name in (*self.roles, *self.facilities))


def mapping_of(text: str) -> Mapped:
    """The mapping that the setting holds. Raises SettingsError that says what is wrong."""
    try:
        return _mapping(orjson.loads(text or "{}"))
    except ValueError as error:
        raise SettingsError(f"RADI_OIDC_MAPPING: {error}.") from None


def _mapping(told: Any) -> Mapped:
    if not isinstance(told, dict) or not set(cast("dict[str, Any]", told)) <= {"roles", "facilities"}:
        raise ValueError('must be a JSON object of "roles" and "facilities"')
    parts = cast("dict[str, Any]", told)
    roles, facilities = _meaning(parts.get("roles", {})), _meaning(parts.get("facilities", {}))
    for role in (role for values in roles.values() for role in values.values()):
        if role not in ROLES:
            raise ValueError(f"there is no role {role!r}; roles are: {', '.join(ROLES)}")
    return Mapped(roles, facilities)


def _meaning(given: Any) -> Meaning:
    for values in cast("dict[str, Any]", given).values() if isinstance(given, dict) else (None,):
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in cast("dict[str, Any]", values).values()):
            raise ValueError('must map claims to objects, as {"groups": {"radiologists": "radiologist"}}')
    return cast("Meaning", given)


def _meant(meaning: Meaning, claims: Mapping[str, Any]) -> Iterator[str]:
    for name, values in meaning.items():
        held = _values(claims, name)
        yield from (meant for value, meant in values.items() if value in held)


def _values(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    value = _value(claims, name)
    several = cast("list[Any]", value) if isinstance(value, list) else [value]
    return frozenset(each for each in several if isinstance(each, str))


def _value(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of that name; where there is none, what the dots in it lead to, as in `realm_access.roles`."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = cast("dict[str, Any]", value).get(part) if isinstance(value, Mapping) else None
    return value


def name_of(claims: Mapping[str, Any]) -> str:
    """A name for an account: how the provider calls somebody, as far as a name here can be that."""
    for claim in ("preferred_username", "sub"):
        given = claims.get(claim)
        name = _not_in_names.sub("-", given).strip("-")[:LONGEST_NAME] if isinstance(given, str) else ""
        if name:
            return name
    return "somebody"


def display_of(claims: Mapping[str, Any]) -> str:
    """How somebody is shown."""
    given = claims.get("name")
    shown = " ".join(given.replace("\0", " ").split())[:128] if isinstance(given, str) else ""
    return shown or name_of(claims)


def authenticated_at(claims: Mapping[str, Any]) -> datetime:
    """When somebody proved to the provider who it is; the beginning of time where it does not say."""
    return datetime.fromtimestamp(time_of(claims, "auth_time") or 0.0, UTC)


def practitioner_of(claims: Mapping[str, Any]) -> str | None:
    """The reference of the practitioner that somebody is (`fhirUser`, SMART App Launch 2.2)."""
    given = claims.get("fhirUser")
    match = _practitioner.fullmatch(given) if isinstance(given, str) else None
    return match[1] if match else None


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str] | None:
    """The scopes of an access token (`scope` of RFC 9068, or `scp`); None where it says nothing of scopes."""
    given = claims.get("scope", claims.get("scp"))
    if given is None:
        return None
    parts = given.split() if isinstance(given, str) else cast("list[Any]", given) if isinstance(given, list) else []
    return frozenset(part for part in parts if isinstance(part, str))
