"""Patients by message: registered, updated, merged; visits opened and ended."""

from typing import Any

import pytest

import hl7_peer as peers

pytestmark = pytest.mark.anyio


def _adt(event: str, *lines: str) -> bytes:
    return peers.message(peers.header(f"ADT^{event}"), *lines)


@pytest.mark.parametrize("event", ["A01", "A04", "A05", "A28"])
async def test_a_patient_is_registered(send: Any, value: Any, event: str):
    assert (
        await send(_adt(event, peers.pid() + "|||||01711000000", "PV1|1|I|WARD3^2^7" + "|" * 16 + "V77"))
    ).code == "AA"
    patient = await value("SELECT to_json(p) FROM patients AS p")
    assert (patient["patient_id"], patient["issuer_of_patient_id"]) == ("1001", "DMCH")
    assert (patient["patient_name"], patient["birth_date"], patient["sex"]) == (
        "Karim^Abdul=করিম^আব্দুল",
        "19800115",
        "M",
    )
    visit = await value("SELECT to_json(v) FROM encounters AS v")
    assert (visit["number"], visit["class"], visit["ward"], visit["bed"]) == ("V77", "IMP", "WARD3 2", "7")


@pytest.mark.parametrize("event", ["A08", "A31"])
async def test_an_update_is_what_holds(send: Any, value: Any, event: str):
    await send(_adt("A04", peers.pid()))
    assert (await send(_adt(event, peers.pid(name="Rahman^Abdur", birth_date="19810203")))).code == "AA"
    assert await value("SELECT count(*) FROM patients") == 1
    assert await value("SELECT split_part(patient_name, '=', 1) FROM patients") == "Rahman^Abdur"
    assert await value("SELECT birth_date FROM patients") == "19810203"


async def test_an_update_of_nobody_registers(send: Any, value: Any):
    assert (await send(_adt("A08", peers.pid()))).code == "AA"
    assert await value("SELECT patient_id FROM patients") == "1001"


async def test_what_an_update_does_not_say_stays(send: Any, value: Any):
    await send(_adt("A04", peers.pid()))
    assert (await send(_adt("A08", peers.pid(birth_date='""', sex="")))).code == "AA"
    assert await value("SELECT birth_date || sex FROM patients") == "19800115M"
    remarks = await value("SELECT effects->'remarks' FROM hl7_messages ORDER BY received_at DESC, id DESC LIMIT 1")
    assert remarks == ['PID-7: a "" deletes nothing here; what is known stays.']


async def test_somebody_else_under_the_same_number_is_somebody_else(send: Any, value: Any):
    await send(_adt("A04", peers.pid()))
    assert (await send(_adt("A04", peers.pid(name="Begum^Salma", birth_date="19550607", sex="F")))).code == "AA"
    assert await value("SELECT count(*) FROM patients") == 2
    said = await send(_adt("A08", peers.pid(name="Begum^Salma")))
    assert (said.code, said.place) == ("AE", "PID^1^3")
    assert "a person has to decide who is meant" in said.sentence


async def test_a_merge_brings_the_orders(send: Any, value: Any):
    await send(peers.order("P1", patient=peers.pid("1001")))
    await send(_adt("A04", peers.pid("2002")))
    assert (await send(_adt("A40", peers.pid("2002"), "MRG|1001^^^DMCH^MR"))).code == "AA"
    assert await value(
        "SELECT p.patient_id FROM orders AS o JOIN patients AS p ON p.id = o.patient_id"
    ) == "2002"  # fmt: skip
    assert await value("SELECT patient_id FROM scheduled_procedure_steps") == "2002"
    assert await value("SELECT count(*) FROM patients WHERE merged_into IS NOT NULL") == 1
    assert (await send(peers.order("P2", patient=peers.pid("1001")))).code == "AA"
    assert await value("SELECT count(DISTINCT patient_id) FROM orders") == 1


async def test_several_merges_in_one_message(send: Any, value: Any):
    for number in ("1", "2", "3", "4"):
        await send(_adt("A04", peers.pid(number, name=f"Test^{number}", birth_date=f"198{number}0101")))
    said = await send(
        _adt("A40", peers.pid("1", name="Test^1"), "MRG|2^^^DMCH^MR", peers.pid("3", name="Test^3"), "MRG|4^^^DMCH^MR")
    )
    assert said.code == "AA", said.sentence
    assert await value("SELECT count(*) FROM patients WHERE merged_into IS NOT NULL") == 2


async def test_a_merge_of_an_unknown_number_leads_to_the_survivor(send: Any, value: Any):
    await send(_adt("A04", peers.pid("2002")))
    assert (await send(_adt("A40", peers.pid("2002"), "MRG|1001^^^DMCH^MR"))).code == "AA"
    await send(peers.order("P1", patient="PID|1||1001^^^DMCH^MR||Karim^Abdul"))
    assert await value("SELECT count(*) FROM patients") == 1


async def test_a_merge_without_mrg_is_refused(send: Any):
    said = await send(_adt("A40", peers.pid()))
    assert (said.code, said.place) == ("AE", "MRG^1")


async def test_a_visit_ends(send: Any, value: Any):
    visit = "PV1|1|I|WARD3" + "|" * 16 + "V77"
    await send(_adt("A01", peers.pid(), visit))
    assert (await send(_adt("A03", peers.pid(), visit))).code == "AA"
    assert await value("SELECT status FROM encounters") == "finished"
    assert (await send(_adt("A13", peers.pid(), visit))).code == "AA"
    assert await value("SELECT status FROM encounters") == "in-progress"
    assert (await send(_adt("A11", peers.pid(), visit))).code == "AA"
    assert await value("SELECT status FROM encounters") == "cancelled"
    assert (await send(_adt("A03", peers.pid(), visit))).code == "AA"


async def test_national_numbers_are_checked(send: Any, value: Any):
    raw = _adt("A04", "PID|1||1001^^^DMCH^MR~1990123456789^^^NID^NI~77^^^NID^NI||Karim^Abdul")
    assert (await send(raw)).code == "AA"
    assert await value("SELECT array_agg(value) FROM patient_identifiers WHERE kind = 'NID'") == ["1990123456789"]
    (remark,) = await value("SELECT effects->'remarks' FROM hl7_messages")
    assert remark.startswith("PID-3: a number of NID is left out.")
