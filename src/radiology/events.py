"""What happened: frozen dataclasses in the past tense, ids and codes only. Names of people, findings and images never.

`emit` writes an event into the outbox in the same transaction as what it tells of. `docs/events.md` is made from the
docstrings here. The wire name is `radiology.<thing>.<what>.v1`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, LiteralString

from radiology.kit import outbox
from radiology.kit.db import Transaction, WriterTransaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The base of all events. `facility_code` says whose event it is."""

    type: ClassVar[LiteralString]
    facility_code: str | None

    @property
    def key(self) -> str:
        """Events of one key stay in order."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyEvent(Event):
    """An event of one imaging study."""

    study_id: str
    study_instance_uid: str

    @property
    def key(self) -> str:
        return self.study_instance_uid


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRegistered(StudyEvent):
    """A study is known for the first time, by a request or by its first object."""

    type = "radiology.study.registered.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFirstImage(StudyEvent):
    """The first object of an urgent study has come: whoever reads it may begin. Once a study; `priority` is STAT."""

    type = "radiology.study.first-image.v1"
    priority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancesStored(StudyEvent):
    """One or more new objects of a study can be found. One event for all that were indexed together."""

    type = "radiology.study.instances-stored.v1"
    instances: int
    number_of_instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyStatusChanged(StudyEvent):
    """The workflow status of a study changed."""

    type = "radiology.study.status-changed.v1"
    from_status: str | None
    to_status: str
    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyReceived(StudyEvent):
    """No new object has come for a while: the study is whole, ready to be read. Once per settling."""

    type = "radiology.study.received.v1"
    number_of_instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferIncomplete(StudyEvent):
    """A modality completed a step a quarter of an hour ago, and `number_missing` of its instances have not come."""

    type = "radiology.study.transfer-incomplete.v1"
    sop_instance_uid: str
    number_of_instances: int
    number_missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCompleted(StudyEvent):
    """What was missing after a modality had completed its step has come."""

    type = "radiology.study.transfer-completed.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceQuarantined(StudyEvent):
    """An object is held back until a person has decided about it."""

    type = "radiology.instance.quarantined.v1"
    sop_instance_uid: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderRevised(StudyEvent):
    """An object came again with another header and the same pixels: the newest is served, and all are kept."""

    type = "radiology.instance.header-revision.v1"
    sop_instance_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancesRejected(StudyEvent):
    """Instances were rejected and are hidden. `title` is the code of the key object (PS3.16 CID 7010)."""

    type = "radiology.study.instances-rejected.v1"
    rejection_id: str
    title: str
    category: str
    instances: int
    final_reports: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionWithdrawn(StudyEvent):
    """A rejection was withdrawn: what it hid can be found again."""

    type = "radiology.study.rejection-withdrawn.v1"
    rejection_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPurged(StudyEvent):
    """Two persons removed a study whose time was over, and it is gone; of one that is kept elsewhere its images."""

    type = "radiology.study.purged.v1"
    removal_id: str
    instances: int
    kept_elsewhere: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDamaged(StudyEvent):
    """A stored object is not what was stored. `problem`: missing, truncated, altered or unreadable."""

    type = "radiology.object.damaged.v1"
    damage_id: str
    sop_instance_uid: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRepaired(StudyEvent):
    """A damaged object was replaced by the same one out of another archive, proven by its digest."""

    type = "radiology.object.repaired.v1"
    damage_id: str
    sop_instance_uid: str
    repaired_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCorrected(StudyEvent):
    """What is served of a study's headers was put right, or a correction was undone. Its objects stay as they came."""

    type = "radiology.study.corrected.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairEvent(Event):
    """An event of one repair of studies, that which was wrong first."""

    repair_id: str
    kind: str
    study_instance_uids: list[str]

    @property
    def key(self) -> str:
        return self.study_instance_uids[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairMade(RepairEvent):
    """A person put something right: what is served of these studies changed, or to whom or which order they belong."""

    type = "radiology.repair.made.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairUndone(RepairEvent):
    """A repair stands no more: of these studies is served what was served before it."""

    type = "radiology.repair.undone.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyLabelled(StudyEvent):
    """What is sensitive about a study changed: its classes S1 to S7, and its v3-Confidentiality (N, R, V)."""

    type = "radiology.study.labelled.v1"
    sensitive_classes: list[str]
    confidentiality: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteStateChanged(Event):
    """Another archive, workstation or printer answers again, or does not answer any more."""

    type = "radiology.remote.state-changed.v1"
    ae_title: str
    answers: bool

    @property
    def key(self) -> str:
        return self.ae_title


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEvent(StudyEvent):
    """An event of a study that a routing rule sends to a destination."""

    delivery_id: str
    ae_title: str
    sent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCompleted(DeliveryEvent):
    """A destination has acknowledged all that a rule sends it of a study, until more of the study comes."""

    type = "radiology.delivery.completed.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed(DeliveryEvent):
    """A delivery was given up: `failed` instances were refused, `waiting` ones could not be sent in time."""

    type = "radiology.delivery.failed.v1"
    failed: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEvent(Event):
    """An event of one report."""

    report_id: str
    study_id: str
    version: int
    status: str

    @property
    def key(self) -> str:
        return self.report_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCreated(ReportEvent):
    """A report was begun."""

    type = "radiology.report.created.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFinalized(ReportEvent):
    """A report was approved and is final."""

    type = "radiology.report.finalized.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent(Event):
    """An event of one order."""

    order_id: str
    accession_number: str
    version: int
    status: str
    study_instance_uids: list[str]

    @property
    def key(self) -> str:
        return self.order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(OrderEvent):
    """An order was placed: its studies are registered, and its items stand in the worklist, unless it is a draft."""

    type = "radiology.order.placed.v1"
    priority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged(OrderEvent):
    """What an order asks for was changed."""

    type = "radiology.order.changed.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatusChanged(OrderEvent):
    """An order was held, resumed, cancelled, reinstated, completed or withdrawn. `trigger` is the verb."""

    type = "radiology.order.status-changed.v1"
    from_status: str
    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChecked(OrderEvent):
    """The rules of appropriateness and safety said more of an order than proceed.

    `decision` is the most severe of it; `rules` are those that spoke, `overridden` those that somebody overrode for a
    reason; `held`: the order waits because of them.
    """

    type = "radiology.order.checked.v1"
    decision: str
    rule_set_version: str
    rules: list[str]
    overridden: list[str]
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStepDiscontinued(OrderEvent):
    """A modality gave up a step of an order; `reason_code` is of CID 9300 (PS3.16), as 110508 patient pregnant."""

    type = "radiology.order.step-discontinued.v1"
    reason_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOutdated(ReportEvent):
    """The images of a signed report changed: `cause` is late-images or rejected-images. It stays what it is."""

    type = "radiology.report.outdated.v1"
    cause: str
    priority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReviewOverdue(ReportEvent):
    """Nobody has looked in time at a report whose images changed."""

    type = "radiology.report.review-overdue.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReviewed(ReportEvent):
    """Somebody has looked at the changed images of a signed report, and nothing of it changes."""

    type = "radiology.report.reviewed.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureStepEvent(Event):
    """An event of one scheduled procedure step."""

    procedure_step_id: str
    study_instance_uid: str
    service_request: str | None

    @property
    def key(self) -> str:
        return self.study_instance_uid


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureStepScheduled(ProcedureStepEvent):
    """A procedure step was placed in the modality worklist."""

    type = "radiology.procedure-step.scheduled.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureStepChanged(ProcedureStepEvent):
    """A scheduled procedure step was given another time, station or content."""

    type = "radiology.procedure-step.changed.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureStepStatusChanged(ProcedureStepEvent):
    """The status of a scheduled procedure step changed."""

    type = "radiology.procedure-step.status-changed.v1"
    from_status: str
    to_status: str
    trigger: str
    reason_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingChanged(ProcedureStepEvent):
    """A procedure step was booked, or its booking was moved, cancelled, missed, or its patient arrived: `verb`."""

    type = "radiology.booking.changed.v1"
    booking_id: str
    verb: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformedStepEvent(Event):
    """An event of one performed procedure step (MPPS)."""

    sop_instance_uid: str
    study_instance_uids: list[str]

    @property
    def key(self) -> str:
        return self.study_instance_uids[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformedStepStarted(PerformedStepEvent):
    """A modality began a procedure step; `scheduled` says whether the worklist knew of it."""

    type = "radiology.performed-step.started.v1"
    scheduled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformedStepEnded(PerformedStepEvent):
    """A modality completed or discontinued a procedure step; `number_missing` of its instances are not stored yet."""

    type = "radiology.performed-step.ended.v1"
    status: str
    discontinuation_code: str | None
    number_of_instances: int
    number_missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCompleted(Event):
    """A de-identified export can be fetched by who asked for it. How many instances it has, and how many not."""

    type = "radiology.export.completed.v1"
    export_id: str
    project_id: str
    profile: str
    instances: int
    withheld: int

    @property
    def key(self) -> str:
        return self.export_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingChanged(StudyEvent):
    """A study in the reading worklist was added or moved on: `trigger` is the verb, or the event that it follows.

    `assigned_to` is the account in whose queue it stands; while `arriving`, its images are still coming.
    """

    type = "radiology.reading.changed.v1"
    state: str
    priority: str
    arriving: bool
    assigned_to: str | None
    version: int
    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingDueEvent(StudyEvent):
    """An event of the clock of a study that waits for its report. `due_at` is ISO 8601."""

    priority: str
    state: str
    due_at: str
    assigned_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingHalfTime(ReadingDueEvent):
    """Half of the time for a report has passed. Once for each due time that the study is given."""

    type = "radiology.reading.half-time.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingBreached(ReadingDueEvent):
    """The time for a report has passed, and there is none. Once for each due time that the study is given."""

    type = "radiology.reading.breached.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinionChanged(StudyEvent):
    """A second opinion was asked for, given, declined or withdrawn: `status`. `asked_of` is an account."""

    type = "radiology.second-opinion.changed.v1"
    opinion_id: str
    asked_of: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkitemStateChanged(Event):
    """A unified procedure step was scheduled, claimed, completed or cancelled."""

    type = "radiology.workitem.state-changed.v1"
    sop_instance_uid: str
    state: str

    @property
    def key(self) -> str:
        return self.sop_instance_uid


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientEvent(Event):
    """An event of one patient of the registry."""

    patient_id: str

    @property
    def key(self) -> str:
        return self.patient_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientUpdated(PatientEvent):
    """What the registry says of a patient changed, and with it the studies, worklist items and orders."""

    type = "radiology.patient.updated.v1"
    repair_id: str
    studies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientMerged(PatientEvent):
    """A patient (`merged_patient_id`) was found to be another, who survives; with `identified`, nobody knew who it was.

    What referred to the one refers to the other now; the numbers of the one lead to the other.
    """

    type = "radiology.patient.merged.v1"
    merged_patient_id: str
    repair_id: str
    studies: int
    identified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientUnmerged(PatientEvent):
    """A merge was undone: what had been moved belongs to the restored patient again. `stayed`: later studies do not."""

    type = "radiology.patient.unmerged.v1"
    restored_patient_id: str
    repair_id: str
    studies: int
    stayed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientsLinked(PatientEvent):
    """A person looked at two patients: perhaps one (`seealso`), or not the same (`different`). Nothing was merged."""

    type = "radiology.patient.linked.v1"
    other_patient_id: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitChanged(PatientEvent):
    """A visit was opened, changed or ended. `status` is that of FHIR Encounter."""

    type = "radiology.patient.visit-changed.v1"
    visit_id: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CareRelationEnded(Event):
    """Somebody treats a patient no more: a relation was ended before its time."""

    type = "radiology.care-relation.ended.v1"
    relation_id: str

    @property
    def key(self) -> str:
        return self.relation_id


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassEvent(Event):
    """An event of one use of break-glass."""

    break_glass_id: str
    actor: str

    @property
    def key(self) -> str:
        return self.break_glass_id


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassStarted(BreakGlassEvent):
    """Somebody opened the sensitive studies of one patient."""

    type = "radiology.break-glass.started.v1"
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassEnded(BreakGlassEvent):
    """They are closed again, by wish or by time."""

    type = "radiology.break-glass.ended.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassReviewOverdue(BreakGlassEvent):
    """A use was not reviewed within 72 hours."""

    type = "radiology.break-glass.review-overdue.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassOverused(BreakGlassEvent):
    """Somebody broke the glass more than three times within seven days."""

    type = "radiology.break-glass.overused.v1"
    uses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRecorded(StudyEvent):
    """What a study exposed its patient to was read, or is other than it was. `source`: rdsr, mpps, header, or none."""

    type = "radiology.dose.recorded.v1"
    source: str | None
    irradiation_events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeChanged(Event):
    """A charge was planned, captured, credited, or costs something else: `trigger` is the verb."""

    type = "radiology.charge.changed.v1"
    charge_id: str
    order_id: str
    version: int
    state: str
    trigger: str

    @property
    def key(self) -> str:
        return self.charge_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptIssued(Event):
    """What was due for an order was paid, or given back (`refund`)."""

    type = "radiology.receipt.issued.v1"
    receipt_id: str
    order_id: str
    refund: bool

    @property
    def key(self) -> str:
        return self.order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerReviewChanged(Event):
    """A review of a final report was claimed, given back, scored or decided. Neither score nor reader is told."""

    type = "radiology.peer-review.changed.v1"
    review_id: str
    state: str

    @property
    def key(self) -> str:
        return self.review_id


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChanged(Event):
    """A device works or does not, is blocked or opened, or is used in spite of a block or its licence.

    `verb` is state, block, unblock, override or end-override.
    """

    type = "radiology.device.changed.v1"
    device_number: int
    modality: str
    verb: str
    state: str
    blocked: bool

    @property
    def key(self) -> str:
        return f"device {self.device_number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceExpiring(Event):
    """A licence ends in less than `days` days; 0: it is not valid any more. `subject` is device or operator."""

    type = "radiology.licence.expiring.v1"
    subject: str
    subject_id: str
    licence_until: str
    days: int

    @property
    def key(self) -> str:
        return f"{self.subject} {self.subject_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentChanged(Event):
    """An unintended exposure was reported, or something was done about it."""

    type = "radiology.incident.changed.v1"
    incident_id: str
    cause: str
    status: str

    @property
    def key(self) -> str:
        return self.incident_id


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTestRecorded(Event):
    """A test of a device was done."""

    type = "radiology.device-test.recorded.v1"
    device_number: int
    test: str
    passed: bool

    @property
    def key(self) -> str:
        return f"device {self.device_number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallGapFound(Event):
    """Nobody is on call on a line of a rota within the next 24 hours."""

    type = "radiology.on-call.gap-found.v1"
    rota: str
    line: str
    subspecialty_group: str
    begins_at: str
    ends_at: str

    @property
    def key(self) -> str:
        return f"rota:{self.rota}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOfferEvent(StudyEvent):
    """An event of one offer of a study to a reader. step: of the escalation, 0 where it is none."""

    offer_id: str
    reader: str
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOffered(ReadingOfferEvent):
    """A study was offered to a reader."""

    type = "radiology.reading.offered.v1"
    priority: str
    expires_at: str
    rule_set_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOfferAccepted(ReadingOfferEvent):
    """A reader took it."""

    type = "radiology.reading.offer-accepted.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOfferDeclined(ReadingOfferEvent):
    """A reader left it to the next."""

    type = "radiology.reading.offer-declined.v1"
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOfferExpired(ReadingOfferEvent):
    """A reader did not answer in time; the next one is asked."""

    type = "radiology.reading.offer-expired.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOfferWithdrawn(ReadingOfferEvent):
    """An offer ended since somebody else took the study, or there is nothing to read any more."""

    type = "radiology.reading.offer-withdrawn.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingEscalated(StudyEvent):
    """So much of the time for a study has passed that more people are told: 1 half, 2 three quarters, 3 all of it."""

    type = "radiology.reading.escalated.v1"
    step: int
    told: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingUnassignable(StudyEvent):
    """Nobody can be offered a study. reasons: how many readers are excluded for which reason."""

    type = "radiology.reading.unassignable.v1"
    reasons: dict[str, int]


def body_of(event: Event) -> dict[str, Any]:
    """What is sent: all fields of the event."""
    return asdict(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditChainBroken(Event):
    """The audit record was tampered with: from this record on its chain of hashes does not hold."""

    type = "radiology.audit.chain-broken.v1"
    kind: str
    sequence: int

    @property
    def key(self) -> str:
        return "audit"


async def emit(tx: Transaction, *events: Event) -> None:
    """Write events into the outbox of this transaction."""
    for event in events:
        await tx.run(outbox.INSERT, **_row(event))


def emit_in_batch(tx: WriterTransaction, events: Sequence[Event]) -> None:
    """The same for a writing thread."""
    for event in events:
        tx.run(outbox.INSERT, **_row(event))


def _row(event: Event) -> dict[str, Any]:
    return outbox.row(type=event.type, key=event.key, body=body_of(event), facility_code=event.facility_code)
