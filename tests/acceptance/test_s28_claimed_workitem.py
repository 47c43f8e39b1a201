from pydicom.uid import generate_uid

from procedure_steps import CONTEXTS, Client, performed
from requestor import requestor


def test_s28_nobody_else_changes_the_state_of_a_claimed_workitem(node):
    lock, other = generate_uid(), generate_uid()
    with requestor(node, CONTEXTS) as performer, requestor(node, CONTEXTS) as another:
        uid = Client(performer).created()
        assert Client(performer).change_state(uid, "IN PROGRESS", lock) == 0x0000
        for state in ("IN PROGRESS", "COMPLETED", "CANCELED"):
            assert Client(another).change_state(uid, state, other) == 0xC301
        assert Client(another).set(uid, performed(other)) == 0xC301
        assert Client(performer).set(uid, performed(lock)) == 0x0000
        assert Client(performer).change_state(uid, "COMPLETED", lock) == 0x0000
        assert Client(another).get(uid)[1].ProcedureStepState == "COMPLETED"
