"""Three facilities with ordinary and sensitive studies, and texts that nobody must read but who may see them."""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

import make
from leaks.seeds import seed
from radiology.app import App
from radiology.kit.db import as_json

TIMES = {"BREAST": "131722", "FORENSIC": "141823", "FAROFF": "151924", "REMOTE": "161025"}


@dataclass
class Study:
    """One study of the world, and what tells of it.

    `within`: what nobody reads for whom it is masked; `names`: what it is known by; `known_as`: by path parameter.
    """

    stored: make.Stored
    id: UUID
    report: UUID
    facility: str
    sensitive: bool
    within: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    known_as: dict[str, str] = field(default_factory=dict)

    @property
    def image(self) -> Dataset:
        return self.stored.objects[0]

    @property
    def uid(self) -> str:
        return self.stored.study_instance_uid

    @property
    def all(self) -> list[str]:
        return [*self.within, *self.names]


@dataclass
class World:
    ordinary: Study
    breast: Study
    forensic: Study
    elsewhere: Study
    sensitive_elsewhere: Study
    third: Study

    @property
    def sensitive(self) -> list[Study]:
        return [self.breast, self.forensic]

    @property
    def of_others(self) -> list[Study]:
        return [self.elsewhere, self.sensitive_elsewhere, self.third]

    @property
    def studies(self) -> list[Study]:
        return [self.ordinary, *self.sensitive, *self.of_others]


@pytest.fixture
async def world(app: App) -> World:
    return await a_world(app)


async def a_world(app: App) -> World:
    return World(
        ordinary=await a_study(app, "ORDINARY", "LOCAL", "CT", []),
        breast=await a_study(app, "BREAST", "LOCAL", "MG", ["S2"]),
        forensic=await a_study(app, "FORENSIC", "LOCAL", "DX", ["S4"], "V"),
        elsewhere=await a_study(app, "ELSEWHERE", "OTHER", "CT", []),
        sensitive_elsewhere=await a_study(app, "FAROFF", "OTHER", "US", ["S1"]),
        third=await a_study(app, "REMOTE", "THIRD", "MG", ["S2"]),
    )


async def a_study(
    app: App, word: str, facility: str, modality: str, classes: list[str], confidentiality: str = "R"
) -> Study:
    """A study whose every text holds the word, and its final report."""
    secret = f"Within{word}"
    stored = await make.a_study(
        app,
        facility_code=facility,
        Modality=modality,
        PatientName=f"Name{word}^A",
        PatientID=f"ID{word}",
        AccessionNumber=f"ACC{word}",
        StudyTime=TIMES.get(word, "090000"),
        StudyID=f"{secret}1"[:16],
        StudyDescription=f"{secret} study",
        SeriesDescription=f"{secret} series",
        ProtocolName=f"{secret} protocol",
        ReferringPhysicianName=f"{secret}^Doctor",
        SeriesInstanceUID=generate_uid(),
    )
    async with app.db.transaction() as tx:
        study_id = await label(tx, stored.study_instance_uid, classes, confidentiality if classes else "N")
        report = await a_report(tx, study_id, secret)
        patient = await tx.value("SELECT patient_id FROM imaging_studies WHERE id = %(id)s", id=study_id)
    image = stored.objects[0]
    named = {"id": str(study_id), "report": str(report), "patient": f"Patient/{patient}"}
    named |= {"reference": named["patient"]} | await seed(app, study_id, image, facility, secret)
    within = [secret, str(image.SeriesInstanceUID), str(image.SOPInstanceUID), *times(image, TIMES.get(word))]
    names = [f"Name{word}", f"ID{word}", f"ACC{word}", stored.study_instance_uid, str(study_id)]
    return Study(stored, study_id, report, facility, bool(classes), within, names, named)


def times(image: Dataset, time: str | None) -> list[str]:
    """How answers write the time of a study: in no UID, and in no moment of today, six digits may stand by chance."""
    if time is None:
        return []
    day, moment = str(image.StudyDate), ":".join(re.findall("..", time))
    return [f'"{time}"', f">{time}<", f"{day[:4]}-{day[4:6]}-{day[6:]}T{moment}"]


async def label(tx: Any, uid: str, classes: list[str], confidentiality: str) -> UUID:
    return await tx.value(
        """
        UPDATE imaging_studies
        SET sensitive_classes = %(classes)s, confidentiality = %(confidentiality)s
        WHERE study_instance_uid = %(uid)s
        RETURNING id
        """,
        uid=uid,
        classes=classes,
        confidentiality=confidentiality,
    )


async def a_report(tx: Any, study_id: UUID, secret: str) -> UUID:
    return await tx.value(
        """
        INSERT INTO radiology_reports (study_id, patient_id, status, category, code, findings, issued, author)
        SELECT id, patient_id, 'final', '[]', %(code)s, %(findings)s, now() - interval '2 days', 'account:writer'
        FROM imaging_studies
        WHERE id = %(study_id)s
        RETURNING id
        """,
        study_id=study_id,
        code=as_json({"text": secret}),
        findings=f"{secret} findings",
    )


async def relate(app: App, account: str, study: Study, kind: str = "reader") -> None:
    """A relation of an account to the patient of a study."""
    await make.care(app, f"account:{account}", study.uid, kind)


async def belongs(app: App, account: str, facility: str = "LOCAL") -> None:
    async with app.db.transaction() as tx:
        await tx.run(
            "UPDATE accounts SET facility_code = %(facility)s WHERE name = %(name)s", facility=facility, name=account
        )
