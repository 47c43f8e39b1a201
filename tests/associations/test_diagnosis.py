"""What a trace says, without a network: the findings whose cause lies below DICOM, and the sentences of all."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from radiology.application_entities.model import ApplicationEntity
from radiology.associations.diagnosis import Known, Waiting, diagnose
from radiology.associations.model import Trace, WorklistQuery, as_json, from_json, shape_of

KNOWN = Known("RADSVC", [ApplicationEntity("CT1", hosts=["10.0.0.5"])])


def trace(**changes) -> Trace:
    return Trace(UUID(int=1), datetime(2026, 1, 21, tzinfo=UTC), "ct-1", "RADSVC", "10.0.0.9", 4000, **changes)


REFUSALS = [
    "called_ae_title",
    "calling_ae_title",
    "address",
    "too_many_associations",
    "tls_on_plain_port",
    "plain_on_tls_port",
    "certificate_expired",
    "certificate_refused",
    "unavailable",
    "broken_off",
]


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("language", ["en", "bn"])
def test_a_refusal_is_named_and_said(code: str, language) -> None:
    (finding,) = diagnose(trace(refusal=code, outcome="rejected", sentence="it was cut"), KNOWN)
    assert finding.code == code
    said = finding.happened(language) + finding.modality_side(language) + finding.our_side(language)
    assert "{" not in said


def test_a_title_that_is_nearly_ours_to_know_is_suggested() -> None:
    (finding,) = diagnose(trace(refusal="calling_ae_title", outcome="rejected"), KNOWN)
    assert "CT1?" in finding.modality_side()


def test_all_keys_that_nothing_fulfils_are_named() -> None:
    query = WorklistQuery(0, "CT1", "ct", "20260122", "AA99")
    known = Known("RADSVC", (), [Waiting(["CT9"], "CT", date(2026, 1, 21), "12345")])
    found = [finding.code for finding in diagnose(trace(outcome="released", worklist_queries=[query]), known)]
    assert found == ["worklist_station", "worklist_modality", "worklist_date", "worklist_patient_id"]


def test_a_number_is_kept_as_its_shape() -> None:
    assert shape_of("DMCH-12 ক") == "AAAA-99 A"


def test_a_trace_survives_being_written() -> None:
    kept = trace(refusal="address", worklist_queries=[WorklistQuery(1)])
    kept.performed("C-ECHO", "1.2.840.10008.1.1", 0, 0.1)
    body = as_json(kept) | {"id": str(kept.id), "opened_at": kept.opened_at.isoformat()}
    assert from_json(body) == kept
