"""Unified procedure steps as pynetdicom asks for them, and a subscriber that notes what it is told."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, evt

from node import Node, free_port
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity

PUSH, WATCH, PULL, EVENT, QUERY = (f"1.2.840.10008.5.1.4.34.6.{number}" for number in range(1, 6))
GLOBAL, FILTERED = "1.2.840.10008.5.1.4.34.5", "1.2.840.10008.5.1.4.34.5.1"
CONTEXTS = [(uid, ExplicitVRLittleEndian) for uid in (PUSH, WATCH, PULL, QUERY)]
CHANGE_STATE, REQUEST_CANCEL, SUBSCRIBE, UNSUBSCRIBE, SUSPEND = 1, 2, 3, 4, 5


def code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def task(**attributes: Any) -> Dataset:
    """A workitem as N-CREATE gives it."""
    ds = Dataset()
    ds.ProcedureStepState = "SCHEDULED"
    ds.ScheduledProcedureStepPriority = "MEDIUM"
    ds.ProcedureStepLabel = "Read CT chest"
    ds.WorklistLabel = "CT READING"
    ds.ScheduledProcedureStepStartDateTime = "20260301083000"
    ds.InputReadinessState = "READY"
    ds.ScheduledWorkitemCodeSequence = [code("110005", "Interpretation")]
    ds.PatientName, ds.PatientID = "Karim^Abdul", "DMC-1001"
    ds.TransactionUID = ""
    ds.UnifiedProcedureStepPerformedProcedureSequence = []
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def performed(lock: str) -> Dataset:
    """What the performer sets before it completes."""
    step = Dataset()
    step.PerformedStationNameCodeSequence = [code("READER1", "Reading room 1")]
    step.PerformedProcedureStepStartDateTime = "20260301083000"
    step.PerformedProcedureStepEndDateTime = "20260301084500"
    step.PerformedWorkitemCodeSequence = [code("110005", "Interpretation")]
    step.OutputInformationSequence = []
    performer = Dataset()
    performer.HumanPerformerName = "Sultana^Nasrin"
    step.ActualHumanPerformersSequence = [performer]
    ds = Dataset()
    ds.TransactionUID = lock
    ds.UnifiedProcedureStepPerformedProcedureSequence = [step]
    return ds


@dataclass
class Client:
    """The operations over one association, each giving its status."""

    association: Any

    def create(self, uid: str = "", **attributes: Any) -> int:
        return self.association.send_n_create(task(**attributes), PUSH, uid or None)[0].Status

    def created(self, **attributes: Any) -> str:
        uid = generate_uid()
        assert self.create(uid, **attributes) == 0x0000
        return uid

    def change_state(self, uid: str, state: str, lock: str | None) -> int:
        ds = Dataset()
        ds.ProcedureStepState = state
        if lock is not None:
            ds.TransactionUID = lock
        return self.action(ds, CHANGE_STATE, uid, PULL)

    def cancel(self, uid: str, *, by: str = PUSH, **attributes: Any) -> int:
        ds = Dataset()
        for keyword, value in attributes.items():
            setattr(ds, keyword, value)
        return self.action(ds, REQUEST_CANCEL, uid, by)

    def subscribe(self, uid: str, ae_title: str, *, lock: str = "FALSE", **keys: Any) -> int:
        ds = Dataset()
        ds.ReceivingAE, ds.DeletionLock = ae_title, lock
        for keyword, value in keys.items():
            setattr(ds, keyword, value)
        return self.action(ds, SUBSCRIBE, uid, WATCH)

    def end(self, action: int, uid: str, ae_title: str) -> int:
        ds = Dataset()
        ds.ReceivingAE = ae_title
        return self.action(ds, action, uid, WATCH)

    def action(self, ds: Dataset, action: int, uid: str, context: str) -> int:
        return self.association.send_n_action(ds or None, action, PUSH, uid, meta_uid=context)[0].Status

    def set(self, uid: str, ds: Dataset) -> int:
        return self.association.send_n_set(ds, PUSH, uid, meta_uid=PULL)[0].Status

    def get(self, uid: str, *tags: int, by: str = PULL) -> tuple[int, Dataset | None]:
        status, ds = self.association.send_n_get(list(tags), PUSH, uid, meta_uid=by)
        return status.Status, ds

    def find(self, by: str = QUERY, **keys: Any) -> list[Dataset]:
        ds = Dataset()
        for keyword, value in keys.items():
            setattr(ds, keyword, value)
        *found, (last, _) = self.association.send_c_find(ds, by)
        assert last.Status == 0x0000, f"{last.Status:04X}"
        return [answer for _, answer in found]

    def labels(self, by: str = QUERY, **keys: Any) -> list[str]:
        return [answer.ProcedureStepLabel for answer in self.find(by, **{"ProcedureStepLabel": "", **keys})]


@dataclass
class Subscriber:
    """A receiver of N-EVENT-REPORT: (event type, SOP Instance UID, attributes) in the order they came."""

    ae_title: str
    port: int
    status: int = 0x0000
    told: queue.Queue[tuple[int, str, Dataset]] = field(default_factory=queue.Queue)

    def next(self) -> tuple[int, str, Dataset]:
        return self.told.get(timeout=20)

    def states(self, number: int) -> list[str]:
        return [self.next()[2].ProcedureStepState for _ in range(number)]

    @contextmanager
    def listening(self) -> Iterator[None]:
        ae = AE(self.ae_title)
        ae.add_supported_context(EVENT, scu_role=True, scp_role=True)
        server = ae.start_server(
            ("127.0.0.1", self.port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, self._note)]
        )
        try:
            yield
        finally:
            server.shutdown()

    def _note(self, event: evt.Event) -> tuple[int, None]:
        request = event.request
        self.told.put((request.EventTypeID, str(request.AffectedSOPInstanceUID), event.event_information))
        return self.status, None


def subscriber(node: Node, ae_title: str = "WATCHER") -> Subscriber:
    """A subscriber that the node knows; it does not listen yet."""
    made = Subscriber(ae_title, free_port())

    async def save() -> None:
        async with node.app.db.transaction() as tx:
            await entities.save(tx, ApplicationEntity(ae_title, "127.0.0.1", made.port))

    node.wait(save())
    return made
