"""Bodies of accounts and keys over REST."""
# ruff: noqa: N815 - fields are named as in JSON.

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from radiology.access.model import Permission, Role
from radiology.accounts.queries import Key, Listed

#: No colon, which ends a name in HTTP Basic, and no slash, which ends it in an address.
Name = Annotated[str, StringConstraints(pattern=r"^[\w.@-]{1,80}$")]
Text = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Reference = Annotated[str, StringConstraints(pattern=r"^Practitioner/[A-Za-z0-9.-]{1,64}$")]
Facility = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,16}$")]


class _Fields(BaseModel):
    """What an account has beside name and role. Without facilities it is of every one."""

    display: Text | None = None
    practitioner: Reference | None = None
    facilityCodes: Annotated[list[Facility], Field(max_length=100)] | None = Field(
        default=None, description="The first is where new things belong; null for every facility."
    )

    @model_validator(mode="after")
    def _nothing_is_unsaid(self) -> Self:
        if {"role", "display"} & {name for name in self.model_fields_set if getattr(self, name) is None}:
            raise ValueError("role and display cannot be null")
        return self

    def changes(self) -> dict[str, Any]:
        """What is to be changed, by column."""
        given = {name: getattr(self, name) for name in self.model_fields_set if name != "facilityCodes"}
        if "facilityCodes" in self.model_fields_set:
            home, *further = self.facilityCodes or [None]
            given |= {"facility_code": home, "facility_codes": further}
        return given


class AccountChange(_Fields):
    """What an administrator may change; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "consultant"}]})

    role: Role | None = None


class AccountIn(_Fields):
    """A new account."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "ct-room", "role": "radiographer", "display": "CT room", "facilityCodes": ["LOCAL"]}]
        },
    )

    name: Name
    role: Role

    def fields(self) -> dict[str, Any]:
        """Every column of it."""
        nothing = {"display": "", "practitioner": None, "facility_code": None, "facility_codes": list[str]()}
        given = self.changes()
        given.pop("name")
        return nothing | given


class AccountOut(BaseModel):
    """An account. `waitsUntil`: when the last of those who tried wrong passwords may try again."""

    name: str
    role: str
    display: str
    practitioner: str | None
    facilityCodes: list[str] | None
    mustChangePassword: bool
    hasPassword: bool
    hasSecondStep: bool
    disabledAt: datetime | None
    waitsUntil: datetime | None

    @classmethod
    def of(cls, account: Listed, now: datetime) -> Self:
        """The account as JSON shows it."""
        home, waits = account.facility_code, account.waits_until
        return cls(
            name=account.name,
            role=account.role,
            display=account.display,
            practitioner=account.practitioner,
            facilityCodes=None if home is None else [home, *account.facility_codes],
            mustChangePassword=account.must_change_password,
            hasPassword=account.has_password,
            hasSecondStep=account.has_totp,
            disabledAt=account.disabled_at,
            waitsUntil=waits if waits is not None and waits > now else None,
        )


class OneTimePassword(BaseModel):
    """A password for one use, shown this once; null for a service account, which has keys."""

    name: str
    oneTimePassword: str | None


class KeyIn(BaseModel):
    """A new key. `scopes`: permissions that it has at most; left out for all that its account has."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"label": "dashboard", "scopes": ["radiology.read"]}]},
    )

    label: Text = ""
    scopes: Annotated[list[Permission], Field(max_length=20)] | None = None
    expiresAt: AwareDatetime | None = None


class KeyOut(BaseModel):
    """A key without its secret. `lastUsedAt` is noted at most once a minute."""

    id: UUID
    prefix: str
    label: str
    scopes: list[str] | None
    createdAt: datetime
    expiresAt: datetime | None
    lastUsedAt: datetime | None

    @classmethod
    def of(cls, key: Key) -> Self:
        """The key as JSON shows it."""
        return cls(
            id=key.id,
            prefix=key.prefix,
            label=key.label,
            scopes=key.scopes,
            createdAt=key.created_at,
            expiresAt=key.expires_at,
            lastUsedAt=key.last_used_at,
        )


class NewKey(BaseModel):
    """A key, shown this once."""

    id: UUID
    key: str
