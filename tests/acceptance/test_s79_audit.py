"""Scenario 79: any read, search, store and denial is exactly one audit record; the chain is valid, tampering found."""

import asyncio
from collections import Counter
from typing import Any

import httpx2
import psycopg
import pytest
from fastapi import FastAPI

import make
from conftest import ClientAs
from radiology.app import App
from radiology.audit import sealing, search
from radiology.audit.model import Record, meaning_of
from radiology.audit.search import Criteria
from radiology.audit.verifying import verify

pytestmark = pytest.mark.anyio


async def kept(app: App, service: FastAPI, before: set[Any]) -> list[Record]:
    """The records that were made since, sealed."""
    trail = service.state.archive.trail
    while trail.waiting_bytes:
        trail.flush()
        await asyncio.sleep(0.005)
    await sealing.seal_arrivals(app)
    async with app.db.transaction() as tx:
        found = await search.find(tx, Criteria(limit=500))
    new = [record for record in found if record.id not in before]
    before.update(record.id for record in new)
    return new


async def test_s79_every_act_is_exactly_one_record_in_a_valid_chain(
    app: App, service: FastAPI, client: httpx2.AsyncClient, client_as: ClientAs
) -> None:
    stored = await make.a_study(app, PatientID="P-79")
    study, image = stored.study_instance_uid, stored.objects[0]
    instance = f"/dicomweb/studies/{study}/series/{image.SeriesInstanceUID}/instances/{image.SOPInstanceUID}"
    reader, referrer = await client_as("radiologist"), await client_as("referrer")
    seen: set[Any] = set()
    await kept(app, service, seen)
    part = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + make.as_file(make.an_object()) + b"\r\n--b--\r\n"
    multipart = {"content-type": 'multipart/related; type="application/dicom"; boundary=b'}
    acts: list[tuple[Any, int, str, str, int]] = [
        (reader.get("/dicomweb/studies?PatientID=P-79"), 200, "study.find", "110112", 0),
        (reader.get(f"/dicomweb/studies/{study}/series"), 200, "study.find", "110112", 0),
        (reader.get(f"/dicomweb/studies/{study}/metadata"), 200, "study.retrieve", "110103", 0),
        (reader.get(f"{instance}/frames/1"), 200, "study.retrieve", "110103", 0),
        (reader.get(f"{instance}/rendered"), 200, "study.retrieve", "110103", 0),
        (reader.get(f"{instance}/thumbnail"), 200, "study.retrieve", "110103", 0),
        (reader.get(f"/light/{study}"), 200, "study.open", "110103", 0),
        (reader.get("/api/radiology/studies?patient=P-79"), 200, "study.find", "110112", 0),
        (reader.get(f"/api/radiology/studies/{study}"), 200, "study.read", "110103", 0),
        (reader.get("/api/radiology/reports"), 200, "report.find", "110112", 0),
        (reader.get("/api/radiology/worklist"), 200, "worklist.find", "110112", 0),
        (reader.get("/api/radiology/changes"), 200, "feed.read", "110112", 0),
        (reader.get("/dicomweb/workitems"), 200, "workitem.find", "110112", 0),
        (reader.post("/dicomweb/studies", content=part, headers=multipart), 200, "study.store", "110104", 0),
        (reader.post("/api/radiology/dicom/query", json={"level": "STUDY"}), 200, "study.find", "110112", 0),
        (reader.get("/api/radiology/studies/1.2.3"), 404, "access.not-found", "110103", 4),
        (referrer.post("/dicomweb/studies", content=part, headers=multipart), 403, "access.denied", "110113", 8),
        (reader.get("/api/radiology/audit"), 403, "access.denied", "110113", 8),
        (client.get(f"/dicomweb/studies/{study}"), 401, "access.denied", "110113", 4),
        (client.get("/api/radiology/studies", auth=("rahim", "wrong")), 401, "session.failed", "110114", 4),
        (client.get("/health/live"), 200, "", "", 0),
        (reader.get("/api/radiology/me"), 200, "", "", 0),
    ]
    for act, status, action, event, outcome in acts:
        answer = await act
        assert answer.status_code == status, answer.text
        made = await kept(app, service, seen)
        described = [(record.action, meaning_of(record.action).event, record.outcome) for record in made]
        assert described == ([(action, event, outcome)] if action else []), (answer.request.url, made)
        for record in made:
            assert record.request_id == answer.headers["x-request-id"]
            assert record.source == "http"
    verdict = await verify(app)
    assert verdict.broken is None
    with psycopg.connect(app.settings.database_dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE audit_records SET outcome = 0 WHERE action = 'access.not-found'")
    tampered = (await verify(app)).broken
    assert tampered is not None
    assert tampered.kind == "changed"


async def test_s79_who_saw_what_is_told_to_the_privacy_officer(app: App, service: FastAPI, client_as: ClientAs) -> None:
    stored = await make.a_study(app, PatientID="P-80")
    reader, officer = await client_as("radiologist"), await client_as("privacy-officer")
    assert (await reader.get(f"/dicomweb/studies/{stored.study_instance_uid}/metadata")).status_code == 200
    await kept(app, service, set())
    async with app.db.transaction() as tx:
        reference = await search.find_patient(tx, "P-80")
    answer = await officer.get(f"/api/radiology/patients/{reference}/accesses")
    assert answer.status_code == 200, answer.text
    told = Counter((each["who"], each["what"]) for each in answer.json()["results"])
    assert told["Radiologist", "looked at images"] == 1
    bangla = await officer.get(f"/api/radiology/patients/{reference}/accesses?lang=bn")
    assert {"রেডিওলজিস্ট"} <= {each["who"] for each in bangla.json()["results"]}
    assert (await reader.get(f"/api/radiology/patients/{reference}/accesses")).status_code == 403
