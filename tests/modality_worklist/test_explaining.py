"""Why a scanner does not show an item, told with what the scanner asked for last."""

from collections.abc import Iterator

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from node import Node, running_node
from radiology.application_entities.model import ApplicationEntity
from radiology.kit.bilingual import Sentence
from radiology.modality_worklist.explaining import remarks, station_of
from radiology.modality_worklist.model import Admission, ScheduledProcedureStep, Station, why_not_shown
from radiology.settings import Settings
from radiology.standards.dicom.bangla import is_bangla
from requestor import requestor
from worklist import MWL, place, query

pytestmark = pytest.mark.peer("Modality Worklist (SCP)", "pynetdicom")


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def ask(node: Node, asked: Dataset) -> int:
    """How many answers MODALITY1 is given."""
    with requestor(node, [(MWL, ExplicitVRLittleEndian)]) as association:
        return len(list(association.send_c_find(asked, MWL))) - 1


def explained(node: Node, item: ScheduledProcedureStep, ae_title: str = "MODALITY1") -> tuple[str, list[str]]:
    """The reason, empty where the item is shown, and the remarks, in English; all of them are there in Bangla too."""

    async def work() -> tuple[Sentence | None, list[Sentence]]:
        async with node.app.db.transaction() as tx:
            station = await station_of(tx, node.app, ae_title)
            said = await remarks(tx, item, station, zone=node.app.settings.zone)
        return why_not_shown(item, station, at=node.app.clock.now(), zone=node.app.settings.zone), said

    reason, said = node.wait(work())
    assert all(is_bangla(each.bangla) for each in [*said, *([reason] if reason else [])])
    return reason.english if reason else "", [each.english for each in said]


def test_who_never_asked(node: Node) -> None:
    reason, said = explained(node, place(node))
    assert reason == ""
    assert "never asked" in said[0]


def test_what_the_scanner_asks_for_instead(node: Node) -> None:
    item = place(node, modality="CR", stationAETitles=["MODALITY1"])
    asked = query(Modality="DX", ScheduledStationAETitle="DX7", ScheduledProcedureStepStartDate="20200101-20200131")
    asked.PatientID = "DMC-1001"
    assert ask(node, asked) == 0
    reason, said = explained(node, item)
    assert reason == "", "it would be shown to a query without keys"
    text = " ".join(said)
    assert "was given 0 items" in text
    assert "asks for modality DX, and the item has CR" in text
    assert "asks for station DX7, and the item has MODALITY1" in text
    assert "asks for date 20200101-20200131" in text
    assert "also asks with PatientID" in text
    assert "DMC-1001" not in str(node.value("SELECT to_jsonb(worklist_queries) FROM worklist_queries"))


def test_a_query_that_fits_is_told_without_complaint(node: Node) -> None:
    item = place(node)
    assert ask(node, query(Modality="CT")) == 1
    reason, (said,) = explained(node, item)
    assert reason == ""
    assert "was given 1 items" in said


def test_the_last_query_counts_and_the_same_one_is_written_once(node: Node) -> None:
    place(node)
    for modality in ("MR", "MR", "CT"):
        ask(node, query(Modality=modality))
    assert node.value("SELECT modality FROM worklist_queries") == "CT"
    assert node.value("SELECT count(*) FROM worklist_queries") == 1


def test_letters_that_the_scanner_cannot_show(node: Node) -> None:
    node.register(ApplicationEntity("MODALITY1", default_charset="ISO_IR 100"))
    ask(node, query())
    _, said = explained(node, place(node))
    assert "the name is shown as Karim^Abdul, without Bangla" in said[-1]


@pytest.mark.parametrize(
    ("entity", "said"),
    [
        (None, "No machine called CT9"),
        (ApplicationEntity("CT9", enabled=False), "switched off"),
        (ApplicationEntity("CT9", services=["store"]), "service mwl"),
        (ApplicationEntity("CT9", facility_code="DMCH"), "facility LOCAL"),
    ],
)
def test_a_machine_that_is_not_let_in_or_belongs_elsewhere(
    node: Node, entity: ApplicationEntity | None, said: str
) -> None:
    if entity is not None:
        node.register(entity)
    assert said in explained(node, place(node), "CT9")[0]


def test_where_unknown_machines_may_call_they_see_what_others_see(settings: Settings) -> None:
    with running_node(settings.model_copy(update={"allow_unknown_ae": True})) as node:
        assert explained(node, place(node), "CT9")[0] == ""


def test_a_station_is_admitted_unless_something_is_said() -> None:
    assert Station("CT1", "LOCAL").admission is Admission.ADMITTED
