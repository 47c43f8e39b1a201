"""2. Given a wrong called AE title, when it associates, then 1/1/7; given max associations reached, then 2/3/2."""

from pynetdicom import AE
from pynetdicom.association import Association

from node import Node
from radiology.application_entities.model import ApplicationEntity
from radiology.standards.dicom.uids import VERIFICATION


def associate(node: Node, called: str = "RADSVC") -> Association:
    ae = AE(ae_title="MODALITY1")
    ae.add_requested_context(VERIFICATION)
    return ae.associate("127.0.0.1", node.port, ae_title=called)


def rejection(association: Association) -> tuple[int, int, int]:
    answer = association.acceptor.primitive
    assert association.is_rejected
    assert answer is not None
    return answer.result, answer.result_source, answer.diagnostic


def test_s02_a_wrong_called_title_and_too_many_are_rejected(node: Node) -> None:
    assert rejection(associate(node, "OTHERPACS")) == (1, 1, 7)
    node.register(ApplicationEntity("MODALITY1", max_associations=2))
    with_room = Registered(node)
    first, second = with_room.associate(), with_room.associate()
    assert rejection(with_room.associate()) == (2, 3, 2)
    first.release()
    third = with_room.associate()
    assert third.is_established
    for association in (second, third):
        association.release()


class Registered:
    """Calls once the node has read the registry anew, which it does every two seconds."""

    def __init__(self, node: Node) -> None:
        self.node = node
        node.door.registry._read_at = float("-inf")

    def associate(self) -> Association:
        return associate(self.node)
