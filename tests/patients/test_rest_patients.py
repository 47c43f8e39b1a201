"""Patients over REST: registered, found, read."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

import make
from leaks.conftest import belongs
from radiology.app import App

pytestmark = pytest.mark.anyio

PATH = "/api/radiology/patients"
ClientAs = Callable[..., Awaitable[httpx2.AsyncClient]]
KARIM: dict[str, Any] = {
    "identifiers": [{"type": "MR", "value": "DMC-1001"}, {"type": "NID", "value": "১২৩৪৫ ৬৭৮৯০"}],
    "name": "Karim^Abdul",
    "nameBangla": "করিম^আব্দুল",
    "birthDate": "1980-01-15",
    "sex": "M",
    "phone": "01712-345678",
    "address": {"text": "Dhanmondi", "division": "30", "district": "3026"},
    "guardians": [{"name": "Rahima Begum", "relationship": "mother"}],
    "allergies": [{"text": "Iodine contrast", "criticality": "high"}],
    "flags": [{"category": "infection", "text": "MRSA"}],
}


async def register(client: httpx2.AsyncClient, status: int = 201, **fields: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=fields)
    assert answer.status_code == status, answer.text
    return answer.json()


async def names_found(client: httpx2.AsyncClient, query: str, **more: str) -> list[str]:
    answer = await client.get(PATH, params={"query": query, **more})
    assert answer.status_code == 200, answer.text
    return [each["patient"]["name"] for each in answer.json()["results"]]


async def test_a_patient_is_registered_with_everything_that_is_known(client_as: ClientAs, app: App) -> None:
    client = await client_as("radiographer")
    made = await client.post(PATH, json=KARIM)
    assert made.status_code == 201, made.text
    body = made.json()
    assert body["identifiers"] == [
        {"type": "MR", "value": "DMC-1001", "issuer": "LOCAL", "system": "urn:radiology:facility:LOCAL",
         "use": "official"},
        {"type": "NID", "value": "1234567890", "system": "http://dghs.gov.bd/identifier/nid", "use": "official"},
    ]  # fmt: skip
    assert {name: body[name] for name in KARIM if name != "identifiers"} == {
        **{name: value for name, value in KARIM.items() if name != "identifiers"}, "phone": "+8801712345678"
    }  # fmt: skip
    read = await client.get(made.headers["location"])
    assert (read.json(), read.headers["etag"]) == (body, made.headers["etag"])
    for name in ("DMC-1001", f"Patient/{body['id']}"):
        assert (await client.get(f"{PATH}/{name}")).json()["id"] == body["id"]
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM audit_arrivals WHERE action = 'patient.register'") == 1


async def test_who_is_known_is_found_and_keeps_what_is_known(client_as: ClientAs) -> None:
    client = await client_as("radiographer")
    made = await register(client, **KARIM)
    again = await register(client, 200, **KARIM | {"allergies": [], "phone": "01811111111"})
    assert again["id"] == made["id"]
    assert again["phone"] == "+8801712345678"
    other = KARIM | {"name": "Khatun^Rahela", "nameBangla": None, "sex": "F", "birthDate": "1999-02-03"}
    refused = await client.post(PATH, json=other)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:radiology:problem:conflict")
    assert len(await names_found(client, "DMC-1001")) == 1


async def test_a_number_is_given_where_there_is_none_and_an_age_is_enough(client_as: ClientAs) -> None:
    client = await client_as("radiographer")
    made = await register(client, name="মোঃ রহমান", ageYears=40)
    assert made["name"] == "Moh Rahman" or made["nameBangla"] == "মোঃ রহমান"
    assert (made["birthDate"], made["birthDateEstimated"]) == ("1986-01-01", True)
    assert made["identifiers"][0]["value"] == "R000000001"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"identifiers": [{"type": "NID", "value": "12345"}]}, "identifiers[0]"),
        ({"identifiers": [{"type": "NID", "value": "১২৩৪৫৬৭৮৯০১২৩৪৫৬৭"}]}, "identifiers[0]"),
        ({"identifiers": [{"type": "BRN", "value": "19810000000000001"}]}, "birthDate"),
        ({"identifiers": [{"type": "UHID", "value": "ab"}]}, "identifiers[0]"),
        ({"identifiers": [{"type": "SSN", "value": "1"}]}, "identifiers[0].type"),
        ({"phone": "01212345678x"}, "phone"),
        ({"birthDate": "2100-01-01"}, "birthDate"),
        ({"ageYears": 3}, ""),
        ({"address": {"division": "31"}}, "address.division"),
    ],
)
async def test_what_cannot_be_right_is_refused(client_as: ClientAs, wrong: dict[str, Any], field: str) -> None:
    client = await client_as("radiographer")
    refused = await client.post(PATH, json=KARIM | wrong)
    assert refused.status_code in (400, 422), refused.text
    assert field in str(refused.json().get("fields", refused.json()))


async def test_search_finds_by_any_number_phone_and_part_of_a_name(client_as: ClientAs) -> None:
    client = await client_as("radiographer")
    await register(client, **KARIM)
    await register(client, name="Karim^Abdus Salam", birthDate="1990-05-05", sex="M")
    for query in ("DMC-1001", "1234567890", "১২৩৪৫৬৭৮৯০", "12345 67890", "01712345678", "+880 1712-345678"):
        assert await names_found(client, query) == ["Karim^Abdul"], query
    assert (await names_found(client, "Abdul Karim"))[0] == "Karim^Abdul"
    assert sorted(await names_found(client, "Korim")) == ["Karim^Abdul", "Karim^Abdus Salam"]
    assert await names_found(client, "Kareem", birthDate="1990-05-05") == ["Karim^Abdus Salam"]
    assert (await names_found(client, "Abdul Karrm"))[0] == "Karim^Abdul", "a slip of the keyboard"
    assert await names_found(client, "Nobody") == []


async def test_patients_of_other_facilities_are_neither_found_nor_read(client_as: ClientAs, app: App) -> None:
    elsewhere = await client_as("radiographer", name="elsewhere")
    await belongs(app, "elsewhere", "OTHER")
    made = await register(elsewhere, **KARIM)
    here = await client_as("radiographer")
    await belongs(app, "radiographer")
    assert await names_found(here, "Karim") == await names_found(here, "1234567890") == []
    assert (await here.get(f"{PATH}/{made['id']}")).status_code == 404
    assert (await here.get(f"{PATH}/{made['id']}/duplicates")).status_code == 404
    await make.a_study(app, PatientID="DMC-1001", IssuerOfPatientID="OTHER", PatientName="Karim^Abdul",
                       PatientBirthDate="19800115")  # fmt: skip
    assert await names_found(here, "Karim") == ["Karim^Abdul"], "there is a study of hers here"
    assert (await here.get(f"{PATH}/{made['id']}")).status_code == 200


async def test_who_comes_with_a_national_number_from_elsewhere_gets_a_number_here(
    client_as: ClientAs, app: App
) -> None:
    elsewhere = await client_as("radiographer", name="elsewhere")
    await belongs(app, "elsewhere", "OTHER")
    made = await register(elsewhere, **KARIM)
    here = await client_as("radiographer")
    await belongs(app, "radiographer")
    numbers = [{"type": "MR", "value": "L-7"}, {"type": "NID", "value": "1234567890"}]
    found = await register(here, 200, **KARIM | {"identifiers": numbers})
    assert found["id"] == made["id"]
    assert await names_found(here, "L-7") == ["Karim^Abdul"]


async def test_probable_duplicates_are_listed_with_a_score_and_never_merged(client_as: ClientAs) -> None:
    client = await client_as("radiographer")
    first = await register(client, name="Rahman^Abdur", birthDate="1980-01-15", sex="M")
    second = await register(client, name="আব্দুর রহমান", birthDate="1980-01-15", sex="M")
    await register(client, name="Rahman^Abdur", birthDate="1955-07-01", sex="F")
    answer = await client.get(f"{PATH}/{first['id']}/duplicates")
    found = answer.json()["results"]
    assert [each["patient"]["id"] for each in found] == [second["id"]]
    assert found[0]["score"] >= 0.7
    assert found[0]["sharesNumber"] is False


async def test_only_who_may_write_registers(client_as: ClientAs) -> None:
    assert (await (await client_as("referrer")).post(PATH, json=KARIM)).status_code == 403
    assert (await (await client_as("patient")).get(PATH, params={"query": "Karim"})).status_code == 403
