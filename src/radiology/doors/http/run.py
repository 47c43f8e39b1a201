"""One HTTP process: uvicorn on a port that it shares with its siblings."""

import contextlib
import socket
from collections.abc import Generator
from types import FrameType

import uvicorn

from radiology.app import App
from radiology.doors.http.assemble import build
from radiology.doors.http.feed import Feed
from radiology.settings import Settings

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
#: Nothing is expected on a WebSocket of ours: it tells.
WEBSOCKET_MESSAGE_BYTES = 64 * 1024


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then take no more, let running requests end up to `drain_seconds`, and return."""
    service = build(App.of(settings))
    config = uvicorn.Config(
        service,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=WEBSOCKET_MESSAGE_BYTES,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.drain_seconds,
        backlog=BACKLOG,
    )
    with listening(settings.bind_address, settings.http_port) as listener:
        Server(config, service.state.feed).run(sockets=[listener])


class Server(uvicorn.Server):
    """A server that ends its streams of events when it is told to stop, so that it does not wait for them."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to stop."""
        self._feed.stop_streams()
        super().handle_exit(sig, frame)
        # uvicorn raises what it caught again when it has ended; for a child that stops as told that is no failure.
        self._captured_signals.clear()


@contextlib.contextmanager
def listening(address: str, port: int) -> Generator[socket.socket]:
    """A listening socket whose port other processes of the service listen on too (SO_REUSEPORT)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((address, port))
        yield listener
