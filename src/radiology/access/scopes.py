"""Scopes of access tokens: SMART App Launch 1.0 (`user/*.read`) and 2.2 (`system/ImagingStudy.rs`), and our own.

A scope only reduces what a role may: what is not understood grants nothing, and neither does what cannot be held to
here, such as a scope with search parameters, or half of what one of our permissions covers.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from radiology.access.model import Actor, Permission, Role

EVERY: Final = "*"
SYSTEM_LEVEL: Final = "system"
_scope = re.compile(r"(patient|user|system)/([A-Z][A-Za-z]{1,63}|\*)\.(read|write|\*|c?r?u?d?s?)")
_VERSION_1: Final = {"read": "rs", "write": "cud", "*": "cruds"}
_OURS: Final = {permission.value: permission for permission in Permission}
_READING, _WRITING = frozenset("rs"), frozenset("cud")
#: What reading and writing a resource is here; of every other resource it is `radiology.read` and `radiology.write`.
_READS: Final = {"AuditEvent": frozenset({Permission.AUDIT})}
_WRITES: Final = {
    "AuditEvent": frozenset[Permission](),
    "DiagnosticReport": frozenset({Permission.WRITE, Permission.INTERPRET, Permission.APPROVE}),
}
#: The segment of a path that says what is asked for, the most telling first.
_RESOURCES: Final = {
    "reports": "DiagnosticReport",
    "audit": "AuditEvent",
    "accesses": "AuditEvent",
    "workitems": "Task",
    "orders": "ServiceRequest",
    "worklist": "ServiceRequest",
    "modality-worklist": "ServiceRequest",
    "modality-scheduled-procedure-steps": "ServiceRequest",
    "studies": "ImagingStudy",
    "series": "ImagingStudy",
    "instances": "ImagingStudy",
    "dicom": "ImagingStudy",
    "light": "ImagingStudy",
    "viewer": "ImagingStudy",
    "patients": "Patient",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope that is understood. `resource` is a type of FHIR R4 or `*`; verbs of `cruds`."""

    level: str
    resource: str
    verbs: frozenset[str]

    @property
    def permissions(self) -> frozenset[Permission]:
        """What of ours it covers whole."""
        granted: frozenset[Permission] = frozenset()
        if self.verbs >= _READING:
            granted |= _READS.get(self.resource, frozenset({Permission.READ}))
        if self.verbs >= _WRITING:
            reports = self.resource == EVERY
            granted |= _WRITES.get("DiagnosticReport" if reports else self.resource, frozenset({Permission.WRITE}))
        return granted


def parse(scope: str) -> Scope | None:
    """A SMART scope; None for any other, for one with search parameters, and for one that grants no verb."""
    match = _scope.fullmatch(scope)
    if match is None or not match[3]:
        return None
    return Scope(match[1], match[2], frozenset(_VERSION_1.get(match[3], match[3])))


def is_for_programs(scopes: Iterable[str]) -> bool:
    """Whether they are those of a program that acts for nobody (`system/...`)."""
    return any(each.level == SYSTEM_LEVEL for each in map(parse, scopes) if each is not None)


@lru_cache(maxsize=1024)
def granted(scopes: frozenset[str], resource: str | None, role: str) -> frozenset[Permission]:
    """The permissions that the scopes let somebody of that role use for that type of resource.

    resource None: something that no type of resource stands for, which only `*` reaches. `patient/` scopes count for
    patients alone: of others nothing says here which patient is meant. `system/` scopes count for programs alone.
    """
    permissions = {_OURS[scope] for scope in scopes if scope in _OURS}
    for each in map(parse, scopes):
        if each is not None and each.resource in (EVERY, resource) and _counts(each.level, role):
            permissions |= each.permissions
    return frozenset(permissions)


def _counts(level: str, role: str) -> bool:
    if level == "patient":
        return role == Role.PATIENT
    return (level == SYSTEM_LEVEL) == (role == Role.SERVICE)


def resource_of(path: str) -> str | None:
    """The type of resource that a path of REST, DICOMweb or FHIR is about; None where there is none."""
    segments = path.strip("/").split("/")
    if segments[0] == "fhir":
        return next((segment for segment in segments[1:] if segment != "R4"), None)
    return next((resource for word, resource in _RESOURCES.items() if word in segments), None)


def narrowed(actor: Actor, path: str) -> Actor:
    """The actor as the scopes of its token let it act on this path; unchanged where it has none."""
    if actor.scopes is None:
        return actor
    return replace(actor, permissions=actor.permissions & granted(actor.scopes, resource_of(path), actor.role))
