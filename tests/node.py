"""The DICOM door of the service, running in this process over a database and a folder of the test's own."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.associations.recorder import Recorder
from radiology.dicom_network.server import Server
from radiology.doors.dimse.run import Door, Registry, serve, serve_tls
from radiology.doors.dimse.services import Services
from radiology.settings import Settings
from radiology.studies.archive import Archive, open_archive

T = TypeVar("T")
KNOWN = "MODALITY1"


@dataclass
class Node:
    """A running DICOM door. `KNOWN` may associate; `wait` runs a coroutine on the node's own loop."""

    app: App
    archive: Archive
    server: Server
    wait: Callable[[Coroutine[Any, Any, Any]], Any]
    recorder: Recorder
    door: Door

    @property
    def port(self) -> int:
        return self.server.address.port

    def value(self, statement: Any, **parameters: Any) -> Any:
        """One value of the database."""

        async def ask() -> Any:
            async with self.app.db.transaction() as tx:
                return await tx.value(statement, **parameters)

        return self.wait(ask())

    def register(self, entity: ApplicationEntity) -> None:
        """Make an application entity known, or change its record."""
        self.wait(_register(self.app, entity))

    def stored_bytes(self, sop_instance_uid: str) -> bytes:
        """The file of an instance, as it lies in the store."""
        key = self.value("SELECT object_key FROM instances WHERE sop_instance_uid = %(uid)s", uid=sop_instance_uid)
        return self.app.objects.read(key)


@contextmanager
def running_node(settings: Settings) -> Iterator[Node]:
    """A node until the block ends."""
    settings = settings.model_copy(update={"dicom_port": free_port(), "dicom_tls_port": free_port()})
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    app = App.of(settings)
    try:
        wait(app.db.open())
        wait(_register(app, ApplicationEntity(KNOWN)))
        with open_archive(app) as archive:
            recorder = Recorder(settings.database_dsn)
            recorder.start()
            door = Door(archive, Registry(app), Services(archive), recorder=recorder)
            server = serve(door)
            encrypted = serve_tls(door) if settings.offers_tls else None
            yield Node(app, archive, server, wait, recorder, door)
            server.stop(5)
            if encrypted is not None:
                encrypted.stop(5)
            recorder.stop()
        wait(app.db.close())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _register(app: App, entity: ApplicationEntity) -> None:
    async with app.db.transaction() as tx:
        await entities.save(tx, entity)


def free_port() -> int:
    """A port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
