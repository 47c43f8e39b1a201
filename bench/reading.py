"""The reading worklist with 10,000 studies that wait, among 100,000 that are read, for readers of two kinds.

One sees every study, one nothing sensitive of those he does not treat. In a database of its own, in this process.
Beside the time that passes stands the processor time of the database for one question, which other programs do not
change.
"""

import os
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from bench import alone
from bench.worklist import slowest_hundredth
from radiology.access.model import ROLES, SYSTEM, Actor, Role
from radiology.app import App
from radiology.reading_worklist.queries import listing
from radiology.reading_worklist.queries.criteria import Criteria, Place

WAITING, READ = 10_000, 100_000
PATIENTS = 60_000
ROUNDS, WARM = 200, 20

PEOPLE = """
    INSERT INTO patients (id, reference, patient_id, issuer_of_patient_id, patient_name, birth_date, sex)
    SELECT uuid_of(number), 'Patient/' || number, 'P' || number, 'LOCAL', 'Rahman^Patient ' || number, '1980-01-15', 'F'
    FROM generate_series(1, %(patients)s) AS number
"""
UUIDS = """
    CREATE FUNCTION uuid_of(number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    AS $$ SELECT md5(number::text)::uuid $$
"""
STUDIES = """
    INSERT INTO imaging_studies (id, patient_id, status, study_instance_uid, facility_code, completed, started,
        modalities_in_study, study_description, number_of_series, number_of_instances, study_date, confidentiality,
        sensitive_classes)
    SELECT uuid_of(1000000 + number), uuid_of(1 + number %% %(patients)s), 'completed', '2.25.' || number,
        'F' || number %% 20, made, made, ARRAY[(ARRAY['DX', 'CT', 'US', 'MR', 'MG'])[1 + number %% 5]], 'Examination',
        2, 40, made::date, CASE WHEN number %% 5 = 4 THEN 'R' ELSE 'N' END,
        CASE WHEN number %% 5 = 4 THEN ARRAY['S2'] ELSE '{}' END
    FROM (SELECT number, now() - (%(studies)s - number) * interval '20 seconds' AS made
        FROM generate_series(1, %(studies)s) AS number) AS each
"""
ITEMS = """
    INSERT INTO reading_items (study_id, study_instance_uid, facility_code, patient_id, sensitive, sensitive_classes,
        state, priority, modality, modalities, region, subspecialty, rvu, age_group, inpatient, arriving, received_at,
        sla_hours, completed_at, half_at, deadline, assigned_to, finished_at)
    SELECT id, study_instance_uid, facility_code, patient_id, sensitive, sensitive_classes,
        CASE WHEN number > %(read)s THEN 'waiting' ELSE 'final' END,
        CASE WHEN number %% 50 = 0 THEN 'stat' WHEN number %% 7 = 0 THEN 'urgent' ELSE 'routine' END,
        modalities_in_study[1], modalities_in_study, 'chest', (ARRAY['neuro', 'chest', 'body'])[1 + number %% 3], 3,
        'adult', number %% 4 = 0, false, completed, 24, completed, completed + interval '12 hours',
        completed + interval '24 hours', CASE WHEN number %% 3 = 0 THEN 'account:reader' || number %% 40 END,
        CASE WHEN number <= %(read)s THEN completed + interval '3 hours' END
    FROM (SELECT *, substr(study_instance_uid, 6)::bigint AS number FROM imaging_studies) AS study
"""
CARE = """
    INSERT INTO care_relations (id, actor, kind, patient_id, ends_at, source, made_by)
    SELECT gen_random_uuid(), 'account:reader1', 'reader', uuid_of(number), now() + interval '30 days', 'bench', 'bench'
    FROM generate_series(1, 400) AS number
"""
READER = Actor("account:reader1", "A reader", ROLES[Role.RADIOLOGIST], role=Role.RADIOLOGIST)


def run() -> int:
    """Measure, print, write and judge. The exit status."""
    return alone.run("reading", measure, form=".1f")


async def measure(app: App, _pid: int) -> dict[str, float]:
    """Make the studies, and ask for first and later pages, filters and counts."""
    await _make(app)
    readers = {"masked": READER, "all": SYSTEM, "ward": replace(READER, facility_codes=frozenset({"F1", "F2"}))}
    figures: dict[str, float] = {}
    for name, reader in readers.items():
        figures |= await _times(f"list_{name}", lambda reader=reader: _list(app, reader, Criteria()))
        figures |= await _times(f"counts_{name}", lambda reader=reader: _counts(app, reader))
        figures |= await _processor_times(app, name, reader)
    second = await _second_page(app)
    figures |= await _times("second_page_masked", lambda: _list(app, READER, second))
    filtered = Criteria(queue="mine", modality=("CT",))
    figures |= await _times("mine_masked", lambda: _list(app, READER, filtered))
    return figures


async def _make(app: App) -> None:
    parameters = {"patients": PATIENTS, "studies": WAITING + READ, "read": READ}
    async with app.db.transaction() as tx:
        for statement in (UUIDS, PEOPLE, STUDIES, ITEMS, CARE):
            await tx.run(statement, **(parameters if "%(" in statement else {}))
        await tx.run("ANALYZE")


async def _list(app: App, reader: Actor, criteria: Criteria) -> None:
    async with app.db.reading(planned_once=True) as tx:
        body, _ = await listing.listed(tx, criteria, visible_to=reader, now=app.clock.now(), zone="Asia/Dhaka")
    assert len(body) > 2


async def _counts(app: App, reader: Actor) -> None:
    async with app.db.reading(planned_once=True) as tx:
        await listing.counts(tx, visible_to=reader, now=app.clock.now())


async def _second_page(app: App) -> Criteria:
    async with app.db.transaction() as tx:
        _, cursor = await listing.listed(tx, Criteria(), visible_to=READER, now=app.clock.now(), zone="Asia/Dhaka")
    assert cursor is not None
    return Criteria(after=Place.read(cursor))


async def _processor_times(app: App, name: str, reader: Actor) -> dict[str, float]:
    """Milliseconds of the processor that the database takes for a page, and for the counts."""
    async with app.db.reading(planned_once=True) as tx:
        backend = await tx.value("SELECT pg_backend_pid()")

        async def page() -> None:
            await listing.listed(tx, Criteria(), visible_to=reader, now=app.clock.now(), zone="Asia/Dhaka")

        async def counts() -> None:
            await listing.counts(tx, visible_to=reader, now=app.clock.now())

        return {
            f"list_{name}_processor_ms": await _processor_time(backend, page),
            f"counts_{name}_processor_ms": await _processor_time(backend, counts),
        }


async def _processor_time(backend: int, ask: Callable[[], Awaitable[None]]) -> float:
    for _ in range(WARM):
        await ask()
    before = _used_ms(backend)
    for _ in range(ROUNDS):
        await ask()
    return (_used_ms(backend) - before) / ROUNDS


def _used_ms(pid: int) -> float:
    """User and system time of a process (proc(5): utime, stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


async def _times(name: str, ask: Callable[[], Awaitable[None]]) -> dict[str, float]:
    taken: list[float] = []
    for number in range(ROUNDS + WARM):
        began = time.perf_counter()
        await ask()
        if number >= WARM:
            taken.append((time.perf_counter() - began) * 1000)
    return {f"{name}_p50_ms": statistics.median(taken), f"{name}_p99_ms": slowest_hundredth(taken)}
