"""Scopes of SMART App Launch, version 1 and 2, and our own: what they let somebody of a role use, and where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.access.model import ROLES, Actor, Permission, Role
from radiology.access.scopes import Scope, granted, is_for_programs, narrowed, parse, resource_of

READ, WRITE, INTERPRET, APPROVE = Permission.READ, Permission.WRITE, Permission.INTERPRET, Permission.APPROVE


@pytest.mark.parametrize(
    ("scope", "level", "resource", "verbs"),
    [
        ("system/ImagingStudy.rs", "system", "ImagingStudy", "rs"),
        ("user/DiagnosticReport.cruds", "user", "DiagnosticReport", "cruds"),
        ("patient/*.read", "patient", "*", "rs"),
        ("user/*.write", "user", "*", "cud"),
        ("user/*.*", "user", "*", "cruds"),
        ("user/ImagingStudy.r", "user", "ImagingStudy", "r"),
    ],
)
def test_both_versions_are_understood(scope: str, level: str, resource: str, verbs: str) -> None:
    assert parse(scope) == Scope(level, resource, frozenset(verbs))


@pytest.mark.parametrize(
    "scope",
    [
        "openid", "launch/patient", "offline_access", "fhirUser", "", "user/", "user/*", "user/*.", "user/*.sr",
        "user/*.rr", "user/*.READ", "USER/*.read", "user/imagingstudy.rs", "system/ImagingStudy.rs?modality=CT",
        "user/ImagingStudy.rs ", "user/ImagingStudy.rs\n", "all/*.read",
    ],
)  # fmt: skip
def test_what_is_not_understood_or_cannot_be_held_to_grants_nothing(scope: str) -> None:
    assert parse(scope) is None
    assert granted(frozenset({scope}), "ImagingStudy", Role.RADIOLOGIST) == frozenset()


def of(scope: str, resource: str | None, role: Role) -> frozenset[Permission]:
    return granted(frozenset(scope.split()), resource, role)


def test_a_scope_reaches_its_own_type_of_resource_alone() -> None:
    assert of("system/ImagingStudy.rs", "ImagingStudy", Role.SERVICE) == {READ}
    assert of("system/ImagingStudy.rs", "DiagnosticReport", Role.SERVICE) == frozenset()
    assert of("system/ImagingStudy.rs", None, Role.SERVICE) == frozenset()
    assert of("user/*.rs", None, Role.RADIOLOGIST) == {READ}
    assert of("user/DiagnosticReport.cruds", "DiagnosticReport", Role.RADIOLOGIST) == {READ, WRITE, INTERPRET, APPROVE}
    assert of("user/ImagingStudy.rs user/DiagnosticReport.cruds", "ImagingStudy", Role.RADIOLOGIST) == {READ}
    assert of("user/AuditEvent.rs", "AuditEvent", Role.PRIVACY_OFFICER) == {Permission.AUDIT}


def test_half_of_what_a_permission_covers_gives_nothing_of_it() -> None:
    for verbs in ("r", "s", "c", "cu", "cr"):
        assert of(f"user/ImagingStudy.{verbs}", "ImagingStudy", Role.RADIOLOGIST) == frozenset()


def test_each_level_counts_for_those_it_is_meant_for() -> None:
    assert of("patient/*.read", "ImagingStudy", Role.PATIENT) == {READ}
    assert of("patient/*.read", "ImagingStudy", Role.RADIOLOGIST) == frozenset()
    assert of("user/*.read", "ImagingStudy", Role.SERVICE) == frozenset()
    assert of("system/*.read", "ImagingStudy", Role.RADIOLOGIST) == frozenset()
    assert is_for_programs(["openid", "system/ImagingStudy.rs"])
    assert not is_for_programs(["openid", "user/ImagingStudy.rs"])


def test_administering_and_sensitive_studies_need_scopes_of_our_own() -> None:
    assert not of("user/*.cruds", "ImagingStudy", Role.ADMINISTRATOR) & {Permission.ADMINISTER, Permission.SENSITIVE}
    assert of("radiology.administer", None, Role.ADMINISTRATOR) == {Permission.ADMINISTER}


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/dicomweb/studies/1.2/series", "ImagingStudy"),
        ("/api/radiology/studies", "ImagingStudy"),
        ("/api/radiology/studies/1.2/reports", "DiagnosticReport"),
        ("/api/radiology/reports/1/approve", "DiagnosticReport"),
        ("/api/radiology/patients/P1/accesses", "AuditEvent"),
        ("/dicomweb/workitems", "Task"),
        ("/fhir/ImagingStudy/1", "ImagingStudy"),
        ("/fhir", None),
        ("/api/radiology/application-entities", None),
        ("/", None),
    ],
)
def test_a_path_is_about_a_type_of_resource(path: str, resource: str | None) -> None:
    assert resource_of(path) == resource


@given(st.sampled_from(list(Role)), st.sets(st.sampled_from(["user/*.cruds", "system/*.cruds", "patient/*.read"])))
def test_scopes_only_reduce(role: Role, scopes: set[str]) -> None:
    actor = Actor("account:a", "A", ROLES[role], role=role, scopes=frozenset(scopes))
    for path in ("/dicomweb/studies", "/api/radiology/reports", "/api/radiology/changes"):
        assert narrowed(actor, path).permissions <= ROLES[role]
    assert narrowed(Actor("account:a", "A", ROLES[role], role=role), "/").permissions == ROLES[role]
