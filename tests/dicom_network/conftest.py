"""A small archive in memory behind a real server, for tests that speak to it from outside."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import settings

from radiology.dicom_network.association import Offer, Policy
from radiology.dicom_network.connection import Address, Association, DataSet, Outcome, Timers
from radiology.dicom_network.message import Command, CommandField, Response, Status
from radiology.dicom_network.operations import ANY_SOP_CLASS, Application, Service
from radiology.dicom_network.pdu import AssociateRJ, AssociateRQ
from radiology.dicom_network.server import DEFAULT_LIMITS, Limits, Server
from raw_peer import RawPeer

# A busy machine is no failure, and the same examples are tried everywhere.
settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")

VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MPPS = "1.2.840.10008.3.1.2.3.3"
IMPLICIT, EXPLICIT, JPEG_LOSSLESS = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"
SHORT_TIMERS = Timers(artim_seconds=0.4, dimse_seconds=0.6, idle_seconds=1.0)


@dataclass
class Archive:
    """Keeps what is stored, finds what it was told to find, and notes what the server told it."""

    stored: dict[str, bytes] = field(default_factory=dict)
    identifiers: list[bytes] = field(default_factory=list)
    matches: list[bytes] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    ended: list[tuple[Outcome, str]] = field(default_factory=list)
    operations: list[tuple[str, int]] = field(default_factory=list)
    committed: list[int] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    rejection: AssociateRJ | None = None

    def negotiate(self, _request: AssociateRQ, _peer: Address) -> Policy | AssociateRJ:
        if self.rejection is not None:
            return self.rejection
        storage = Offer(frozenset({IMPLICIT, EXPLICIT, JPEG_LOSSLESS}))
        offers = {VERIFICATION: Offer(), STUDY_FIND: Offer(), MPPS: Offer()}
        return Policy(offers, frozenset({"RADSVC"}), storage=storage, accept_unknown_storage=True)

    def store(self, association: Association, request: Command, data: DataSet) -> Response:
        self.stored[request.sop_instance_uid] = b"".join(bytes(fragment) for fragment in data)
        association.state = (association.state or 0) + 1
        return Response()

    def find(self, _association: Association, _request: Command, data: DataSet) -> Iterator[Response]:
        self.identifiers.append(data.read())
        for match in self.matches:
            yield Response(Status.PENDING, match)

    def create(self, _association: Association, _request: Command, data: DataSet) -> Response:
        return Response(data_set=data.read())

    def before_release(self, association: Association) -> None:
        self.committed.append(association.state or 0)

    def on_open(self, association: Association) -> None:
        self.opened.append(association.calling_ae_title)

    def on_close(self, _association: Association, outcome: Outcome, sentence: str) -> None:
        with self.changed:
            self.ended.append((outcome, sentence))
            self.changed.notify_all()

    def on_operation(self, _association: Association, request: Command, status: int, seconds: float) -> None:
        assert 0 <= seconds < 60
        with self.changed:
            self.operations.append((request.operation, status))
            self.changed.notify_all()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds, at most ten seconds."""
        with self.changed:
            assert self.changed.wait_for(condition, 10), (self.ended, self.operations)

    def services(self) -> dict[tuple[str, int], Service]:
        return {
            (VERIFICATION, CommandField.C_ECHO_RQ): lambda _a, _r, _d: Response(),
            (ANY_SOP_CLASS, CommandField.C_STORE_RQ): self.store,
            (STUDY_FIND, CommandField.C_FIND_RQ): self.find,
            (MPPS, CommandField.N_CREATE_RQ): self.create,
        }


@pytest.fixture
def archive() -> Archive:
    return Archive()


StartServer = Callable[..., Server]


@pytest.fixture
def start_server(archive: Archive) -> Iterator[StartServer]:
    """Start servers for the archive; services, timers and limits can be given. All are stopped at the end."""
    with contextlib.ExitStack() as stack:

        def start(
            services: dict[tuple[str, int], Service] | None = None,
            timers: Timers = SHORT_TIMERS,
            limits: Limits = DEFAULT_LIMITS,
            **application: object,
        ) -> Server:
            hooks = {
                "on_open": archive.on_open,
                "on_close": archive.on_close,
                "before_release": archive.before_release,
                "on_operation": archive.on_operation,
            } | application
            app = Application(archive.negotiate, archive.services() | (services or {}), **hooks)  # type: ignore[arg-type]
            return stack.enter_context(Server(app, timers=timers, limits=limits))

        yield start


@pytest.fixture
def server(start_server: StartServer) -> Server:
    """A server with the archive's services and ordinary, if shorter, timers."""
    return start_server(timers=Timers(5, 5, 5))


@pytest.fixture
def connect() -> Iterator[Callable[[Server], RawPeer]]:
    peers: list[RawPeer] = []

    def connect(server: Server) -> RawPeer:
        peers.append(RawPeer(server.address))
        return peers[-1]

    yield connect
    for peer in peers:
        peer.sock.close()
