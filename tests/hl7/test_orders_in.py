"""Orders by message: placed once, changed, held, cancelled, and refused with the place of what is wrong."""

from typing import Any

import pytest

import hl7_peer as peers
from radiology.app import App
from radiology.hl7.mappings import Mappings
from radiology.hl7.model import Sender

pytestmark = pytest.mark.anyio


async def test_an_order_is_placed(send: Any, value: Any):
    said = await send(peers.order("P1", priority="S"))
    assert said.code == "AA", said.sentence
    order = await value("SELECT to_json(o) FROM orders AS o")
    assert (order["placer"], order["placer_number"], order["facility_code"]) == ("HIS", "P1", "DMCH")
    assert (order["status"], order["priority"]) == ("active", "stat")
    assert order["content"]["reason"] == "Headache for two weeks"
    assert order["content"]["requester"]["display"] == "Dr Kamal Hossain"
    assert order["content"]["admissionId"] == "V1"
    item = await value("SELECT to_json(w) FROM scheduled_procedure_steps AS w")
    assert (item["modality"], item["patient_id"], item["accession_number"]) == ("CT", "1001", order["accession_number"])
    assert item["scheduled_start"] == "2026-01-21T08:30:00+00:00"
    assert await value("SELECT patient_name FROM patients") == "Karim^Abdul=করিম^আব্দুল"
    assert await value("SELECT status FROM imaging_studies") == "registered"
    effects = await value("SELECT effects FROM hl7_messages")
    assert effects["references"] == [f"ServiceRequest/{order['id']}"]
    assert effects["remarks"] == ["OBR-4: the modality is taken from the name of the procedure, CT."]


async def test_the_same_order_in_another_message_is_placed_once(send: Any, value: Any):
    assert (await send(peers.order("P1"))).code == "AA"
    assert (await send(peers.order("P1"))).code == "AA"
    assert await value("SELECT count(*) FROM orders") == 1
    assert await value("SELECT count(*) FROM scheduled_procedure_steps") == 1


async def test_another_order_under_the_same_number_is_refused(send: Any, value: Any):
    await send(peers.order("P1"))
    said = await send(peers.order("P1", code="MRHEAD^MR Head^LOCAL"))
    assert (said.code, said.lines["ERR"][3]) == ("AE", "205^Duplicate key identifier^HL70357")
    assert await value("SELECT modality FROM scheduled_procedure_steps") == "CT"


async def test_an_order_is_changed(send: Any, value: Any):
    await send(peers.order("P1"))
    assert (await send(peers.order("P1", control="XO", start="202601221500", priority="A"))).code == "AA"
    assert await value("SELECT priority FROM orders") == "asap"
    assert await value("SELECT scheduled_start::text FROM scheduled_procedure_steps") == "2026-01-22 09:00:00+00"


async def test_an_order_is_held_released_and_cancelled(send: Any, value: Any):
    await send(peers.order("P1"))
    for control, status, step in (
        ("HD", "on-hold", "CANCELED"),
        ("HD", "on-hold", "CANCELED"),
        ("RL", "active", "SCHEDULED"),
        ("CA", "revoked", "CANCELED"),
        ("CA", "revoked", "CANCELED"),
        ("RL", "active", "SCHEDULED"),
    ):
        assert (await send(peers.order("P1", control=control))).code == "AA", control
        assert await value("SELECT status FROM orders") == status
        assert await value("SELECT status FROM scheduled_procedure_steps ORDER BY id DESC LIMIT 1") == step


async def test_a_status_of_the_placer_that_cancels(send: Any, value: Any):
    await send(peers.order("P1"))
    assert (await send(peers.order("P1", control="SC", more="CA"))).code == "AA"
    assert await value("SELECT status FROM orders") == "revoked"


@pytest.mark.parametrize("control", ["XO", "CA", "HD", "RL", "SC"])
async def test_an_order_that_was_never_placed(send: Any, control: str):
    said = await send(peers.order("P404", control=control))
    assert (said.code, said.place, said.lines["ERR"][3]) == ("AE", "ORC^1^2", "204^Unknown key identifier^HL70357")
    assert said.sentence == "ORC-2: HIS has placed no order P404 at DMCH."


async def test_all_orders_of_a_message_or_none(send: Any, value: Any):
    two = peers.order("P1") + b"ORC|NW|P2^HIS\rOBR|1|P2^HIS||X^Something else^LOCAL\r"
    said = await send(two)
    assert (said.code, said.place) == ("AE", "OBR^1^4")
    assert "of 'X' the modality is not known. Map it in procedures of HIS" in said.sentence
    assert await value("SELECT count(*) FROM orders") == 0
    assert (await send(peers.order("P1") + b"ORC|NW|P2^HIS\rOBR|1|P2^HIS||X^US Abdomen^LOCAL\r")).code == "AA"
    assert await value("SELECT array_agg(placer_number ORDER BY placer_number) FROM orders") == ["P1", "P2"]


@pytest.mark.parametrize(
    ("changes", "place", "sentence"),
    [
        ({"placer": ""}, "ORC^1^2", "ORC-2 is empty"),
        ({"priority": "SOON"}, "OBR^1^27^1^6", "the priority 'SOON' is not known. Map it in priorities of HIS."),
        ({"code": ""}, "OBR^1^4", "OBR-4 is empty"),
        ({"start": "soon"}, "ORC^1^7^1^4", "ORC-7-4 is no date and time"),
        ({"control": "ZZ"}, "ORC^1^1", "ORC-1 is 'ZZ'"),
        ({"patient": "PID|1||||A"}, "PID^1^3", "PID-3 is empty"),
    ],
)
async def test_what_is_wrong_is_named(send: Any, value: Any, changes: dict[str, str], place: str, sentence: str):
    said = await send(peers.order(**changes))
    assert (said.code, said.place) == ("AE", place)
    assert sentence in said.sentence
    assert await value("SELECT count(*) FROM orders") == 0
    assert await value("SELECT count(*) FROM patients") == 0
    assert await value("SELECT state FROM hl7_messages") == "failed"


async def test_an_imaging_order_brings_its_own_numbers(send: Any, value: Any):
    raw = peers.message(
        peers.header("OMI^O23^OMI_O23"),
        peers.pid(),
        "ORC|NW|P1^HIS",
        "TQ1|1||||||202601211430+0600||S",
        "OBR|1|P1^HIS||CTHEAD^CT head^LOCAL",
        "OBX|1|NM|29463-7^Body weight^LN||62|kg",
        "IPC|ACC9|RP9|1.2.3.9|SPS9|CT|PROT^Head^L||R1|CT1~CT2",
    )
    assert (await send(raw)).code == "AA"
    item = await value("SELECT to_json(w) FROM scheduled_procedure_steps AS w")
    assert (item["accession_number"], item["requested_procedure_id"]) == ("ACC9", "RP9")
    assert (item["study_instance_uid"], item["station_ae_titles"]) == ("1.2.3.9", ["CT1", "CT2"])
    assert item["details"]["patient"]["weightKg"] == 62


async def test_a_study_instance_uid_of_zds(send: Any, value: Any):
    assert (await send(peers.order() + b"ZDS|1.2.3.4^RIS^Application^DICOM\r")).code == "AA"
    assert await value("SELECT study_instance_uid FROM imaging_studies") == "1.2.3.4"
    said = await send(peers.order("P2") + b"ZDS|none^RIS^Application^DICOM\r")
    assert (said.code, said.place) == ("AE", "ZDS^1^1")


async def test_what_matters_for_safety_is_told_to_the_modality(send: Any, value: Any):
    raw = peers.order() + (
        b"AL1|1|DA|I^Iohexol^LOCAL|SV\rOBX|1|NM|8302-2^Body height^LN||165|cm\r"
        b"OBX|2|NM|2160-0^Creatinine^LN||1.1|mg/dL|||||F|||20260120\r"
    )
    assert (await send(raw)).code == "AA"
    details = await value("SELECT details FROM scheduled_procedure_steps")
    assert details["patient"]["sizeM"] == 1.65
    assert "Iohexol" in details["patient"]["allergies"]
    assert "creatinine 1.1 mg/dL" in str(details)


async def test_codes_of_a_sender_are_mapped(app: App, send: Any, value: Any):
    mapped = Mappings.model_validate(
        {
            "facilities": {"WARD9": "BSMMU"},
            "procedures": {
                "77": {"modality": "DX", "code": "30745-4", "system": "http://loinc.org", "display": "Chest"}
            },
            "priorities": {"1": "stat"},
            "issuers": {"": {"type": "MR", "issuer": "OLDHIS"}},
            "accessionNumber": "OBR-18",
        }
    )
    await peers.register(app, Sender("HIS", "HIS", "DMCH", mappings=mapped))
    raw = peers.message(
        peers.header("ORM^O01"), "PID|1||1001||Karim^Abdul", "ORC|NW|P1" + "|" * 15 + "WARD9",
        "OBR|1|P1||77^CXR^L||||||||||||||ACC7|||||||||1^^^^^1",
    )  # fmt: skip
    said = await send(raw)
    assert said.code == "AA", said.sentence
    order = await value("SELECT to_json(o) FROM orders AS o")
    assert (order["facility_code"], order["priority"], order["accession_number"]) == ("BSMMU", "stat", "ACC7")
    assert await value("SELECT issuer_of_patient_id FROM patients") == "OLDHIS"
    assert await value("SELECT modality FROM scheduled_procedure_steps") == "DX"


async def test_samples_of_other_products(app: App, shared_data: Any, value: Any):
    """Messages as they are made elsewhere give orders, or say what is missing."""
    from radiology.hl7.model import Peer
    from radiology.hl7.receiving import receive

    for application in ("ORDApp", "MESA_OF"):
        await peers.register(app, Sender(application, application))
    said: dict[str, str] = {}
    for name in ("fhir-converter/ORM-O01-01", "fhir-converter/ORM-O01-03", "dcm4che/OMI-O23-ImagingOrder"):
        raw = (shared_data / "hl7v2" / f"{name}.hl7").read_bytes()
        said[name] = peers.Said((await receive(app, raw, Peer("127.0.0.1"))).acknowledgement).code
    assert said == {
        "fhir-converter/ORM-O01-01": "AA",
        "fhir-converter/ORM-O01-03": "AE",
        "dcm4che/OMI-O23-ImagingOrder": "AE",
    }
    sentences = await value("SELECT string_agg(sentence, ' ' ORDER BY received_at) FROM hl7_messages")
    assert "control id MSG00018 was taken before" in sentences
    assert "the priority 'RequestedProcedurePriority' is not known" in sentences
