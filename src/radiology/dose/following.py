"""From studies that are whole to their doses: read, compare with what was read before, tell where it is another."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson

from radiology.app import App
from radiology.dose import queries, reading
from radiology.dose.effective import estimate
from radiology.dose.model import Examination, Patient, Reading, age_years, doses_of
from radiology.dose.queries import Object, Step, Subject
from radiology.dose.reading import Item, Told
from radiology.events import (
    DoseRecorded,
    InstancesRejected,
    PerformedStepEnded,
    RejectionWithdrawn,
    RepairMade,
    RepairUndone,
    StudyCorrected,
    StudyStatusChanged,
    emit,
)
from radiology.kit import outbox
from radiology.kit.db import Transaction
from radiology.kit.explaining import told as explained
from radiology.kit.outbox import Placed
from radiology.procedures.catalogue import catalogue
from radiology.procedures.lookup import Catalogue, codings_of
from radiology.procedures.model import Procedure
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.dose_report import SOP_CLASS_UIDS
from radiology.studies.model import Status
from radiology.studies.rejection import Title

READER: Final = "dose"
RADIOGRAPHY: Final = ("CR", "DX", "MG")
"""Of these modalities each image is an exposure of its own."""
_OTHERS: Final = ("CT", "RF", "XA", "PX", "IO")
IRRADIATING: Final = (*RADIOGRAPHY, *_OTHERS)
_OF_STUDIES: Final = frozenset({InstancesRejected.type, RejectionWithdrawn.type, StudyCorrected.type})
_OF_SEVERAL: Final = frozenset({RepairMade.type, RepairUndone.type, PerformedStepEnded.type})


async def follow_events(app: App) -> int:
    """Read the doses of what became whole, or changed after that; returns of how many studies they are others now.

    Mark and doses are one transaction, and reading twice comes to the same.
    """
    known = await catalogue(app)
    async with app.db.transaction() as tx:
        events = await outbox.next_for(tx, READER)
        if not events:
            return 0
        count = 0
        for subject in await queries.subjects(tx, *_named(events)):
            count += await read_study(tx, app, known, subject)
        await outbox.had(tx, READER, events[-1].position)
    return count


def _named(events: Sequence[Placed]) -> tuple[set[UUID], set[str]]:
    """The studies that events are about: by id, and by Study Instance UID."""
    ids, uids = set[UUID](), set[str]()
    for event in events:
        completed = event.type == StudyStatusChanged.type and event.body["to_status"] == Status.COMPLETED
        if completed or event.type in _OF_STUDIES:
            ids.add(UUID(event.body["study_id"]))
        elif event.type in _OF_SEVERAL:
            uids.update(event.body["study_instance_uids"])
    return ids, uids


async def read_study(tx: Transaction, app: App, known: Catalogue, subject: Subject) -> bool:
    """Read the doses of one study anew; whether they are other ones than before.

    What was read stays when the images go for their age: the patient was exposed all the same.
    """
    if not subject.number_of_instances and await queries.went_by_retention(tx, subject.id):
        return False
    zone = app.settings.zone
    reports = await queries.reports(tx, subject.id, SOP_CLASS_UIDS)
    steps = await queries.performed_steps(tx, subject)
    images = [(stored, _attributes(stored)) for stored in await queries.images(tx, subject.id, RADIOGRAPHY)]
    await _save_images(tx, app, subject, images)
    told = [Told(each.sop_instance_uid, _attributes(each)) for each in reports]
    found = reading.of_reports(told, zone) or reading.of_performed_steps([_told(step) for step in steps])
    if found is None or not images:
        limit = queries.MOST_IMAGES if found is None else 1
        others = await queries.images(tx, subject.id, _OTHERS, limit=limit)
        images += [(stored, _attributes(stored)) for stored in others]
    if found is None:
        found = reading.of_headers(_taken(images), zone)
    given: list[Item] = [*(attributes for _, attributes in images), *(each.attributes for each in told)]
    sources = Counter(each.ae_title for each in [*(stored for stored, _ in images), *reports, *steps])
    ae_title = sources.most_common(1)[0][0] if sources else ""
    return await _keep(tx, app, subject, found, _examination(known, subject, found, given, ae_title) if found else None)


async def _keep(tx: Transaction, app: App, subject: Subject, found: Reading | None, made: Examination | None) -> bool:
    before = await queries.examination(tx, subject.id)
    if before == made:
        return False
    await queries.forget(tx, subject.id)
    if found is not None and made is not None:
        await queries.save_examination(tx, subject.id, made, at=app.clock.now())
        await queries.save_events(tx, subject.id, found.events)
    recorded = DoseRecorded(
        facility_code=subject.facility_code,
        study_id=str(subject.id),
        study_instance_uid=subject.study_instance_uid,
        source=found.source if found else None,
        irradiation_events=len(found.events) if found else 0,
    )
    await emit(tx, recorded)
    return True


def _examination(
    known: Catalogue, subject: Subject, found: Reading, given: Sequence[Item], ae_title: str
) -> Examination:
    doses = doses_of(found)
    modality = next((each for each in IRRADIATING if each in subject.modalities), _modality(doses))
    procedure = _procedure(known, subject, modality)
    performed_at = min((event.started_at for event in found.events if event.started_at), default=subject.started)
    sizes = [reading.size_of(attributes) for attributes in given]
    patient = Patient(
        age_years(subject.birth_date, performed_at.date()),
        next((weight for weight, _ in sizes if weight), None),
        next((height for _, height in sizes if height), None),
    )
    protocols = [*reading.protocols_of(found)]
    words = [procedure.body_site if procedure else "", subject.description, *protocols]
    typical = procedure.effective_dose_msv if procedure else None
    estimated = estimate(found, age_years=patient.age_years, words=words, typical_msv=typical)
    return Examination(
        source=found.source,
        events=len(found.events),
        performed_at=performed_at,
        ae_title=ae_title,
        modality=modality,
        procedure_key=procedure.key if procedure else "",
        protocol=procedure.key if procedure else _plain(next(iter([*protocols, subject.description]), "")),
        patient_group=patient.group,
        standard_size=patient.is_standard,
        age_years=None if patient.age_years is None else round(patient.age_years, 2),
        weight_kg=patient.weight_kg,
        height_m=patient.height_m,
        doses=doses,
        effective_dose_msv=None if estimated.msv is None else round(estimated.msv, 4),
        effective_dose_method=estimated.method,
        explain=explained(estimated.explain),
    )


def _modality(doses: Mapping[str, float]) -> str:
    """What made exposures of which no image is here."""
    by_quantity = {"CTDIvol": "CT", "DLP": "CT", "MGD": "MG", "FLUORO": "RF"}
    return next((modality for quantity, modality in by_quantity.items() if quantity in doses), "OT")


def _procedure(known: Catalogue, subject: Subject, modality: str) -> Procedure | None:
    """What the catalogue knows the study as."""
    return known.find(
        codings_of(subject.procedure_code or ()), "" if modality == "OT" else modality, subject.description
    )


def _plain(protocol: str) -> str:
    """A protocol that the catalogue does not know, by its name at the machine."""
    return " ".join(protocol.casefold().split())[:100] or "unknown"


async def _save_images(
    tx: Transaction, app: App, subject: Subject, images: Sequence[tuple[Object, dict[str, Any]]]
) -> None:
    zone = app.settings.zone
    kept = [
        (stored, image, image.taken_at or subject.started)
        for stored, attributes in images
        if _is_exposure(attributes) and stored.title != Title.PATIENT_SAFETY
        for image in (reading.image_of(attributes, zone),)
    ]
    await queries.replace_images(tx, subject.id, kept)


def _taken(images: Sequence[tuple[Object, dict[str, Any]]]) -> list[Told]:
    """The images that tell of exposures, each once; where there are raw ones only, those."""
    told = [(Told(each.sop_instance_uid, attributes), _is_exposure(attributes)) for each, attributes in images]
    return [each for each, counts in told if counts] or [each for each, _ in told]


def _is_exposure(attributes: Item) -> bool:
    """Whether an image is of an exposure, and the one that counts: as `studies.queries.reject_rate` counts."""
    image_type: list[Any] = attributes.get("00080008", {}).get("Value") or []
    return image_type[1:2] != ["SECONDARY"] and text_of(attributes, "00080068") != "FOR PROCESSING"


def _attributes(stored: Object) -> dict[str, Any]:
    return orjson.loads(stored.attributes)


def _told(step: Step) -> Told:
    return Told(step.sop_instance_uid, step.attributes)
