"""12. Given a UID list of 3, when C-FIND, then 3; an empty key is universal; a sequence key matches an item."""

from pydicom.dataset import Dataset

from node import Node
from query import found, identifier, store, values


def test_s12_lists_empty_keys_and_items(node: Node) -> None:
    studies = [str(store(node, AccessionNumber=f"A{number}").StudyInstanceUID) for number in range(5)]
    listed = found(node, identifier("STUDY", StudyInstanceUID=studies[:3]))
    assert values(listed, "StudyInstanceUID") == sorted(studies[:3])
    everything = found(node, identifier("STUDY", StudyInstanceUID="", PatientName="", AccessionNumber=""))
    assert values(everything, "AccessionNumber") == ["A0", "A1", "A2", "A3", "A4"]

    item = Dataset()
    item.RequestedProcedureID, item.ScheduledProcedureStepID = "RP7", "SPS7"
    study = store(node, RequestAttributesSequence=[item]).StudyInstanceUID
    for wanted, count in (("RP7", 1), ("RP8", 0)):
        key = Dataset()
        key.RequestedProcedureID, key.ScheduledProcedureStepID = wanted, ""
        answers = found(node, identifier("SERIES", StudyInstanceUID=study, RequestAttributesSequence=[key]))
        assert len(answers) == count
    key.RequestedProcedureID = "RP7"
    answer = found(node, identifier("SERIES", StudyInstanceUID=study, RequestAttributesSequence=[key]))[0]
    assert answer.RequestAttributesSequence[0].ScheduledProcedureStepID == "SPS7"
