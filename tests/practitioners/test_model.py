"""Who may: the permission and the registry, each with what speaks against it."""

from dataclasses import replace
from datetime import date

import pytest

from radiology.access.model import ROLES, Actor, Role
from radiology.external.practitioners.model import Practitioner, Privilege, registration_number
from radiology.practitioners.model import (
    Refusal,
    Standing,
    Subject,
    is_radiology_personnel,
    why_not_approve,
    why_not_interpret,
)

TODAY = date(2026, 1, 21)
KNOWN = Practitioner(
    "Practitioner/222", "Dr. Ayesha Rahman", registration="A-12345", registered_until=TODAY,
    specialties=frozenset({"radiology"}), privileges=(Privilege("LOCAL", frozenset({"CT"}), TODAY, TODAY),),
)  # fmt: skip
CT = Subject("LOCAL", ["CT", "SR"], TODAY)
US = Subject("LOCAL", ["US"], TODAY)


def standing(practitioner: Practitioner | None = KNOWN, role: Role = Role.RADIOLOGIST, **changes: bool) -> Standing:
    actor = Actor("account:a", "A", ROLES[role], role=role, practitioner_reference="Practitioner/222")
    return Standing(actor, practitioner, **{"demanded": True, **changes})


@pytest.mark.parametrize(
    ("given", "subject", "refusal"),
    [
        (standing(), CT, None),
        (standing(None), CT, Refusal.UNKNOWN),
        (standing(None, demanded=False), CT, None),
        (standing(None, reached=False), CT, Refusal.UNREACHABLE),
        (standing(replace(KNOWN, active=False)), CT, Refusal.INACTIVE),
        (standing(replace(KNOWN, registration=None)), CT, Refusal.NOT_REGISTERED),
        (standing(replace(KNOWN, registered_until=date(2026, 1, 20))), CT, Refusal.NOT_REGISTERED),
        (standing(replace(KNOWN, registered_from=date(2026, 1, 22))), CT, Refusal.NOT_REGISTERED),
        (standing(replace(KNOWN, specialties=frozenset({"cardiology"}))), CT, Refusal.NO_SPECIALTY),
        (standing(replace(KNOWN, specialties=frozenset({"sonology"}))), CT, Refusal.NO_SPECIALTY),
        (standing(), US, Refusal.NO_PRIVILEGE),
        (standing(), replace(CT, facility_code="OTHER"), Refusal.NO_PRIVILEGE),
        (standing(), replace(CT, on=date(2026, 1, 20)), Refusal.NO_PRIVILEGE),
        (standing(replace(KNOWN, privileges=(Privilege("LOCAL", frozenset({"*"})),))), US, None),
        (standing(role=Role.REFERRER), CT, Refusal.NO_PERMISSION),
    ],
)
def test_interpreting_and_approving(given: Standing, subject: Subject, refusal: Refusal | None) -> None:
    assert why_not_interpret(given, subject) == refusal
    assert why_not_approve(given, subject) == refusal


def test_sonology_is_enough_for_ultrasound_alone() -> None:
    sonologist = replace(KNOWN, specialties=frozenset({"sonology"}), privileges=(Privilege("LOCAL", frozenset({"*"})),))
    assert why_not_approve(standing(sonologist), US) is None
    assert why_not_approve(standing(sonologist), Subject("LOCAL", ["US", "CT"], TODAY)) == Refusal.NO_SPECIALTY


def test_a_resident_interprets_with_a_registration_and_never_approves() -> None:
    trainee = replace(KNOWN, specialties=frozenset(), privileges=())
    assert why_not_interpret(standing(trainee, Role.RESIDENT), CT) is None
    assert why_not_approve(standing(KNOWN, Role.RESIDENT), CT, delegated=True) == Refusal.RESIDENT


def test_a_delegation_stands_in_for_the_privilege_alone() -> None:
    assert why_not_approve(standing(), US, delegated=True) is None
    lapsed = replace(KNOWN, registration=None)
    assert why_not_approve(standing(lapsed), US, delegated=True) == Refusal.NOT_REGISTERED


def test_radiology_personnel_is_so_by_role_or_by_specialty() -> None:
    assert is_radiology_personnel(standing(None, Role.RADIOGRAPHER))
    assert is_radiology_personnel(standing(KNOWN, Role.REFERRER))
    assert not is_radiology_personnel(standing(None, Role.REFERRER))
    assert not is_radiology_personnel(standing(None, Role.RECORDS))
    assert not is_radiology_personnel(standing(replace(KNOWN, active=False), Role.REFERRER))


@pytest.mark.parametrize(
    ("text", "number"),
    [("12345", "A-12345"), ("A12345", "A-12345"), ("a-12345", "A-12345"), ("D-77", "D-77"), (" ১২৩ ", "A-123"),
     ("B-1", None), ("A-1234567", None), ("", None)],
)  # fmt: skip
def test_registration_numbers(text: str, number: str | None) -> None:
    assert registration_number(text) == number
