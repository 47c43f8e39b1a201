"""32. Given a birth date of 1 January against the real one of that year, and `Md.` in one name, then it is accepted."""

from pydicom.uid import ExplicitVRLittleEndian

from data_sets import CT, data_set
from node import Node
from requestor import requestor
from worklist import place


def test_s32_an_estimated_birth_date_and_an_honorific_are_accepted(node: Node) -> None:
    item = place(node, patient={"name": "Rahman^Abdur", "birthDate": "1980-07-15"})
    said = {"PatientName": "Rahman^Md. Abdur", "PatientBirthDate": "19800101"}
    ds = data_set(AccessionNumber=item.accession_number, **said)
    with requestor(node, [(CT, ExplicitVRLittleEndian)]) as modality:
        assert modality.send_c_store(ds).Status == 0x0000
    assert node.value("SELECT count(*) FROM quarantine") == 0
    assert node.value("SELECT json_build_array(match, number_of_instances) FROM imaging_studies") == ["exact", 1]
    assert "identity_review" not in node.value("SELECT flags FROM imaging_studies")
