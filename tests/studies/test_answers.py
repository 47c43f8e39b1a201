"""The answer that each study has ready is the one that would be built, whatever happens to the study."""

from pathlib import Path

import pytest

import make
from radiology.access.model import SYSTEM, Actor, application_entity
from radiology.app import App
from radiology.standards.dicom.matching import MatchingOptions
from radiology.studies.actions.reject import reject
from radiology.studies.actions.status import change_status
from radiology.studies.archive import open_archive
from radiology.studies.importing import Import
from radiology.studies.model import Status, StatusChange
from radiology.studies.queries.search import Origin, find
from radiology.studies.receive import Source
from radiology.studies.rejection import Category, Title
from radiology.studies.search import Level, StudySearch, parse_keys

pytestmark = pytest.mark.anyio

HERE = Origin('http://örtlich"\\:8080/dicomweb', "RADSVC")
ALL = StudySearch(Level.STUDY, limit=5000)
#: Text that looks like the beginning of a Retrieve URL, and what JSON escapes.
ODD = '"00081190": {"vr": "UR", "Value": ["@/studies/1\t'
QUALITY = Actor("account:qa", "Quality", SYSTEM.permissions, role="administrator")


async def must_be_equal(app: App, monkeypatch: pytest.MonkeyPatch, *, studies: int) -> None:
    """All studies are answered to the letter as if their answers were built."""
    ready = await find(app.db, ALL, visible_to=SYSTEM, origin=HERE)
    with monkeypatch.context() as patched:
        patched.setattr(StudySearch, "is_usual", False)
        built = await find(app.db, ALL, visible_to=SYSTEM, origin=HERE)
    assert ready.answers == built.answers
    assert len(built.answers) >= studies


async def test_of_every_real_study(app: App, monkeypatch: pytest.MonkeyPatch, shared_data: Path) -> None:
    with open_archive(app) as archive:
        for _ in Import(archive, shared_data / "dicom", Source("LOCAL")).run():
            pass
    await must_be_equal(app, monkeypatch, studies=20)


async def test_after_each_change(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    study = await make.a_study(
        app, instances=2, StudyTime="090000", StudyDescription=ODD, PatientSex=None, TimezoneOffsetFromUTC="+0600"
    )
    uid = study.study_instance_uid
    await must_be_equal(app, monkeypatch, studies=1)
    await make.store(app, make.an_object(StudyInstanceUID=uid, PatientID=study.objects[0].PatientID, Modality="PT"))
    await must_be_equal(app, monkeypatch, studies=1)
    async with app.db.transaction() as tx:
        await tx.run("""UPDATE imaging_studies
            SET dicom = dicom || '{"00100010": {"vr": "PN", "Value": [{"Alphabetic": "NEW^NAME"}]}}'""")
    await must_be_equal(app, monkeypatch, studies=1)
    await change_status(app, QUALITY, uid, StatusChange(Status.COMPLETED), [])
    await must_be_equal(app, monkeypatch, studies=1)
    chosen = {"title": Title.QUALITY, "category": Category.OTHER, "reason": "Blurred."}
    await reject(app, QUALITY, uid, **chosen, series=[study.series_instance_uid], instances=[])
    await must_be_equal(app, monkeypatch, studies=1)


async def test_a_masked_study_is_never_answered_with_it(app: App) -> None:
    await make.a_study(app, Modality="MG", StudyDescription="Screening")
    station = application_entity("AWAY", facility_code=None, may_read=True, may_write=False, sensitive_access="mask")
    (masked,) = (await find(app.db, ALL, visible_to=station, origin=HERE)).answers
    assert "Screening" not in masked
    assert "Sensitive imaging study" in masked
    stranger = application_entity("AWAY", facility_code=None, may_read=True, may_write=False)
    assert (await find(app.db, ALL, visible_to=stranger, origin=HERE)).answers == []


@pytest.mark.parametrize(
    ("keys", "more", "is_usual"),
    [
        ([], {}, True),
        ([("PatientName", "A*"), ("StudyDate", "20260101-")], {}, True),
        ([("ModalitiesInStudy", "CT")], {"include": frozenset({"00081030"})}, True),
        ([], {"include_all": True}, False),
        ([], {"include": frozenset({"00081032"})}, False),
        ([("SpecificCharacterSet", "ISO_IR 192")], {}, False),
        ([("IssuerOfPatientID", "DHAKA")], {}, False),
        ([("SOPClassesInStudy", "1.2.3")], {}, False),
    ],
)
def test_only_what_is_returned_by_default_is_ready(keys, more, is_usual) -> None:
    assert StudySearch(Level.STUDY, parse_keys(keys, MatchingOptions()), **more).is_usual is is_usual
    assert not StudySearch(Level.SERIES, parse_keys(keys, MatchingOptions()), **more).is_usual
