"""What a repair is. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson


class Kind(StrEnum):
    """What was done."""

    CONFIRM = "confirm"
    ATTACH = "attach"
    DETACH = "detach"
    CORRECT = "correct"
    MOVE = "move"
    SPLIT = "split"
    MERGE = "merge"
    GROUP = "group"
    UNGROUP = "ungroup"
    DECIDE = "decide"


@dataclass(frozen=True, slots=True)
class Asked:
    """A repair as somebody asks for it.

    key: the same request with the same key is done once. digest: of the request, so that another one is told apart.
    version: of the study, as it was read before it was decided.
    """

    reason: str
    key: str | None = None
    digest: bytes = b""
    version: int | None = None

    @classmethod
    def of(cls, path: str, body: Mapping[str, Any], *, key: str | None, version: int | None) -> "Asked":
        """Of a request to REST."""
        digest = hashlib.sha256(path.encode() + b"\0" + orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()
        return cls(body["reason"], key or None, digest, version)


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair that is being made, or was made. `is_undone`: it stands no more."""

    id: UUID
    kind: str
    facility_code: str
    study_instance_uids: list[str]
    is_undone: bool = False


@dataclass(frozen=True, slots=True)
class Blocking:
    """A later repair of the same rows that stands."""

    id: UUID
    kind: str
    made_at: str
    actor: str

    @property
    def sentence(self) -> str:
        """Why the earlier one cannot be undone."""
        return (
            f"A later repair changed the same: {self.kind} of {self.made_at} by {self.actor} ({self.id}). "
            "Undo that one first."
        )
