"""11. Given PatientName=`rahman*`, when C-FIND, then hits whatever the case; Modality=`ct` in lower case, then none."""

from node import Node
from query import found, identifier, store, values


def test_s11_names_ignore_case_and_codes_do_not(node: Node) -> None:
    store(node, PatientName="RAHMAN^Md. Abdur", Modality="CT")
    store(node, PatientName="Rahman^Farida=রহমান^ফরিদা", Modality="MR")
    store(node, PatientName="KARIM^Abdul", Modality="CT")
    names = values(found(node, identifier("STUDY", PatientName="rahman*")), "PatientName")
    assert len(names) == 2
    assert all(name.upper().startswith("RAHMAN") for name in names)
    assert len(found(node, identifier("STUDY", ModalitiesInStudy="CT", StudyInstanceUID=""))) == 2
    assert found(node, identifier("STUDY", ModalitiesInStudy="ct", StudyInstanceUID="")) == []
    study = found(node, identifier("STUDY", PatientName="KARIM*", StudyInstanceUID=""))[0].StudyInstanceUID
    assert len(found(node, identifier("SERIES", StudyInstanceUID=study, Modality="CT"))) == 1
    assert found(node, identifier("SERIES", StudyInstanceUID=study, Modality="ct")) == []
