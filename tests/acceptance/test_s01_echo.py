from pynetdicom import AE

VERIFICATION = "1.2.840.10008.1.1"


def associate(node, *, calling="MODALITY1", called="RADSVC"):
    ae = AE(ae_title=calling)
    ae.add_requested_context(VERIFICATION)
    return ae.associate("127.0.0.1", node.port, ae_title=called)


def test_s01_a_known_application_entity_echoes(node):
    association = associate(node)
    assert association.is_established
    assert association.send_c_echo().Status == 0x0000
    association.release()


def test_s01_an_unknown_application_entity_is_rejected(node):
    association = associate(node, calling="STRANGER")
    assert association.is_rejected
    answer = association.acceptor.primitive
    assert (answer.result, answer.result_source, answer.diagnostic) == (1, 1, 3)


def test_s02_a_wrong_called_title_is_rejected(node):
    association = associate(node, called="SOMEBODY")
    assert association.is_rejected
    answer = association.acceptor.primitive
    assert (answer.result, answer.result_source, answer.diagnostic) == (1, 1, 7)
