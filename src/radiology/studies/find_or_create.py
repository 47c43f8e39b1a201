"""Find the study of an object, or make it: by its UID, else for the order that it belongs to, else without an order.

In the transaction of a batch, whose advisory locks keep others away from the same study and the same patient. UIDs in
files are never changed: where images come under another UID than their order planned, its study takes theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any
from uuid import UUID

from radiology import events
from radiology.kit.ids import uuid7
from radiology.patients.actions.register import find_or_register_in_batch
from radiology.patients.model import Demographics
from radiology.patients.queries import registry
from radiology.standards.dicom.identity import MATCH, REVIEW, PatientIdentity, identity_score
from radiology.studies.batch import Batch, lock_key, study_event
from radiology.studies.corrections import (
    ACCESSION_NUMBER,
    BIRTH_DATE,
    PATIENT_ID,
    PATIENT_NAME,
    SEX,
    STUDY_DESCRIPTION,
    Correction,
    coercions,
    replaced_by,
    said_before,
)
from radiology.studies.facts import StudyFacts
from radiology.studies.matching import Kind, Match, Wanted, decide
from radiology.studies.model import Flag
from radiology.studies.queries import index as queries
from radiology.studies.queries import matching
from radiology.studies.queries.index import KnownStudy
from radiology.studies.receive import Arrival


def look_for_orders(batch: Batch, arrivals: Sequence[Arrival], zone: tzinfo) -> None:
    """Ask once for all studies of a batch that are new. Nothing is asked where all are known."""
    firsts = {arrival.study_instance_uid: arrival for arrival in reversed(arrivals)}
    new = [arrival for uid, arrival in firsts.items() if _is_new(batch, batch.studies.get(uid))]
    wanted = list(dict.fromkeys(_wanted(arrival, _facts(arrival, zone)) for arrival in new))
    if wanted:
        batch.candidates = matching.candidates(batch.tx, wanted)


def study_of(batch: Batch, arrival: Arrival, zone: tzinfo) -> KnownStudy | None:
    """The study of an object; None where the order that it names is another patient's."""
    uid = arrival.study_instance_uid
    study = batch.studies.get(uid)
    if study is not None and not _is_new(batch, study):
        return study
    known = _facts(arrival, zone)
    match = _match_of(batch, arrival, known, is_known=study is not None)
    if study is None and match is not None:
        if match.kind == Kind.EXACT and _score(match.identity, arrival, known) < REVIEW:
            if not arrival.source.is_reconciled:
                return None
            match = None
        else:
            study = _adopted(batch, uid, match)
    study = _add(batch, known, arrival, match) if study is None else _fill(batch, study, known, arrival, match)
    batch.studies[uid] = study
    return study


def is_patient_of(batch: Batch, study: KnownStudy, arrival: Arrival, zone: tzinfo) -> bool:
    """Whether an object is of the patient of its study; where that is not quite sure, a person is asked."""
    facts = _facts(arrival, zone)
    reference, incoming = study.identity, facts.identity
    if incoming == reference:
        return True
    incoming = _without_guessed_issuer(incoming, arrival)
    key = (study.id, incoming)
    if key not in batch.identities:
        score = _score_by_any_number(batch, study, facts, incoming)
        if score < MATCH and study.corrections:
            score = max(score, identity_score(_as_it_came(study), incoming))
        batch.identities[key] = score
    score = batch.identities[key]
    if REVIEW <= score < MATCH:
        batch.flags[study.id].add(Flag.IDENTITY_REVIEW)
    return score >= REVIEW


def _score_by_any_number(batch: Batch, study: KnownStudy, known: StudyFacts, incoming: PatientIdentity) -> float:
    """How likely an object is of the patient of a study, who may have another number, as from before a merge."""
    score = identity_score(study.identity, incoming)
    if score < REVIEW and _is_known_as(batch, study, known.demographics):
        aliases = frozenset([(incoming.patient_id, incoming.issuer)])
        return identity_score(replace(study.identity, aliases=aliases), incoming)
    return score


def _as_it_came(study: KnownStudy) -> PatientIdentity:
    """Whose study it was by what its objects say, before that was put right."""
    said = said_before(study.corrections or {})
    identity = study.identity
    return replace(
        identity,
        patient_id=said.get(PATIENT_ID, identity.patient_id),
        name=said.get(PATIENT_NAME, identity.name),
        birth_date=said.get(BIRTH_DATE, identity.birth_date),
        sex=said.get(SEX, identity.sex),
    )


def _is_known_as(batch: Batch, study: KnownStudy, said: Demographics) -> bool:
    """Whether the registry knows the patient of a study by this number, too."""
    if not said.patient_id:
        return False
    return any(found.id == study.patient_id for found in registry.candidates_in_batch(batch.tx, said))


def _is_new(batch: Batch, study: KnownStudy | None) -> bool:
    return study is None or not (study.number_of_instances or study.id in batch.filled)


def _facts(arrival: Arrival, zone: tzinfo) -> StudyFacts:
    return StudyFacts(arrival.header, arrival.source.facility_code, zone)


def _wanted(arrival: Arrival, known: StudyFacts) -> Wanted:
    return Wanted.of(arrival.header, known.facility_code, known.started or arrival.received_at)


def _match_of(batch: Batch, arrival: Arrival, known: StudyFacts, *, is_known: bool) -> Match | None:
    """The order of a study; of one that is known already, what was scheduled under its UID."""
    wanted = _wanted(arrival, known)
    if wanted not in batch.candidates:
        # Its study was known when the batch began, and has taken another UID since.
        batch.candidates |= matching.candidates(batch.tx, [wanted])
    filled = [study for study in batch.studies.values() if study.id in batch.filled]
    taken = {uid for study in filled for uid in (study.study_instance_uid, study.planned_study_instance_uid)}
    candidates = [
        replace(each, has_images=True) if each.study_instance_uid in taken else each
        for each in batch.candidates[wanted]
        if each.found_by == "study" or not is_known
    ]
    return decide(wanted, candidates, _without_guessed_issuer(known.identity, arrival))


def _score(reference: PatientIdentity, arrival: Arrival, known: StudyFacts) -> float:
    return identity_score(reference, _without_guessed_issuer(known.identity, arrival))


def _without_guessed_issuer(incoming: PatientIdentity, arrival: Arrival) -> PatientIdentity:
    # It says by its study or order whose number it means: viewers write measurements without the issuer.
    return incoming if arrival.text("00100021") else replace(incoming, issuer="")


def _adopted(batch: Batch, uid: str, match: Match) -> KnownStudy | None:
    """The study that was registered for the order, under its images' UID; None where there is none without images."""
    item = match.item
    if item is None or item.study_id is None or item.has_images or item.study_id in batch.filled:
        return None
    planned = item.study_instance_uid
    adopted = matching.adopt_study(
        batch.tx, item.study_id, planned=planned, study_instance_uid=uid, lock=lock_key(f"study {planned}")
    )
    if not adopted:
        return None
    batch.studies.pop(planned, None)
    return queries.known_studies(batch.tx, [uid])[uid]


def _add(batch: Batch, known: StudyFacts, arrival: Arrival, match: Match | None) -> KnownStudy:
    study_id = uuid7()
    patient = find_or_register_in_batch(batch.tx, known.demographics)
    if patient.doubtful or (match is not None and _score(match.identity, arrival, known) < MATCH):
        batch.flags[study_id].add(Flag.IDENTITY_REVIEW)
    planned = _planned(known, match)
    if match is not None and (match.item is None or match.item.study_instance_uid != arrival.study_instance_uid):
        batch.flags[study_id].add(Flag.UID_MISMATCH)
    right = _of_order(match) if _is_sure(match, arrival, known) else {}
    if patient.by_merged:
        right |= _of_patient(patient.identity)
    known, corrections = _coerced(known, arrival, right)
    columns = {
        **known.columns,
        "corrections": corrections,
        "facility_code": known.facility_code,
        "match": _kind(match, arrival),
        "service_request": match.service_request if match else None,
        "planned_study_instance_uid": planned,
    }
    number = queries.insert_study(batch.tx, id=study_id, patient_id=patient.id, columns=columns)
    batch.created.add(study_id)
    study = _known(study_id, number, "in-progress", known, planned, patient.id)
    batch.told.append(events.StudyRegistered(**study_event(study)))
    for before, after in ((None, "registered"), ("registered", "in-progress")):
        queries.record_transition(
            batch.tx,
            study_id,
            from_status=before,
            to_status=after,
            trigger="first-instance",
            actor=arrival.source.actor,
        )
    _note_first_image(batch, study, match)
    return study


def _fill(batch: Batch, study: KnownStudy, known: StudyFacts, arrival: Arrival, match: Match | None) -> KnownStudy:
    """Let a study that was registered before its first object say what the object says, if it is of its patient."""
    score = _score_by_any_number(batch, study, known, _without_guessed_issuer(known.identity, arrival))
    if score < REVIEW:
        return study
    if score < MATCH and not study.identity.is_only_a_number:
        batch.flags[study.id].add(Flag.IDENTITY_REVIEW)
    if study.planned_study_instance_uid:
        batch.flags[study.id].add(Flag.UID_MISMATCH)
    corrections = None
    is_led_on = known.identity.patient_id != study.dicom_patient_id and _is_known_as(batch, study, known.demographics)
    if (score >= MATCH or is_led_on) and (match is None or match.kind == Kind.EXACT):
        known, corrections = _coerced(known, arrival, _of_registered(study))
    queries.fill_study(
        batch.tx,
        id=study.id,
        columns={**known.columns, "corrections": corrections},
        match=match.kind if match else Kind.EXACT,
        service_request=match.service_request if match else None,
    )
    filled = _known(study.id, study.study_id, study.status, known, study.planned_study_instance_uid, study.patient_id)
    _note_first_image(batch, filled, match)
    return filled


def _is_sure(match: Match | None, arrival: Arrival, known: StudyFacts) -> bool:
    return match is not None and match.kind == Kind.EXACT and _score(match.identity, arrival, known) >= MATCH


def _of_order(match: Match | None) -> dict[str, str]:
    """What the order of a study says of it, by the attribute that holds it."""
    if match is None:
        return {}
    return _of_patient(match.identity) | {ACCESSION_NUMBER: match.item.accession_number if match.item else ""}


def _of_registered(study: KnownStudy) -> dict[str, str]:
    """What was known of a study before its first object came, by the attribute that holds it."""
    return _of_patient(study.identity) | {
        ACCESSION_NUMBER: study.accession_number or "",
        STUDY_DESCRIPTION: study.study_description or "",
    }


def _of_patient(identity: PatientIdentity) -> dict[str, str]:
    return {
        PATIENT_NAME: identity.name,
        PATIENT_ID: identity.patient_id,
        BIRTH_DATE: identity.birth_date,
        SEX: identity.sex,
    }


def _coerced(
    known: StudyFacts, arrival: Arrival, registered: Mapping[str, str]
) -> tuple[StudyFacts, dict[str, Any] | None]:
    """What is served of a study, and the correction for it: registry and order are right where an object differs."""
    attributes = coercions(known.header, registered)
    if not attributes:
        return known, None
    source = arrival.source.ae_title or arrival.source.facility_code
    correction = Correction(attributes, "COERCE", source, arrival.received_at)
    replaced = replaced_by(correction, known.header.attributes)
    served = replace(known.header, attributes={**known.header.attributes, **attributes})
    return replace(known, header=served), replace(correction, replaced=replaced).as_json()


def _kind(match: Match | None, arrival: Arrival) -> Kind | None:
    if match is not None:
        return match.kind
    return None if arrival.source.is_reconciled else Kind.NONE


def _planned(known: StudyFacts, match: Match | None) -> str | None:
    """The UID that its item planned, where the images have another and no study had been registered under it."""
    item = match.item if match else None
    if item is None or item.has_images or item.study_instance_uid == known.header.text("0020000D"):
        return None
    return item.study_instance_uid


def _note_first_image(batch: Batch, study: KnownStudy, match: Match | None) -> None:
    batch.filled.add(study.id)
    if match is not None and match.is_urgent:
        batch.told.append(events.StudyFirstImage(**study_event(study), priority="STAT"))


def _known(
    study_id: UUID, number: str, status: str, known: StudyFacts, planned: str | None, patient_id: UUID
) -> KnownStudy:
    identity = known.identity
    return KnownStudy(
        id=study_id,
        study_instance_uid=known.header.text("0020000D"),
        status=status,
        facility_code=known.facility_code,
        number_of_instances=0,
        dicom_patient_id=identity.patient_id,
        issuer_of_patient_id=identity.issuer,
        patient_name=identity.name,
        patient_birth_date=identity.birth_date,
        patient_sex=identity.sex,
        study_id=number,
        planned_study_instance_uid=planned,
        patient_id=patient_id,
    )
