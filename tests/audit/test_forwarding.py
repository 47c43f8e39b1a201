"""Audit messages at a repository: rsyslog over TLS, at least once, in order, after an outage too."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from socket import create_connection
from xml.etree import ElementTree as ET

import pytest

import certificates
from node import free_port
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.audit import actions, queries, sealing
from radiology.audit.forwarding import forward
from radiology.kit.db import Database
from radiology.kit.objects import LocalObjects
from radiology.settings import Settings

DRIVER = Path("/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so")
pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not DRIVER.exists(), reason="rsyslog-gnutls is not installed")]

CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="64k" defaultNetstreamDriver="gtls"
       defaultNetstreamDriverCAFile="{folder}/repository.pem"
       defaultNetstreamDriverCertFile="{folder}/repository.pem"
       defaultNetstreamDriverKeyFile="{folder}/repository.key")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="kept" type="list") {{
  property(name="pri") constant(value=" ") property(name="app-name") constant(value=" ") property(name="msgid")
  constant(value=" ") property(name="msg") constant(value="\\n")
}}
action(type="omfile" file="{folder}/kept.log" template="kept" flushOnTXEnd="on")
"""


@contextmanager
def rsyslog(folder: Path, port: int) -> Iterator[None]:
    """A repository until the block ends."""
    configuration = folder / "rsyslog.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port))
    program = which("rsyslogd") or "/usr/sbin/rsyslogd"
    process = subprocess.Popen([program, "-n", "-f", configuration, "-i", folder / "pid"])
    try:
        limit = time.monotonic() + 10
        while True:
            try:
                create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < limit, "rsyslog does not listen"
                time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(10)


def kept(folder: Path, count: int) -> list[str]:
    """What the repository has, once it has so many lines."""
    path, limit = folder / "kept.log", time.monotonic() + 10
    while not path.exists() or path.read_text().count("\n") < count:
        assert time.monotonic() < limit, path.read_text() if path.exists() else "nothing came"
        time.sleep(0.02)
    return [line for line in path.read_text().splitlines() if "AuditMessage" in line]


async def write(app: App, first: int, count: int) -> None:
    for number in range(first, first + count):
        async with app.db.transaction() as tx:
            await actions.record(tx, SYSTEM, "study.register", f"1.2.{number}")
    await sealing.seal_arrivals(app)


def studies(lines: list[str]) -> list[str]:
    roots = [ET.fromstring(line[line.index("<AuditMessage") :]) for line in lines]  # noqa: S314 - our own.
    return [root.findall("ParticipantObjectIdentification")[0].attrib["ParticipantObjectID"] for root in roots]


@pytest.mark.peer("Audit messages by syslog over TLS (sender)", "rsyslog")
async def test_messages_reach_a_repository_in_order_and_after_an_outage(settings: Settings, tmp_path: Path) -> None:
    certificates.make(tmp_path, "repository", subject="localhost")
    port = free_port()
    settings = settings.model_copy(
        update={"audit_repositories": f"localhost:{port}", "audit_tls_authorities": tmp_path / "repository.pem"}
    )
    app = App(settings, Database(settings.database_dsn, connections=3), LocalObjects(settings.objects_dir))
    await app.db.open()
    try:
        await write(app, 1, 3)
        assert await forward(app) == 0  # Nobody is there.
        async with app.db.transaction() as tx:
            assert "refused" in await tx.value("SELECT failure FROM audit_repositories")
            assert await queries.lock_repository(tx, f"localhost:{port}", again_seconds=30) is None
            await tx.run("UPDATE audit_repositories SET failed_at = now() - interval '1 minute'")
        with rsyslog(tmp_path, port):
            assert await forward(app) == 3
            assert await forward(app) == 0
            await write(app, 4, 600)
            assert await forward(app) == 600
            lines = kept(tmp_path, 603)
        async with app.db.transaction() as tx:
            chained = await tx.values("SELECT subject FROM audit_records ORDER BY sequence")
    finally:
        await app.db.close()
    assert studies(lines) == chained
    assert {line.split(" <?xml")[0].split("\ufeff")[0].strip() for line in lines} == {"85 radiology DICOM+RFC3881"}


async def test_a_repository_that_is_not_trusted_gets_nothing(settings: Settings, tmp_path: Path) -> None:
    certificates.make(tmp_path, "repository", subject="localhost")
    port = free_port()
    settings = settings.model_copy(update={"audit_repositories": f"localhost:{port}"})
    app = App(settings, Database(settings.database_dsn, connections=3), LocalObjects(settings.objects_dir))
    await app.db.open()
    try:
        await write(app, 1, 1)
        with rsyslog(tmp_path, port):
            assert await forward(app) == 0
            async with app.db.transaction() as tx:
                assert "CERTIFICATE_VERIFY_FAILED" in await tx.value("SELECT failure FROM audit_repositories")
    finally:
        await app.db.close()
