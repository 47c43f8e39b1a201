"""The storing half of a process: object store, the one thread that writes the index, and that of who read what."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from radiology.app import App
from radiology.audit.trail import Trail, open_trail
from radiology.kit.batches import BatchWriter
from radiology.kit.db import Reader
from radiology.studies.index import Stored, StudyIndex
from radiology.studies.receive import Arrival, Reception, Source, receive_data_set, receive_file

#: A sender that is faster than the index is held up this long for each object before it is told to try again.
ROOM_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Archive:
    """What doors store through. Receive an object, submit what arrived, flush before anybody is promised to find it."""

    app: App
    arrivals: BatchWriter[Arrival, Stored]
    reader: Reader
    trail: Trail

    def receive_file(self, source: Source) -> Reception:
        """Begin to take in a PS3.10 file. Raises Unavailable while nothing can be stored."""
        self.arrivals.check()
        return receive_file(self.app.objects, source, self.app.clock.now)

    def receive_data_set(
        self, source: Source, *, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str
    ) -> Reception:
        """Begin to take in the data set of a C-STORE; waits while much waits for the index. Raises Unavailable."""
        self.arrivals.wait_for_room(ROOM_SECONDS)
        return receive_data_set(
            self.app.objects,
            source,
            self.app.clock.now,
            sop_class_uid=sop_class_uid,
            sop_instance_uid=sop_instance_uid,
            transfer_syntax_uid=transfer_syntax_uid,
        )


@contextmanager
def open_archive(app: App) -> Generator[Archive]:
    """An archive whose writer runs until the block ends; what has arrived by then is written."""
    index = StudyIndex(app.settings, app.objects)
    arrivals = BatchWriter(index.write, name="index", batch_items=app.settings.index_batch_rows)
    reader = Reader(app.settings.database_dsn)
    trail = open_trail(app.settings)
    arrivals.start()
    trail.start()
    try:
        yield Archive(app, arrivals, reader, trail)
    finally:
        arrivals.stop()
        index.close()
        reader.close()
        trail.stop()
