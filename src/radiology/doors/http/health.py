"""Whether the service lives, can be used, and how each of its parts is."""

import asyncio
import os
from collections.abc import Awaitable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from radiology.app import App
from radiology.delivery.routing.delivery_queries import number_waiting
from radiology.errors import RadiologyError
from radiology.hl7.queries import number_waiting as number_unused
from radiology.kit import metrics, migrate, outbox
from radiology.kit.processes import SupervisorState, read_state
from radiology.remotes.health.queries import number_silent
from radiology.retention.forecast import days_left
from radiology.retention.object_queries import number_damaged
from radiology.studies.actions.recover import MARK as RECOVERY
from radiology.studies.queries import upkeep

CHECK_SECONDS = 3.0
UP, DOWN, ABSENT = "up", "down", "not configured"


async def live(_request: Request) -> Response:
    """The process answers."""
    return _json(200, {"status": UP})


async def ready(request: Request) -> Response:
    """200 only when everything can be used, else 503 with what is missing."""
    app: App = request.app.state.app
    parts = await check(app)
    missing = sorted(name for name, part in parts.items() if part["status"] == DOWN)
    return _json(503 if missing else 200, {"status": DOWN if missing else UP, "missing": missing, "parts": parts})


async def health(request: Request) -> Response:
    """The specification's map: each part by its key."""
    app: App = request.app.state.app
    parts = await check(app)
    whole = DOWN if any(part["status"] == DOWN for part in parts.values()) else UP
    now = app.clock.now().astimezone(app.settings.zone).isoformat(timespec="milliseconds")
    named = {
        "database": parts["database"],
        "cache": _named_only(app.settings.redis_host, "kept in each process"),
        "kafka": _named_only(app.settings.kafka_brokers, "events are read from /api/radiology/changes"),
        "dicom_engine": parts["dicom_engine"],
        "pacs_integration": _named_only(app.settings.pacs_url, "this service is the PACS"),
        "report_engine": {"status": parts["database"]["status"]},
        "storage_service": parts["storage_service"],
        "worker": parts["worker"],
        **({"hl7_engine": parts["hl7_engine"]} if "hl7_engine" in parts else {}),
    }
    return _json(503 if whole == DOWN else 200, {"status": whole, **named, "timestamp": now})


async def exposition(request: Request) -> Response:
    """Metrics of all processes of this service, for Prometheus."""
    app: App = request.app.state.app
    gauges = [("radiology_disk_free_bytes", "Free space where images are kept", float(app.objects.free_bytes()))]
    try:
        async with app.db.transaction() as tx:
            age = await outbox.oldest_unplaced_seconds(tx)
            waiting = await number_waiting(tx)
            silent = await number_silent(tx)
            damaged = await number_damaged(tx)
            days = await days_left(tx, app)
            unused = await number_unused(tx)
        gauges.append(("radiology_deliveries_waiting", "Studies that wait to be sent on by a rule", float(waiting)))
        if days is not None:
            gauges.append(("radiology_disk_days_until_reserve", "Forecast of when the disk is full", float(days)))
        gauges.append(("radiology_objects_damaged", "Damaged objects that are not repaired", float(damaged)))
        gauges.append(("radiology_remotes_silent", "Peers of the registry that do not answer", float(silent)))
        gauges.append(("radiology_hl7_waiting", "HL7 messages that wait for a person", float(unused)))
        gauges.append(
            ("radiology_outbox_age_seconds", "Age of the oldest event that has no place in the feed yet", age)
        )
        gauges.append(("radiology_database_up", "Whether the database answers", 1.0))
    except RadiologyError:
        gauges.append(("radiology_database_up", "Whether the database answers", 0.0))
    return Response(metrics.exposition(gauges), media_type=metrics.CONTENT_TYPE)


routes = [
    Route("/health/live", live),
    Route("/health/ready", ready),
    Route("/health", health),
    Route("/metrics", exposition),
]


async def check(app: App) -> dict[str, dict[str, Any]]:
    """Each part that must work: `status` up or down, and a sentence where it is down."""
    database, storage = await asyncio.gather(
        _guarded(_database(app), "the database does not answer"),
        _guarded(asyncio.to_thread(_storage, app), "the folder of images cannot be written"),
    )
    state = await asyncio.to_thread(read_state, app.settings.run_dir)
    recovery = await _guarded(_recovery(app, state), "the database does not answer")
    return {
        "database": database,
        "storage_service": storage,
        "recovery": recovery,
        "dicom_engine": _child(state, "dimse"),
        "worker": _child(state, "worker"),
        **({"hl7_engine": _child(state, "hl7")} if app.settings.hl7_ports else {}),
    }


async def _guarded(part: Awaitable[dict[str, Any]], sentence: str) -> dict[str, Any]:
    try:
        return await asyncio.wait_for(part, CHECK_SECONDS)
    except (RadiologyError, OSError, TimeoutError):
        return {"status": DOWN, "detail": sentence}


async def _database(app: App) -> dict[str, Any]:
    async with app.db.transaction() as tx:
        there = await tx.value("SELECT to_regclass('alembic_version') IS NOT NULL")
        revision = await tx.value("SELECT max(version_num) FROM alembic_version") if there else None
    if revision != (needed := migrate.newest()):
        return {"status": DOWN, "detail": f"the schema is at {revision}, this version needs {needed}: run radi migrate"}
    return {"status": UP, "revision": revision}


async def _recovery(app: App, state: SupervisorState | None) -> dict[str, Any]:
    """Since the start, what a crash left without rows has been indexed: no answer lacks what was acknowledged."""
    if state is None:
        return {"status": ABSENT, "detail": "no supervisor runs here: ask the worker itself"}
    async with app.db.transaction() as tx:
        done = await upkeep.mark(tx, RECOVERY)
    if done is None or done.timestamp() < state.started_at:
        return {"status": DOWN, "detail": "images stored before the last stop are being indexed"}
    return {"status": UP}


def _storage(app: App) -> dict[str, Any]:
    free = app.objects.free_bytes()
    if free < app.settings.disk_reserve_bytes:
        return {"status": DOWN, "detail": "the disk is full to its reserve", "freeBytes": free}
    probe = app.objects.root / f".probe-{os.getpid()}"
    probe.write_bytes(b"radi")
    probe.unlink()
    return {"status": UP, "freeBytes": free}


def _child(state: SupervisorState | None, role: str) -> dict[str, Any]:
    """What the supervisor says of a process; it cannot tell where each process was started by itself."""
    if state is None:
        return {"status": ABSENT, "detail": "no supervisor runs here: ask that process itself"}
    states = [child.state for child in state.children if child.role == role]
    if states and all(each == "running" for each in states):
        return {"status": UP}
    return {"status": DOWN, "detail": f"{role} is {', '.join(states) or 'not started'}"}


def _named_only(value: str | None, sentence: str) -> dict[str, str]:
    return {
        "status": ABSENT,
        "detail": sentence if value is None else f"named in the settings and not used: {sentence}",
    }


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), status, {"cache-control": "no-store"}, "application/json")
