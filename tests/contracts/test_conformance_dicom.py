"""The DICOM conformance statement says what the code offers: every table is compared with what it is about."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from radiology.application_entities import retries
from radiology.delivery.availability import actions as availability
from radiology.delivery.commitment import actions as inquiries
from radiology.dicom_network import pdu
from radiology.dicom_network.association import (
    REJECT_APPLICATION_CONTEXT,
    REJECT_CALLED_AE_TITLE,
    REJECT_CALLING_AE_TITLE,
    REJECT_LOCAL_LIMIT,
    REJECT_NO_REASON,
    REJECT_PROTOCOL_VERSION,
    REJECT_UNAVAILABLE,
)
from radiology.dicom_network.message import Status
from radiology.doors.dimse import query, retrieve
from radiology.doors.dimse.answers import CONTROL
from radiology.doors.dimse.commitment import NO_SUCH_ACTION
from radiology.doors.dimse.identifiers import MODELS
from radiology.doors.dimse.services import INDEX_WAIT_SECONDS, OFFERS, PLAIN, STORAGE
from radiology.doors.dimse.workitems import ACTIONS
from radiology.errors import (
    CannotUnderstand,
    DataSetMismatch,
    NotFound,
    NotPermitted,
    RejectedInstance,
    Unavailable,
    Unprocessable,
)
from radiology.modality_worklist import performed
from radiology.modality_worklist.return_keys import ITEM_KEYS, STEP_KEYS
from radiology.settings import Settings
from radiology.standards.dicom import uids
from radiology.standards.dicom.checks import WARNINGS
from radiology.standards.dicom.limits import Limits
from radiology.studies import commitment
from radiology.studies.actions import commit
from radiology.studies.rejection import MEANINGS, Title
from radiology.studies.search import Level, returnable
from radiology.studies.transcoding import sendable_syntaxes
from radiology.workitems import attributes as workitems
from radiology.workitems.model import Code

STATEMENT = Path(__file__).resolve().parents[2] / "docs" / "conformance" / "dicom.md"


def section(title: str) -> str:
    """The text below a heading, up to the next heading of any level."""
    found = re.search(
        rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", STATEMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None, f"{STATEMENT.name} has no section {title!r}"
    return found[1]


def rows(title: str) -> list[list[str]]:
    """The rows of the tables of a section, without their heads."""
    lines = [line.strip("| \n") for line in section(title).splitlines() if line.startswith("|")]
    cells = [[cell.strip().strip("`") for cell in re.split(r"\s*\|\s*", line)] for line in lines]
    rules = {number for number, row in enumerate(cells) if set("".join(row)) <= set("-:")}
    return [row for number, row in enumerate(cells) if number not in rules and number + 1 not in rules]


def test_storage_sop_classes_are_those_that_are_offered() -> None:
    assert dict(rows("Storage SOP classes")) == {uid: uids.STORAGE_SOP_CLASSES[uid] for uid in OFFERS["store"]}


def test_transfer_syntaxes_are_those_that_are_accepted_in_their_order() -> None:
    told = [(uid, name) for uid, name, _ in rows("Transfer syntaxes")]
    assert told == [(uid, uids.TRANSFER_SYNTAXES[uid].name) for uid in uids.ACCEPTED_TRANSFER_SYNTAXES]
    assert {uid for uid, _ in told} == STORAGE.transfer_syntax_uids
    assert all(offer is STORAGE for offer in OFFERS["store"].values())


def test_what_kind_each_transfer_syntax_is() -> None:
    for uid, _, kind in rows("Transfer syntaxes"):
        syntax = uids.TRANSFER_SYNTAXES[uid]
        encoded = "lossy" if syntax.lossy else "encapsulated" if syntax.encapsulated else "native"
        assert kind == ("video" if syntax.video else encoded), uid


def test_objects_that_belong_to_no_study() -> None:
    assert dict(rows("Objects that belong to no study")) == uids.NON_PATIENT_SOP_CLASSES


def test_every_service_that_is_offered_has_a_part_of_the_statement() -> None:
    assert set(OFFERS) >= {"echo", "store", "mwl", "mpps", "find", "move", "get"}, (
        "a new service needs its part of the statement, and its name here"
    )
    assert OFFERS["echo"] == {uids.VERIFICATION: PLAIN}
    assert uids.VERIFICATION in section("Verification")


def test_what_can_be_found_and_at_which_levels() -> None:
    cells = [row for row in rows("Query SCP") if len(row) == 3]
    models = {row[1]: row[2] for row in cells if row[0].endswith("Root")}
    assert models == {uid: ", ".join(level for level, _ in model) for uid, model in query.MODELS.items()}
    assert set(models) == set(OFFERS["find"])
    known = set[str]().union(*(returnable(level) for level in Level)) - CONTROL
    told = {row[0]: row[2] for row in cells if row[0].startswith("(")}
    assert told == {_shown(tag): ", ".join(level for level in Level if tag in returnable(level)) for tag in known}


def test_what_is_negotiated_and_answered_by_queries() -> None:
    answers = [int(row[2]) for row in rows("Query SCP") if row[0].isdigit() and len(row) == 3]
    assert bytes(answers) == query.EXTENDED
    assert all(offer.extended == query.EXTENDED for offer in OFFERS["find"].values())
    assert f"before each {query.AT_ONCE} matches" in section("Query SCP")
    statuses = {int(row[0], 16) for row in rows("Query SCP") if len(row) == 2}
    ours = {query.CANNOT_PROCESS, query.OUT_OF_RESOURCES, DataSetMismatch.dimse_status}
    assert statuses == ours | {Status.PENDING, Status.PENDING_WITH_WARNING, Status.SUCCESS, Status.CANCEL}


def test_what_can_be_retrieved_and_at_which_levels() -> None:
    told = {(cells[column], cells[3]) for cells in rows("Retrieve SCP") if len(cells) == 4 for column in (1, 2)}
    told = {(uid, levels) for uid, levels in told if uid != "-"}
    assert told == {(uid, ", ".join(level for level, _ in model)) for uid, model in MODELS.items()}
    assert set(OFFERS["move"]) | set(OFFERS["get"]) == set(MODELS)
    assert all(offer is PLAIN for service in ("move", "get") for offer in OFFERS[service].values())


def test_statuses_of_retrieval() -> None:
    told = {int(cells[0], 16) for cells in rows("Retrieve SCP") if len(cells) == 2}
    ours = {retrieve.SOME_FAILED, retrieve.CANNOT_COUNT, retrieve.ALL_FAILED, retrieve.UNKNOWN_DESTINATION}
    of_the_layer = {Status.SUCCESS, Status.PENDING, Status.CANCEL, Status.CANNOT_UNDERSTAND}
    assert told == ours | of_the_layer | {DataSetMismatch.dimse_status, NotPermitted.dimse_status}
    assert f"every {retrieve.PENDING_EVERY} sub-operations or {retrieve.PENDING_EVERY_SECONDS:g} s" in section(
        "Retrieve SCP"
    )


def test_in_what_else_an_object_is_sent() -> None:
    told = dict(rows("Transfer syntaxes of what is sent"))
    for uid, syntax in uids.TRANSFER_SYNTAXES.items():
        kind = "video" if syntax.video else "lossy compression" if syntax.lossy else "lossless compression"
        others = [uids.TRANSFER_SYNTAXES[other].name for other in sendable_syntaxes(uid)[1:]]
        expected = told[kind if syntax.encapsulated else "native"]
        assert all(name in expected for name in others), uid
        assert bool(others) is not syntax.video


def test_worklist_keys_are_those_that_are_answered() -> None:
    told = {(row[0], row[2]) for row in rows("Modality Worklist SCP") if row[0].startswith("(")}
    keys = {(_shown(tag), key.type) for tag, key in {**ITEM_KEYS, **STEP_KEYS}.items()}
    assert told == keys
    assert uids.MODALITY_WORKLIST_FIND in section("Modality Worklist SCP")


def test_statuses_of_the_worklist() -> None:
    told = {row[0] for row in rows("Modality Worklist SCP") if re.fullmatch("[0-9A-F]{4}", row[0])}
    assert told == {"FF00", "FF01", "0000", "FE00", "A700", "A900", "C000"}


def test_performed_procedure_steps() -> None:
    told = section("Modality Performed Procedure Step SCP")
    assert {uid for uid in OFFERS["mpps"] if uid in told} == set(OFFERS["mpps"])
    required = {row[0] for row in rows("Modality Performed Procedure Step SCP") if row[0].startswith("(")}
    assert required == {_shown(tag) for tag in performed.REQUIRED}
    codes = {row[0] for row in rows("Modality Performed Procedure Step SCP") if row[0].isdigit() and len(row[0]) == 6}
    assert codes == set(performed.DISCONTINUATION_REASONS)
    statuses = {row[0] for row in rows("Modality Performed Procedure Step SCP") if re.fullmatch("0[0-9]{3}", row[0])}
    assert statuses == {"0000", "0106", "0110", "0111", "0112", "0117", "0120", "0121"}
    assert f"{performed.MAY_NO_LONGER_BE_UPDATED:04X}" in told


def test_storage_commitment() -> None:
    told = section("Storage Commitment SCP")
    reasons = {int(row[0], 16): row[1] for row in _table("Storage Commitment SCP", "Failure Reason (0008,1197)")}
    assert reasons == {int(reason): meaning for reason, meaning in commitment.MEANINGS.items()}
    statuses = {int(row[0], 16) for row in _table("Storage Commitment SCP", "status of N-ACTION")}
    assert statuses == {
        Status.SUCCESS,
        Status.PROCESSING_FAILURE,
        NotFound.dimse_status,
        commitment.INVALID_ARGUMENT_VALUE,
        NO_SUCH_ACTION,
        Unavailable.dimse_status,
    }
    assert uids.STORAGE_COMMITMENT_PUSH in told
    assert uids.STORAGE_COMMITMENT_PUSH_INSTANCE in told
    assert f"within {commit.SAME_ASSOCIATION_SECONDS:.0f} s" in told
    assert OFFERS["commit"] == {uids.STORAGE_COMMITMENT_PUSH: replace(PLAIN, peer_scp=True)}


def test_retries_of_results_and_notices() -> None:
    first, second, third, hourly = (f"{seconds:,}" for seconds in retries.AFTER_SECONDS)
    sentence = f"after {first}, {second}, {third} and {hourly} s, then every hour until 24 h"
    assert hourly == "3,600"
    assert timedelta(hours=24) == retries.GIVEN_UP_AFTER
    assert sentence in section("Storage Commitment SCP")
    assert sentence in section("Instance Availability SCU")


def test_commitment_that_is_asked_of_receivers() -> None:
    told = section("Storage Commitment SCU")
    assert f"{inquiries.MOST_REFERENCES:,} instances" in told
    assert f"kept for {inquiries.SAME_ASSOCIATION_SECONDS:.0f} s" in told
    statuses = {int(row[0], 16) for row in rows("Storage Commitment SCU")}
    assert statuses == {Status.SUCCESS, commitment.INVALID_ARGUMENT_VALUE}


def test_notices_of_availability() -> None:
    assert uids.INSTANCE_AVAILABILITY_NOTIFICATION in section("Instance Availability SCU")
    assert len(rows("Instance Availability SCU")) == len(availability.CAUSES)


def _table(title: str, head: str) -> list[list[str]]:
    """The rows of that table of a section whose first column has this head."""
    found = re.search(rf"^\| {re.escape(head)} \|.*?(?=^$)", section(title), re.MULTILINE | re.DOTALL)
    assert found is not None, f"{title} has no table of {head}"
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in found[0].splitlines()[2:]]


def test_unified_procedure_steps() -> None:
    told = rows("Unified Procedure Step SCP")
    classes = [row for row in told if row[0].startswith("1.2.")]
    offered = set(OFFERS["ups"]) | {uids.UNIFIED_PROCEDURE_STEP_EVENT}
    assert {row[0] for row in classes} == offered
    actions = {row[0]: tuple(int(digit) for digit in re.findall(r"\b[1-5]\b", row[2])) for row in classes}
    assert {uid: actions[uid] for uid in ACTIONS} == ACTIONS
    keys = {row[0].strip("`>"): row for row in told if row[0].lstrip("`>").startswith("(")}
    assert {tag for tag, row in keys.items() if row[2] == "1"} == {_shown(tag) for tag in workitems.REQUIRED}
    ends = {tag: row[3].split(",")[0] for tag, row in keys.items() if row[3:]}
    assert ends == {_shown(path[-1]): str(code) for path, code in workitems.FINAL_STATE.items()}
    statuses = {int(row[0], 16) for row in told if re.fullmatch("[0-9A-F]{4}", row[0])}
    assert set(Code) <= statuses


def _shown(tag: str) -> str:
    return f"({tag[:4]},{tag[4:]})"


def test_titles_that_reject() -> None:
    assert {row[0]: row[1] for row in rows("Rejection")} == {str(title): MEANINGS[title] for title in Title}
    refused = {row[0] for row in rows("Rejection") if f"{RejectedInstance.dimse_status:04X}" in row[2]}
    assert refused == set(Title) - {Title.RETENTION_EXPIRED}


def test_names_of_the_implementation() -> None:
    told = {row[0]: row[1] for row in rows("Association rules") if len(row) == 2}
    assert told["Application context"] == pdu.APPLICATION_CONTEXT
    assert told["Implementation class UID"] == uids.IMPLEMENTATION_CLASS_UID
    assert told["Implementation version name"] == uids.IMPLEMENTATION_VERSION_NAME


def test_rejections() -> None:
    told = set(re.findall(r"\d/\d/\d", section("Association rules")))
    rejections = (
        REJECT_NO_REASON,
        REJECT_APPLICATION_CONTEXT,
        REJECT_CALLING_AE_TITLE,
        REJECT_CALLED_AE_TITLE,
        REJECT_PROTOCOL_VERSION,
        REJECT_UNAVAILABLE,
        REJECT_LOCAL_LIMIT,
    )
    assert told == {f"{rejection.result}/{rejection.source}/{rejection.reason}" for rejection in rejections}


def test_statuses_of_c_store() -> None:
    refusals = (Unavailable, DataSetMismatch, CannotUnderstand, Unprocessable)
    ours = {Status.SUCCESS, *WARNINGS.values(), Status.SOP_CLASS_NOT_SUPPORTED, Status.UNRECOGNIZED_OPERATION}
    assert {int(row[0], 16) for row in rows("Storage SCP")} == ours | {refusal.dimse_status for refusal in refusals}


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ("artim_seconds", "{} s"),
        ("dimse_timeout_seconds", "{} s"),
        ("idle_timeout_seconds", "{} s"),
        ("max_associations", "{}"),
        ("max_associations_per_ae", "{}"),
    ],
)
def test_limits_that_are_settings(setting: str, shown: str) -> None:
    row = next(
        row for row in rows("Limits and timers") if f"RADI_{setting.upper()}" in row[2].replace("`", "").split(",")[0]
    )
    assert row[1] == shown.format(Settings.model_fields[setting].default)


def test_limits_of_a_header() -> None:
    told = {row[0]: row[1] for row in rows("Limits and timers")}
    limits, mebibyte = Limits(), 1024**2
    assert told["nesting of sequences in a header"] == str(limits.depth)
    assert told["elements of a header"] == f"{limits.elements:,}"
    assert told["bytes of a header kept in memory"] == f"{limits.header_bytes // mebibyte} MiB"
    assert told["a deflated data set, inflated as far as it is read"] == f"{limits.max_inflated_bytes // mebibyte} MiB"
    assert told["release waits for the index"] == f"{INDEX_WAIT_SECONDS:.0f} s, then abort"
    assert f"{Settings.model_fields['max_pdu_bytes'].default:,} bytes" in section("Association rules")
