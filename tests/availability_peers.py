"""A peer that is told of availability: pynetdicom as SCP of Instance Availability Notification."""

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import InstanceAvailabilityNotification

from node import Node
from radiology.delivery.availability.actions import follow_events
from radiology.kit import outbox
from storage_peers import register

AE_TITLE = "FOLLOWER"


@dataclass
class Notice:
    """What an N-CREATE said: Instance Availability by SOP Instance UID."""

    sop_instance_uid: str
    study_instance_uid: str
    availability: dict[str, str]
    retrieve_ae_titles: set[str]


def take(_event: evt.Event) -> int:
    return 0x0000


@contextmanager
def told(node: Node, status_of: Callable[[evt.Event], int] = take, **fields: object) -> Iterator["queue.Queue[Notice]"]:
    """The notices that come, until the block ends; not of what happened before."""
    came: queue.Queue[Notice] = queue.Queue()

    def on_create(event: evt.Event) -> tuple[int, Dataset | None]:
        said = event.attribute_list
        items = [item for series in said.ReferencedSeriesSequence for item in series.ReferencedSOPSequence]
        availability = {item.ReferencedSOPInstanceUID: item.InstanceAvailability for item in items}
        titles = {item.RetrieveAETitle for item in items}
        uid = event.request.AffectedSOPInstanceUID
        came.put(Notice(uid, said.StudyInstanceUID, availability, titles))
        return status_of(event), None

    ae = AE(ae_title=AE_TITLE)
    ae.add_supported_context(InstanceAvailabilityNotification)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_CREATE, on_create)])
    try:
        node.wait(follow_events(node.app))
        given = {"services": ["ian"], "move_destination": False} | fields
        register(node, AE_TITLE, server.socket.getsockname()[1], **given)
        yield came
    finally:
        server.shutdown()


async def happen(node: Node) -> int:
    """What the timetable does: place events, and have peers told of them."""
    async with node.app.db.transaction() as tx:
        await outbox.place(tx)
    return await follow_events(node.app)
