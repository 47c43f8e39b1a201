"""The senders: DCMTK's `dcmsend` and a plain HTTP client for STOW-RS. They give seconds, and refuse half successes."""

import http.client
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.peers import Peer

SEND_SECONDS = 600
BOUNDARY = "bench-boundary-7c1f0d"

# dcmsend first reads all files. Its own log, with the time of each line, tells when the association really began and
# ended; other loggers stay quiet so that logging costs the sender nothing.
LOG_CONFIG = """\
log4cplus.rootLogger = WARN, out
log4cplus.logger.dcmtk.apps.dcmsend = INFO
log4cplus.appender.out = log4cplus::ConsoleAppender
log4cplus.appender.out.logToStdErr = true
log4cplus.appender.out.layout = log4cplus::PatternLayout
log4cplus.appender.out.layout.ConversionPattern = %D{%s.%q} %m%n
"""


@dataclass(frozen=True)
class Span:
    """When an association (or request) began and ended, seconds since the epoch, and how many instances it stored."""

    began: float
    ended: float
    stored: int


def read_log(log: str) -> Span:
    """The span of the association in `dcmsend`'s log: from its request to the line that follows its release."""
    began = ended = 0.0
    stored = 0
    for line in log.splitlines():
        moment, _, message = line.partition(" ")
        if message.startswith("negotiating network association") and not began:
            began = float(moment)
        elif message.startswith("Status Summary"):
            ended = float(moment)
        elif "with status SUCCESS" in message:
            stored = int(message.rpartition(":")[2])
    if not began or not ended:
        raise RuntimeError(f"dcmsend did not finish its association: {log[-2000:]}")
    return Span(began, ended, stored)


def dcmsend(peer: Peer, groups: Sequence[Sequence[Path]], *, nodelay: bool) -> float:
    """Send each group over an association of its own, all at once; seconds from the first request to the last release.

    `nodelay` sets DCMTK's switch in the sender's environment; without it its sockets are as most modalities' are.
    """
    environment = {key: value for key, value in os.environ.items() if key != "TCP_NODELAY"}
    if nodelay:
        environment["TCP_NODELAY"] = "1"
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as config:
        config.write(LOG_CONFIG)
        config.flush()
        head = ["dcmsend", "--log-config", config.name, "--single-association", "--call", peer.ae_title]
        argvs = [[*head, "127.0.0.1", str(peer.dicom_port), *map(str, files)] for files in groups]
        senders = [
            subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for argv in argvs
        ]
        spans = [read_log(sender.communicate(timeout=SEND_SECONDS)[1]) for sender in senders]
    for span, files in zip(spans, groups, strict=True):
        if span.stored != len(files):
            raise RuntimeError(f"{peer.name} acknowledged {span.stored} of {len(files)} instances")
    return max(span.ended for span in spans) - min(span.began for span in spans)


def multipart(files: Sequence[Path]) -> bytes:
    """The body of one STOW-RS request, PS3.18 10.5.1."""
    parts = [
        b"--%s\r\nContent-Type: application/dicom\r\n\r\n%s\r\n" % (BOUNDARY.encode(), f.read_bytes()) for f in files
    ]
    return b"".join(parts) + b"--%s--\r\n" % BOUNDARY.encode()


def stow(peer: Peer, groups: Sequence[Sequence[Path]]) -> float:
    """Post each group as one request, one after another over one connection; seconds of all requests together."""
    headers = {
        **peer.headers,
        "Content-Type": f'multipart/related; type="application/dicom"; boundary={BOUNDARY}',
        "Accept": "application/dicom+json",
    }
    connection = http.client.HTTPConnection("127.0.0.1", peer.http_port, timeout=SEND_SECONDS)
    seconds = 0.0
    for files in groups:
        body = multipart(files)
        began = time.perf_counter()
        connection.request("POST", f"{peer.dicomweb}/studies", body, headers)
        answer = connection.getresponse()
        report = answer.read()
        seconds += time.perf_counter() - began
        check_stow_answer(peer.name, answer.status, report, len(files))
    connection.close()
    return seconds


def check_stow_answer(name: str, status: int, report: bytes, count: int) -> None:
    """Refuse an answer that does not list every instance of the request as stored (0008,1199)."""
    referenced: list[object] = json.loads(report)["00081199"]["Value"] if status == 200 else []
    if len(referenced) != count:
        raise RuntimeError(f"{name}: STOW-RS gave {status} and stored {len(referenced)} of {count}: {report[:500]!r}")
