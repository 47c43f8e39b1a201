from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom.dsutils import encode
from pynetdicom.pdu_primitives import SOPClassCommonExtendedNegotiation

from data_sets import data_set
from node import running_node
from requestor import requestor

PRIVATE = "1.3.12.2.1107.5.9.1"
STORAGE_SERVICE = "1.2.840.10008.4.2"


def store_private(node):
    ds = data_set(PRIVATE)
    marked = SOPClassCommonExtendedNegotiation()
    marked.sop_class_uid, marked.service_class_uid = PRIVATE, STORAGE_SERVICE
    with requestor(node, [(PRIVATE, ExplicitVRLittleEndian)], ext_neg=[marked]) as association:
        status = association.send_c_store(ds).Status if association.accepted_contexts else None
    return ds, status


def test_s05_a_private_class_marked_as_storage_is_stored(settings):
    strict = settings.model_copy(update={"accept_unknown_storage": False})
    with running_node(strict) as node:
        ds, status = store_private(node)
        assert status == 0x0000
        found = node.value(
            "SELECT sop_class_uid FROM instances WHERE sop_instance_uid = %(uid)s", uid=ds.SOPInstanceUID
        )
        assert found == PRIVATE
        assert node.stored_bytes(ds.SOPInstanceUID).endswith(encode(ds, False, True))
