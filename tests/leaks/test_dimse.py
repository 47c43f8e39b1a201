"""Every service of the DICOM network, asked by application entities of every kind: none reads what it must not see."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)
from pynetdicom import AE, build_role, evt
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation

from commitment_peers import Results, a_request, asked
from leaks.conftest import Study, World, a_world
from node import KNOWN, Node, running_node
from procedure_steps import CONTEXTS, Client
from query import identifier
from radiology.application_entities.model import ApplicationEntity
from radiology.settings import Settings
from requestor import requestor
from storage_peers import receiver
from worklist import MWL, query

PATIENT_ROOT, STUDY_ROOT, INSTANCE_ROOT = (
    "1.2.840.10008.5.1.4.1.2.1.", "1.2.840.10008.5.1.4.1.2.2.", "1.2.840.10008.5.1.4.1.2.4.",
)  # fmt: skip
WITHOUT_BULK_DATA = "1.2.840.10008.5.1.4.1.2.5."
FIND, MOVE, GET = "1", "2", "3"
#: The levels of each information model, by the services that it has.
LEVELS = {
    PATIENT_ROOT: ("PATIENT", "STUDY", "SERIES", "IMAGE"),
    STUDY_ROOT: ("STUDY", "SERIES", "IMAGE"),
    INSTANCE_ROOT: ("IMAGE",),
    WITHOUT_BULK_DATA: ("IMAGE",),
}
RETURNED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
    "AccessionNumber", "StudyID", "StudyDescription", "ReferringPhysicianName", "ModalitiesInStudy",
    "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances", "SeriesInstanceUID", "SeriesDescription",
    "ProtocolName", "Modality", "SOPInstanceUID", "SOPClassUID",
)  # fmt: skip
NOT_AUTHORISED = 0x0124
RELATIONAL = b"\1\1\1\1\0\1\1"
WORDS = ["ORDINARY", "BREAST", "FORENSIC", "ELSEWHERE", "FAROFF", "REMOTE"]

pytestmark = pytest.mark.peer("Query/Retrieve FIND, MOVE and GET (SCP)", "pynetdicom")

#: Who asks: sensitive access, facility, the studies that are seen in full, those that are shown masked.
CALLERS: dict[str, tuple[str, str | None, list[str], list[str]]] = {
    "none": ("none", "LOCAL", ["ORDINARY"], []),
    "mask": ("mask", "LOCAL", ["ORDINARY"], ["BREAST", "FORENSIC"]),
    "full": ("full", "LOCAL", ["ORDINARY", "BREAST", "FORENSIC"], []),
    "of another facility": ("none", "OTHER", ["ELSEWHERE"], []),
    "of another facility, full": ("full", "OTHER", ["ELSEWHERE", "FAROFF"], []),
    "of a third facility": ("full", "THIRD", ["REMOTE"], []),
    "of every facility": ("none", None, ["ORDINARY", "ELSEWHERE"], []),
}


BY_FACILITY = pytest.mark.parametrize(
    "caller", ["none", "of another facility", "of a third facility", "of every facility"], indirect=True
)


class Asked:
    """A node with the world of the leak tests, and one application entity that asks."""

    def __init__(self, node: Node, world: World, name: str) -> None:
        self.node = node
        access, facility, self.full, self.masked = CALLERS[name]
        self.entity = ApplicationEntity(KNOWN, facility_code=facility, sensitive_access=access)
        node.register(self.entity)
        self.studies: dict[str, Study] = dict(zip(WORDS, world.studies, strict=True))

    @property
    def secrets(self) -> list[str]:
        """Texts of what this caller must not be told."""
        told = []
        for word, study in self.studies.items():
            if word not in self.full:
                told += study.within if word in self.masked else study.all
        return told

    def must_not_tell(self, question: Dataset, answers: list[Any]) -> None:
        asked_for = question.to_json()
        for answer in answers:
            text = answer.to_json() if isinstance(answer, Dataset) else str(answer)
            told = [secret for secret in self.secrets if secret in text and secret not in asked_for]
            assert told == [], (asked_for, text)


@pytest.fixture(params=CALLERS)
def caller(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Asked]:
    with running_node(settings) as node:
        yield Asked(node, node.wait(a_world(node.app)), request.param)


def keys_of(study: Study) -> dict[str, str]:
    image = study.stored.objects[0]
    return {
        "PATIENT": str(image.PatientID), "STUDY": study.uid, "SERIES": str(image.SeriesInstanceUID),
        "IMAGE": str(image.SOPInstanceUID),
    }  # fmt: skip


UNIQUE = {
    "PATIENT": "PatientID", "STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID",
}  # fmt: skip


def below(root: str, study: Study) -> Iterator[Dataset]:
    """A study, named at every level of a model."""
    keys, levels = keys_of(study), LEVELS[root]
    for number, level in enumerate(levels):
        yield identifier(level, **{UNIQUE[each]: keys[each] for each in levels[: number + 1]})


def test_queries_of_every_model_and_level_tell_nothing(caller: Asked) -> None:
    roots = (PATIENT_ROOT, STUDY_ROOT)
    negotiations = []
    for root in roots:
        item = SOPClassExtendedNegotiation()
        item.sop_class_uid, item.service_class_application_information = root + FIND, RELATIONAL
        negotiations.append(item)
    contexts = [(root + FIND, ExplicitVRLittleEndian) for root in roots]
    with requestor(caller.node, contexts, ext_neg=negotiations) as association:

        def found(question: Dataset, root: str) -> list[Dataset]:
            answers = list(association.send_c_find(question, root + FIND))
            caller.must_not_tell(question, [each for answer in answers for each in answer if each is not None])
            assert answers[-1][0].Status == 0x0000, f"{answers[-1][0].Status:04X}"
            return [answer for _, answer in answers[:-1] if answer is not None]

        for root in roots:
            for level in LEVELS[root]:
                everything = identifier(level, **dict.fromkeys(RETURNED, ""))
                assert len(found(everything, root)) == len(caller.full) + (
                    len(caller.masked) if level == "STUDY" else 0
                )
                for study in caller.studies.values():
                    for key, value in hidden_criteria(study).items():
                        matches = found(identifier(level, **dict.fromkeys(RETURNED, "") | {key: value}), root)
                        assert len(matches) == (study.uid in seen(caller)), (level, key, value)
            for study in caller.studies.values():
                for question in below(root, study):
                    found(question, root)


def seen(caller: Asked) -> list[str]:
    return [caller.studies[word].uid for word in caller.full]


def hidden_criteria(study: Study) -> dict[str, str]:
    """Criteria on what is masked, each of which one study fulfils."""
    word = study.within[0]
    return {"StudyDescription": f"{word}*", "SeriesDescription": f"*{word}*", "ReferringPhysicianName": f"{word}*"}


def test_nothing_is_moved_that_must_not_be_seen(caller: Asked) -> None:
    """To a destination that may have everything, and then to one that may not have what is sensitive."""
    received: list[str] = []

    def on_store(event: evt.Event) -> int:
        received.append(str(event.request.AffectedSOPInstanceUID))
        return 0x0000

    classes = [CTImageStorage, ComputedRadiographyImageStorage]
    syntaxes = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
    for access in ("full", "none"):
        with receiver(caller.node, on_store, classes=classes, syntaxes=syntaxes, sensitive_access=access):
            roots = (PATIENT_ROOT, STUDY_ROOT, INSTANCE_ROOT)
            with requestor(caller.node, [(root + MOVE, ExplicitVRLittleEndian) for root in roots]) as association:
                retrieve(
                    caller,
                    roots,
                    received,
                    lambda question, root, association=association: list(
                        association.send_c_move(question, "RECEIVER", root + MOVE)
                    ),
                    sends_sensitive=access == "full",
                )


def test_nothing_is_got_that_must_not_be_seen(caller: Asked) -> None:
    received: list[str] = []

    def on_store(event: evt.Event) -> int:
        received.append(str(event.request.AffectedSOPInstanceUID))
        return 0x0000

    roots = (PATIENT_ROOT, STUDY_ROOT, INSTANCE_ROOT, WITHOUT_BULK_DATA)
    contexts = [(root + GET, ExplicitVRLittleEndian) for root in roots] + [(CTImageStorage, ExplicitVRLittleEndian)]
    roles = [build_role(CTImageStorage, scp_role=True)]
    with requestor(caller.node, contexts, ext_neg=roles, evt_handlers=[(evt.EVT_C_STORE, on_store)]) as association:
        retrieve(caller, roots, received, lambda question, root: list(association.send_c_get(question, root + GET)))


def retrieve(
    caller: Asked,
    roots: tuple[str, ...],
    received: list[str],
    ask: Callable[[Dataset, str], list[tuple[Dataset, Dataset | None]]],
    *,
    sends_sensitive: bool = True,
) -> None:
    """Ask for every study at every level of every model: it comes, or the last status is 0124 and nothing comes."""
    for word, study in caller.studies.items():
        comes = word in caller.full and (sends_sensitive or word in ("ORDINARY", "ELSEWHERE"))
        for root in roots:
            for question in below(root, study):
                received.clear()
                *_, (status, failed) = ask(question, root)
                caller.must_not_tell(question, [status, *([failed] if failed is not None else [])])
                expected = (0x0000, [str(study.stored.sop_instance_uid)]) if comes else (NOT_AUTHORISED, [])
                assert (status.Status, received) == expected, (word, question.to_json(), f"{status.Status:04X}")


def test_of_several_studies_only_those_that_may_be_seen_come(caller: Asked) -> None:
    received: list[str] = []

    def on_store(event: evt.Event) -> int:
        received.append(str(event.request.AffectedSOPInstanceUID))
        return 0x0000

    question = identifier("STUDY")
    question.StudyInstanceUID = [study.uid for study in caller.studies.values()]
    contexts = [(STUDY_ROOT + GET, ExplicitVRLittleEndian), (CTImageStorage, ExplicitVRLittleEndian)]
    roles = [build_role(CTImageStorage, scp_role=True)]
    with requestor(caller.node, contexts, ext_neg=roles, evt_handlers=[(evt.EVT_C_STORE, on_store)]) as association:
        *_, (status, _) = association.send_c_get(question, STUDY_ROOT + GET)
    assert sorted(received) == sorted(caller.studies[word].stored.sop_instance_uid for word in caller.full)
    assert status.Status == (0x0000 if caller.full else NOT_AUTHORISED)


@BY_FACILITY
def test_worklist_and_workitems_tell_of_their_own_facility_alone(caller: Asked) -> None:
    """Also to who names a workitem of another: neither its attributes, nor by a status that there is one."""
    default = caller.node.app.settings.facility_code
    station = [study for study in caller.studies.values() if study.facility == (caller.entity.facility_code or default)]
    facility = caller.entity.facility_code
    own = [study for study in caller.studies.values() if facility in (None, study.facility)]
    secrets = [text for study in caller.studies.values() if study not in own for text in study.all]
    with requestor(caller.node, [(MWL, ExplicitVRLittleEndian), *CONTEXTS]) as association:
        scheduled = [answer for _, answer in association.send_c_find(query(), MWL) if answer is not None]
        assert {str(answer.PatientID) for answer in scheduled} == {str(study.image.PatientID) for study in station}
        client = Client(association)
        labels = client.labels()
        assert sorted(labels) == sorted(f"{study.within[0]} label" for study in own)
        assert [text for text in secrets for answer in scheduled if text in answer.to_json()] == []
        lock, nobody = generate_uid(), generate_uid()
        for study in caller.studies.values():
            uid = study.known_as["workitem"]
            status, attributes = client.get(uid)
            if study in own:
                assert (status, attributes.PatientID) == (0x0000, study.image.PatientID)
            else:
                assert (status, list(attributes or [])) == (client.get(nobody)[0], [])
                claimed = client.change_state(uid, "IN PROGRESS", lock)
                assert claimed == client.change_state(nobody, "IN PROGRESS", lock)
                assert client.cancel(uid) == client.cancel(nobody)


@BY_FACILITY
def test_a_result_of_storage_commitment_names_what_was_asked_for_and_nothing_else(caller: Asked) -> None:
    uids = [study.stored.sop_instance_uid for study in caller.studies.values()]
    results, request = Results(), a_request(*uids)
    with asked(caller.node, [request], results):
        result = results.next()
    assert result.transaction_uid == request.TransactionUID
    assert sorted([*result.committed, *result.failed]) == sorted(uids)


def test_who_is_unknown_or_has_no_service_is_not_talked_to(settings: Settings) -> None:
    contexts = [root + service for root in (PATIENT_ROOT, STUDY_ROOT) for service in (FIND, MOVE, GET)]
    contexts += [INSTANCE_ROOT + MOVE, INSTANCE_ROOT + GET, WITHOUT_BULK_DATA + GET, MWL, *(uid for uid, _ in CONTEXTS)]
    with running_node(settings) as node:
        node.wait(a_world(node.app))
        node.register(ApplicationEntity("ECHOONLY", services=["echo"], sensitive_access="full"))
        node.register(ApplicationEntity("DISABLED", enabled=False, sensitive_access="full"))
        for ae_title in ("STRANGER", "DISABLED"):
            with calling(node, ae_title, ["1.2.840.10008.1.1", *contexts]) as association:
                assert association.is_rejected, ae_title
        with calling(node, "ECHOONLY", ["1.2.840.10008.1.1", *contexts]) as association:
            assert [str(each.abstract_syntax) for each in association.accepted_contexts] == ["1.2.840.10008.1.1"]
            assert len(association.rejected_contexts) == len(contexts)


@contextmanager
def calling(node: Node, ae_title: str, contexts: list[str]) -> Iterator[Any]:
    ae = AE(ae_title=ae_title)
    for uid in contexts:
        ae.add_requested_context(uid, ExplicitVRLittleEndian)
    association = ae.associate("127.0.0.1", node.port, ae_title="RADSVC")
    try:
        yield association
    finally:
        if association.is_established:
            association.release()
