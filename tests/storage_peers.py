"""Receivers of C-STORE that are not ours: DCMTK's storescp, and pynetdicom where a receiver is to misbehave."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pynetdicom import AE, evt

from node import Node, free_port
from radiology.application_entities.model import ApplicationEntity

ALWAYS = "1.2.840.10008.1.2"


def register(node: Node, ae_title: str, port: int, **fields: object) -> ApplicationEntity:
    """Make a receiver a move destination of the node."""
    entity = ApplicationEntity(ae_title, "127.0.0.1", port, **{"move_destination": True, **fields})
    node.register(entity)
    return entity


@contextmanager
def storescp(node: Node, folder: Path, *options: str, ae_title: str = "STORESCP") -> Iterator[Path]:
    """DCMTK's receiver as a move destination; the folder into which it writes."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    register(node, ae_title, port)
    process = subprocess.Popen(["storescp", "-od", folder, "-aet", ae_title, *options, str(port)])
    try:
        wait_for_port(port)
        yield folder
    finally:
        process.terminate()
        process.wait(10)


def wait_for_port(port: int) -> None:
    """Until somebody listens there. The probe must not take the one association of a storescp: it speaks C-ECHO."""
    deadline = time.monotonic() + 10
    while subprocess.run(["echoscu", "127.0.0.1", str(port)], capture_output=True, check=False).returncode:
        assert time.monotonic() < deadline


@contextmanager
def receiver(
    node: Node,
    on_store: Callable[[evt.Event], int],
    *,
    classes: Sequence[str],
    syntaxes: Sequence[str] = (ALWAYS,),
    ae_title: str = "RECEIVER",
    **fields: object,
) -> Iterator[ApplicationEntity]:
    """pynetdicom as a move destination: what `on_store` returns is the status of a C-STORE."""
    ae = AE(ae_title=ae_title)
    for sop_class in classes:
        ae.add_supported_context(sop_class, list(syntaxes))
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, on_store)])
    try:
        yield register(node, ae_title, server.socket.getsockname()[1], **fields)
    finally:
        server.shutdown()
