from concurrent.futures import ThreadPoolExecutor

from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from data_sets import CT, data_set
from requestor import requestor

ASSOCIATIONS = 50
SERIES = 3


def test_s09_fifty_associations_with_one_new_study_make_one_study(node):
    study, series = generate_uid(), [generate_uid() for _ in range(SERIES)]

    def send(number):
        with requestor(node, [(CT, ExplicitVRLittleEndian)]) as association:
            return [
                association.send_c_store(
                    data_set(StudyInstanceUID=study, SeriesInstanceUID=uid, InstanceNumber=number, SeriesNumber=index)
                ).Status
                for index, uid in enumerate(series)
            ]

    with ThreadPoolExecutor(ASSOCIATIONS) as threads:
        statuses = [status for sent in threads.map(send, range(ASSOCIATIONS)) for status in sent]

    assert set(statuses) == {0x0000}
    assert node.value("SELECT count(*) FROM imaging_studies") == 1
    assert node.value("SELECT count(*) FROM patients") == 1
    assert node.value("SELECT count(*) FROM imaging_series") == SERIES
    assert node.value("SELECT count(*) FROM instances") == ASSOCIATIONS * SERIES
    counted = node.value("SELECT number_of_instances FROM imaging_studies")
    assert counted == ASSOCIATIONS * SERIES
    assert node.value("SELECT number_of_series FROM imaging_studies") == SERIES
    assert node.value("SELECT sum(number_of_instances) FROM imaging_series") == ASSOCIATIONS * SERIES
