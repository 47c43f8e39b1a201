"""What claims of an identity provider mean here, and settings that cannot be right."""

import json
from typing import Any

import pytest

from radiology.access.provider_claims import mapping_of, name_of, practitioner_of, scopes_of
from radiology.settings import SettingsError, load_settings

MAPPED = mapping_of(
    json.dumps(
        {
            "roles": {
                "realm_access.roles": {"heads": "consultant", "doctors": "radiologist"},
                "azp": {"lab": "service"},
            },
            "facilities": {"site": {"dhaka": "DMCH", "sylhet": "SOMCH", "all": "*"}},
        }
    )
)


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"realm_access": {"roles": ["doctors", "heads"]}}, "consultant"),
        ({"realm_access.roles": "doctors"}, "radiologist"),
        ({"realm_access": {"roles": ["doctors"]}, "azp": "lab"}, "radiologist"),
        ({"azp": "lab"}, "service"),
        ({"realm_access": ["doctors"]}, None),
        ({"realm_access": {"roles": [1, None, {"doctors": 1}]}}, None),
        ({"roles": ["consultant"]}, None),
        ({}, None),
    ],
)
def test_the_role_that_stands_first_counts(claims: dict[str, Any], role: str | None) -> None:
    assert MAPPED.role_of(claims) == role


def test_facilities_are_those_that_are_mapped() -> None:
    assert MAPPED.facilities_of({"site": ["dhaka", "sylhet", "elsewhere"]}) == {"DMCH", "SOMCH"}
    assert MAPPED.facilities_of({"site": "elsewhere"}) == frozenset()
    assert MAPPED.facilities_of({"site": ["dhaka", "all"]}) is None
    assert mapping_of("").facilities_of({}) is None
    assert mapping_of("").role_of({"groups": ["administrator"]}) is None


@pytest.mark.parametrize(
    "text", ["[", "[]", '{"role": {}}', '{"roles": []}', '{"roles": {"g": "x"}}', '{"roles": {"g": {"a": "emperor"}}}']
)
def test_a_mapping_that_cannot_be_right_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="RADI_OIDC_MAPPING"):
        mapping_of(text)


def test_names_references_and_scopes() -> None:
    assert name_of({"preferred_username": "nasrin <b>", "sub": "u"}) == "nasrin-b"
    assert name_of({"preferred_username": "\0", "sub": "u/1"}) == "u-1"
    assert practitioner_of({"fhirUser": "https://fhir.example.org/Practitioner/17"}) == "Practitioner/17"
    assert practitioner_of({"fhirUser": "https://fhir.example.org/Patient/17"}) is None
    assert scopes_of({}) is None
    assert scopes_of({"scope": "a b"}) == scopes_of({"scp": ["a", "b"]}) == {"a", "b"}
    assert scopes_of({"scope": 7}) == frozenset()


@pytest.mark.parametrize(
    "wrong",
    [
        {"oidc_issuer": "http://id.example.org", "oidc_client_id": "c"},
        {"oidc_issuer": "id.example.org", "oidc_client_id": "c"},
        {"oidc_issuer": "https://id.example.org"},
        {"oidc_issuer": "https://id.example.org", "oidc_client_id": "c", "oidc_scopes": "profile"},
        {"oidc_audience": "c", "oidc_client_id": "c"},
    ],
)
def test_settings_that_would_not_be_safe_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        load_settings(**wrong)
