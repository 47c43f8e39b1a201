"""The sample studies, sent through our own DICOM port like those of any modality, most of them for an order.

What was loaded is remembered, so that a second start keeps the data and loads nothing twice.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.demo import orders
from radiology.dicom_network.client import Peer, connect
from radiology.errors import Conflict
from radiology.kit.clock import monotonic_seconds
from radiology.kit.ids import uuid7
from radiology.relations import queries as relations
from radiology.relations.model import LONGEST, Kind
from radiology.samples import SampleInstance, make_studies
from radiology.settings import Settings
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN
from radiology.studies.actions.register import register_study
from radiology.studies.queries import read
from radiology.studies.schemas import StudyIn
from radiology.supervisor import local_address

AE_TITLE = "DEMO_MODALITY"
ACCOUNT = "demo"
WITHOUT_ORDER = 3
"""So many studies, the latest, come without an order: they wait for somebody who says whose they are."""

#: An order without images, under the number that the specification's example of a report names.
EXAMPLE_STUDY: dict[str, Any] = {
    "studyId": "study-123",
    "status": "registered",
    "modality": [{"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "DX"}]}],
    "subject": {"reference": "Patient/12345"},
    "encounter": {"reference": "Encounter/67890"},
    "procedureCode": [{"coding": [{"system": "http://loinc.org", "code": "36643-5", "display": "XR Chest 2 Views"}]}],
    "studyDescription": "Chest PA and Lateral",
}


def load(settings: Settings) -> None:
    """Load the samples where they are not there yet, with progress. Started again after a break, it goes on."""
    began = monotonic_seconds()
    memory = settings.data_dir / "demo.json"
    told = _remembered(memory)
    if not told.get("loaded"):
        today = date.fromisoformat(told["today"]) if told else datetime.now(settings.zone).date()
        memory.write_text(json.dumps({"today": today.isoformat()}))
        asyncio.run(_register_example(settings))
        samples = list(make_studies(today))
        studies = list(_by_study(samples))
        asked = asyncio.run(orders.place(settings, [study[0] for study in studies[:-WITHOUT_ORDER]]))
        _send(settings, samples)
        asyncio.run(_treat(settings, [*dict.fromkeys(sample.study_instance_uid for sample in samples), *asked]))
        memory.write_text(json.dumps({"today": today.isoformat(), "loaded": True}))
    print(
        f"The sample studies are loaded ({monotonic_seconds() - began:.0f} s). Stop everything with Ctrl-C.", flush=True
    )


def _remembered(memory: Path) -> dict[str, Any]:
    try:
        return json.loads(memory.read_text())
    except (FileNotFoundError, ValueError):
        return {}


def _send(settings: Settings, samples: list[SampleInstance]) -> None:
    console = Console()
    columns = (TextColumn("  sample images"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(samples))
        for study in _by_study(samples):
            _send_study(settings, study)
            progress.advance(task, len(study))
            if not console.is_terminal and progress.tasks[0].completed % 20 < len(study):
                print(f"  {progress.tasks[0].completed:.0f} of {len(samples)} sample images", flush=True)


def _by_study(samples: list[SampleInstance]) -> Iterator[list[SampleInstance]]:
    for _, study in groupby(samples, lambda sample: sample.study_instance_uid):
        yield list(study)


def _send_study(settings: Settings, study: list[SampleInstance]) -> None:
    contexts = [(uid, [EXPLICIT_VR_LITTLE_ENDIAN]) for uid in dict.fromkeys(sample.sop_class_uid for sample in study)]
    with connect(
        Peer(local_address(settings.bind_address), settings.dicom_port, settings.ae_title, AE_TITLE), contexts
    ) as association:
        for sample in study:
            answer = association.store(sample.sop_class_uid, sample.sop_instance_uid, sample.data_set)
            if answer.status:
                raise Conflict(f"A sample image was refused with {answer.status:04X}: {answer.error_comment}.")


async def _treat(settings: Settings, study_instance_uids: Iterable[str]) -> None:
    """The demo's account treats the sample patients, so that it sees their sensitive studies."""
    app = App.of(settings, connections=1)
    await app.db.open()
    try:
        async with app.db.transaction() as tx:
            for uid in study_instance_uids:
                study_id = await read.resolve(tx, uid, visible_to=SYSTEM)
                await relations.note(
                    tx,
                    id=uuid7(),
                    actor=f"account:{ACCOUNT}",
                    kind=Kind.READER,
                    study_id=study_id,
                    lasts=LONGEST,
                    source="demo",
                    made_by=SYSTEM.id,
                )
    finally:
        await app.db.close()


async def _register_example(settings: Settings) -> None:
    app = App.of(settings, connections=1)
    await app.db.open()
    try:
        await register_study(app, SYSTEM, StudyIn.model_validate(EXAMPLE_STUDY))
    except Conflict:
        return  # It is there from a start that was broken off.
    finally:
        await app.db.close()
