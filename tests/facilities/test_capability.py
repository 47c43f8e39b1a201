"""What is offered where: by devices, licences and operators; the tier never matters."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facilities.country import DEVICES, FACILITIES, OPERATORS, a_device, a_facility, an_operator
from radiology.facilities.capability import SENTENCES, Filter, why_not_offered, why_not_on, why_unfit
from radiology.facilities.model import Device, DeviceState, Operator
from radiology.facilities.patterns import PATTERNS
from radiology.procedures.model import IONISING, Procedure

TODAY = date(2026, 1, 21)
CT = Procedure("CT_BRAIN", "CT brain", "সিটি ব্রেইন", "CT", effective_dose_msv=2.0)
US = Procedure("US_ABDOMEN", "Ultrasound", "আল্ট্রাসাউন্ড", "US")
SCANNER = Device(1, "LOCAL", "CT 1", "CT", licence_until=TODAY)
OPERATOR = Operator("LOCAL", "Rokeya Sultana", frozenset({"CT", "US", "DX"}), licence_until=TODAY)

days = st.none() | st.dates(TODAY - timedelta(days=3), TODAY + timedelta(days=3))
modalities = st.sampled_from(["CT", "US", "DX", "CR", "MR"])
procedures = st.builds(
    Procedure, st.sampled_from(["A", "B", "C"]), st.just(""), st.just(""), modalities,
    effective_dose_msv=st.sampled_from([0.0, 2.0]),
)  # fmt: skip
devices = st.builds(
    Device, st.integers(1, 99), st.just("LOCAL"), st.just("device"), modalities, st.sampled_from(DeviceState),
    procedures=st.none() | st.frozensets(st.sampled_from(["A", "B", "C"])), licence_until=days,
    blocked=st.none() | st.just("tests failed"), back_on=days, override_until=days,
)  # fmt: skip
operators = st.builds(
    Operator, st.just("LOCAL"), st.just("somebody"), st.frozensets(modalities), licence_until=days
)  # fmt: skip


@pytest.mark.parametrize(
    ("device", "why"),
    [
        (SCANNER, None),
        (replace(SCANNER, modality="MR"), Filter.NO_DEVICE),
        (replace(SCANNER, procedures=frozenset({"CT_CHEST"})), Filter.NO_DEVICE),
        (replace(SCANNER, procedures=frozenset({"CT_BRAIN"})), None),
        (replace(SCANNER, state=DeviceState.DOWN), Filter.DEVICE_DOWN),
        (replace(SCANNER, state=DeviceState.DOWN, back_on=TODAY), None),
        (replace(SCANNER, state=DeviceState.DOWN, back_on=TODAY + timedelta(days=1)), Filter.DEVICE_DOWN),
        (replace(SCANNER, state=DeviceState.RETIRED, back_on=TODAY), Filter.DEVICE_DOWN),
        (replace(SCANNER, state=DeviceState.DOWN, override_until=TODAY), Filter.DEVICE_DOWN),
        (replace(SCANNER, blocked="tests failed"), Filter.DEVICE_BLOCKED),
        (replace(SCANNER, blocked="tests failed", override_until=TODAY), None),
        (replace(SCANNER, blocked="tests failed", override_until=TODAY - timedelta(days=1)), Filter.DEVICE_BLOCKED),
        (replace(SCANNER, licence_until=None), Filter.NO_LICENCE),
        (replace(SCANNER, licence_until=TODAY - timedelta(days=1)), Filter.NO_LICENCE),
        (replace(SCANNER, licence_until=TODAY - timedelta(days=1), override_until=TODAY), None),
    ],
)
def test_a_device_does_what_its_state_licence_and_blocks_allow(device: Device, why: Filter | None) -> None:
    assert why_not_on(device, CT, TODAY) == why


def test_a_licence_is_for_ionising_radiation() -> None:
    assert why_not_on(replace(SCANNER, modality="US", licence_until=None), US, TODAY) is None


def test_a_licence_that_nobody_told_stops_no_bookings_and_one_that_expired_does() -> None:
    assert why_unfit(replace(SCANNER, licence_until=None), TODAY) is None
    assert why_unfit(replace(SCANNER, licence_until=TODAY), TODAY + timedelta(days=1)) == Filter.NO_LICENCE


def test_computed_and_direct_radiography_are_one() -> None:
    chest = Procedure("CHEST_XRAY", "Chest", "বুক", "DX", effective_dose_msv=0.02)
    assert why_not_on(Device(1, "LOCAL", "CR", "CR", licence_until=TODAY), chest, TODAY) is None


@pytest.mark.parametrize(
    ("operator", "why"),
    [
        (OPERATOR, None),
        (replace(OPERATOR, licence_until=TODAY - timedelta(days=1)), Filter.NO_OPERATOR),
        (replace(OPERATOR, modalities=frozenset({"US"})), Filter.NO_OPERATOR),
    ],
)
def test_somebody_with_a_licence_works_the_device(operator: Operator, why: Filter | None) -> None:
    assert why_not_offered(CT, [SCANNER], [operator], TODAY) == why


@given(procedures, st.lists(devices, max_size=4), st.lists(operators, max_size=3))
def test_what_is_offered_has_a_device_that_works_a_licence_and_an_operator(
    procedure: Procedure, those: list[Device], people: list[Operator]
) -> None:
    why = why_not_offered(procedure, those, people, TODAY)
    if why is not None:
        assert why in SENTENCES
        return
    able = [device for device in those if why_not_on(device, procedure, TODAY) is None]
    assert able
    for device in able:
        overridden = device.override_until is not None and device.override_until >= TODAY
        assert device.state == DeviceState.UP or (device.back_on is not None and device.back_on <= TODAY)
        assert device.state != DeviceState.RETIRED
        assert device.blocked is None or overridden
        licensed = device.licence_until is not None and device.licence_until >= TODAY
        assert licensed or overridden or not (procedure.is_ionising and procedure.modality in IONISING)
    assert any(each.licence_until is None or each.licence_until >= TODAY for each in people)


@given(procedures, st.lists(devices, max_size=4), st.lists(operators, max_size=3), devices, operators)
def test_one_device_or_operator_more_never_takes_anything_away(
    procedure: Procedure, those: list[Device], people: list[Operator], device: Device, person: Operator
) -> None:
    if why_not_offered(procedure, those, people, TODAY) is None:
        assert why_not_offered(procedure, [*those, device], [*people, person], TODAY) is None


@given(procedures, st.permutations([SCANNER, replace(SCANNER, state=DeviceState.DOWN), replace(SCANNER, blocked="x")]))
def test_the_order_of_devices_says_nothing(procedure: Procedure, those: list[Device]) -> None:
    assert why_not_offered(procedure, those, [OPERATOR], TODAY) == why_not_offered(
        procedure, sorted(those, key=str), [OPERATOR], TODAY
    )


@pytest.mark.anyio
async def test_an_upazila_without_a_working_x_ray_offers_none_whatever_its_tier_says(client_as) -> None:
    administrator = await client_as("administrator")
    await a_facility(administrator, tier="Upazila_Health_Complexes")
    await an_operator(administrator, modalities=["DX", "US"])
    device = await a_device(administrator, "X-ray", modality="DX")
    referrer = await client_as("referrer")

    async def chest() -> dict:
        found = (await referrer.get(f"{FACILITIES}/LOCAL/procedures")).json()["results"]
        return next(each for each in found if each["key"] == "XR_CHEST_PA")

    assert (await chest())["offered"] is True
    assert [each["name"] for each in (await chest())["devices"]] == ["X-ray"]
    down = {"state": "down", "reason": "Tube failed"}
    assert (await administrator.post(f"{DEVICES}/{device['number']}/state", json=down)).status_code == 200
    told = await chest()
    assert (told["offered"], told["devices"], told["why"]["code"]) == (False, [], "device-down")
    assert (told["why"]["en"], told["why"]["bn"]) == ("The device is out of order.", "যন্ত্রটি বিকল।")
    answer = await referrer.get(f"{FACILITIES}/LOCAL/procedures", params={"offered": "true"})
    assert answer.json()["results"] == []
    assert (await referrer.get(f"{FACILITIES}/NOWHERE/procedures")).status_code == 404


@pytest.mark.anyio
async def test_every_tier_offers_the_same_with_the_same_devices(client_as) -> None:
    administrator = await client_as("administrator")
    answers = set()
    for number, tier in enumerate(["", *PATTERNS]):
        code = f"F{number}"
        await a_facility(administrator, code, tier=tier)
        await a_device(administrator, facilityCode=code)
        await an_operator(administrator, facilityCode=code)
        found = (await administrator.get(f"{FACILITIES}/{code}/procedures")).json()["results"]
        answers.add(tuple((each["key"], each["offered"]) for each in found))
    assert len(answers) == 1


@pytest.mark.anyio
async def test_an_operator_whose_licence_ends_takes_the_procedure_along(client_as) -> None:
    administrator = await client_as("administrator")
    await a_facility(administrator)
    await a_device(administrator)
    made = await an_operator(administrator, licenceUntil="2026-01-25")

    async def why(on: str) -> str | None:
        found = (await administrator.get(f"{FACILITIES}/LOCAL/procedures", params={"on": on})).json()["results"]
        told = next(each for each in found if each["key"] == "CT_BRAIN")["why"]
        return told and told["code"]

    assert [await why("2026-01-25"), await why("2026-01-26")] == [None, "no-operator"]
    body = {key: value for key, value in made.items() if key not in ("id", "version", "licenceUntil")}
    await administrator.put(f"{OPERATORS}/{made['id']}", json=body)
    assert [await why("2026-12-31"), await why("2027-01-01")] == [None, "no-licence"]
