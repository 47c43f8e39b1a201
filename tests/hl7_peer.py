"""The other end of HL7 in tests: the door in this process, MLLP clients on blocking sockets, and messages."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from node import free_port
from radiology.app import App
from radiology.audit.trail import open_trail
from radiology.doors.hl7.run import Door, serve
from radiology.doors.hl7.server import Server
from radiology.hl7 import queries
from radiology.hl7.model import Sender
from radiology.settings import Settings

T = TypeVar("T")
HIS = Sender("HIS", "HIS", "DMCH", facility_code="DMCH")
_numbers = count(1)


@dataclass
class HL7Door:
    """A running door. `wait` runs a coroutine on its loop."""

    app: App
    server: Server
    settings: Settings
    wait: Callable[[Coroutine[Any, Any, Any]], Any]
    loop: asyncio.AbstractEventLoop

    def value(self, statement: Any, **parameters: Any) -> Any:
        """One value of the database."""

        async def ask() -> Any:
            async with self.app.db.transaction() as tx:
                return await tx.value(statement, **parameters)

        return self.wait(ask())

    def register(self, sender: Sender) -> None:
        """Make a sender known, or change its record."""
        self.wait(register(self.app, sender))

    def connect(self, context: ssl.SSLContext | None = None) -> "Client":
        """A new connection to it."""
        port = self.settings.hl7_tls_port if context else self.settings.hl7_port
        return Client(port, context)


async def register(app: App, sender: Sender) -> None:
    """Make a sender known."""
    async with app.db.transaction() as tx:
        await queries.save_sender(tx, sender)


@contextmanager
def running_door(settings: Settings, **changed: Any) -> Iterator[HL7Door]:
    """The door until the block ends; HIS is registered."""
    ports = {"hl7_port": free_port()} | ({"hl7_tls_port": free_port()} if settings.offers_tls else {})
    settings = settings.model_copy(update=ports | changed)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    app, trail = App.of(settings), open_trail(settings)
    try:
        wait(app.db.open())
        trail.start()
        wait(register(app, HIS))
        server = wait(serve(Door(app, trail)))
        yield HL7Door(app, server, settings, wait, loop)
        wait(server.stop(5))
        trail.stop()
        wait(app.db.close())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass
class Client:
    """An MLLP client. `ask` sends a message and gives the acknowledgement."""

    port: int
    context: ssl.SSLContext | None = None
    connection: socket.socket = field(init=False)
    _rest: bytes = b""

    def __post_init__(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.connection = self.context.wrap_socket(plain) if self.context else plain

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def send(self, message: bytes) -> None:
        """Send without waiting."""
        self.connection.sendall(b"\x0b" + message + b"\x1c\r")

    def receive(self) -> bytes:
        """The next message that comes; "" where the peer has closed."""
        while b"\x1c\r" not in self._rest:
            data = self.connection.recv(65536)
            if not data:
                return b""
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\x1c\r")
        return message.removeprefix(b"\x0b")

    def ask(self, message: bytes) -> "Said":
        """Send a message and wait for what is said of it."""
        self.send(message)
        return Said(self.receive())


@dataclass
class Said:
    """An acknowledgement."""

    raw: bytes

    @property
    def lines(self) -> dict[str, list[str]]:
        """The segments by name."""
        return {line[:3]: line.split("|") for line in self.raw.decode().strip("\r").split("\r")}

    @property
    def code(self) -> str:
        """MSA-1."""
        return self.lines["MSA"][1]

    @property
    def sentence(self) -> str:
        """MSA-3."""
        return self.lines["MSA"][3] if len(self.lines["MSA"]) > 3 else ""

    @property
    def place(self) -> str:
        """ERR-2."""
        return self.lines["ERR"][2] if "ERR" in self.lines else ""


def control_id() -> str:
    """A new one."""
    return f"C{next(_numbers)}"


def header(type: str = "ADT^A08", id: str | None = None, *, application: str = "HIS", facility: str = "DMCH") -> str:
    """MSH of a new message."""
    return (
        rf"MSH|^~\&|{application}|{facility}|RADI|LOCAL|20260121103000+0600||{type}|{id or control_id()}|P|2.5.1"
        "||||||UNICODE UTF-8"
    )


def message(*lines: str) -> bytes:
    """A message of segments."""
    return "".join(f"{line}\r" for line in lines).encode()


def pid(
    number: str = "1001", name: str = "Karim^Abdul^^^^^L~করিম^আব্দুল", birth_date: str = "19800115", sex: str = "M"
) -> str:
    """PID of an invented patient."""
    return f"PID|1||{number}^^^DMCH^MR||{name}||{birth_date}|{sex}"


def order(
    placer: str = "P1", *, control: str = "NW", id: str | None = None, patient: str | None = None,
    code: str = "CTHEAD^CT Head^LOCAL", priority: str = "R", start: str = "202601211430", more: str = "",
) -> bytes:  # fmt: skip
    """ORM^O01 with one procedure."""
    return message(
        header("ORM^O01^ORM_O01", id),
        patient or pid(),
        "PV1|1|O|OPD^2" + "|" * 16 + "V1",
        f"ORC|{control}|{placer}^HIS|||{more}||1^^^{start}^^{priority}||20260121100000|||7^Hossain^Kamal^^^Dr",
        f"OBR|1|{placer}^HIS||{code}|||||||||Headache for two weeks",
    )
