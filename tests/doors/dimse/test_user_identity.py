"""User identity negotiation by name and passcode (PS3.7 D.3.3.7): taken, refused and audited; pynetdicom and DCMTK."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import UserIdentityNegotiation

from data_sets import data_set, part10
from node import KNOWN, Node, running_node
from radiology.access.accounts import make_account
from radiology.application_entities.model import ApplicationEntity
from radiology.settings import Settings
from radiology.standards.dicom.uids import VERIFICATION

USER, PASSCODE = "karim", "a passcode of সাত words"


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    """MODALITY1 must say who uses it; there is an account."""
    with running_node(settings) as running:
        running.register(ApplicationEntity(KNOWN, checks_user=True))
        running.wait(make_account(running.app, USER, role="radiographer", password=PASSCODE))
        yield running


def associate(node: Node, kind: int = 2, user: str = USER, passcode: str = "") -> Association:
    """MODALITY1 calls with a user identity of this type, 0 for none."""
    ae = AE(ae_title=KNOWN)
    ae.add_requested_context(VERIFICATION)
    identity = UserIdentityNegotiation()
    identity.user_identity_type, identity.primary_field = kind or 1, user.encode()
    if kind == 2:
        identity.secondary_field = passcode.encode()
    return ae.associate("127.0.0.1", node.port, ae_title="RADSVC", ext_neg=[identity] if kind else [])


def audited(node: Node) -> list[tuple[str, str]]:
    """Which callers were refused, and why, as the audit trail keeps it."""
    found = "SELECT json_agg(json_build_array(subject, detail->>'cause')) FROM audit_events WHERE action = %(action)s"
    return [tuple(each) for each in node.value(found, action="association.refuse") or []]


@pytest.mark.peer("User identity negotiation (acceptor)", "pynetdicom")
def test_name_and_passcode_of_an_account_are_taken(node: Node) -> None:
    association = associate(node, passcode=PASSCODE)
    assert association.is_established
    assert association.send_c_echo().Status == 0
    association.release()
    assert audited(node) == []


@pytest.mark.parametrize(
    ("kind", "user", "passcode"),
    [(2, USER, "another"), (2, "rahim", PASSCODE), (1, USER, ""), (3, USER, ""), (0, "", "")],
    ids=["passcode", "user", "name alone", "Kerberos", "no identity"],
)
def test_anything_else_is_refused_and_audited(node: Node, kind: int, user: str, passcode: str) -> None:
    association = associate(node, kind, user, passcode)
    assert association.is_rejected
    answer = association.acceptor.primitive
    assert (answer.result, answer.result_source, answer.diagnostic) == (1, 1, 1)
    node.recorder.stop()
    assert audited(node) == [(KNOWN, "user_identity")]
    assert node.value("SELECT refusal FROM associations") == "user_identity"


def test_who_need_not_say_may_say_anything(node: Node) -> None:
    node.register(ApplicationEntity(KNOWN))
    node.door.registry._read_at = float("-inf")
    association = associate(node, passcode="not looked at")
    assert association.is_established
    association.release()


@pytest.mark.peer("User identity negotiation (acceptor)", "DCMTK storescu")
@pytest.mark.parametrize(("passcode", "is_taken"), [(PASSCODE, True), ("another", False)])
def test_dcmtk_names_its_user(node: Node, tmp_path, passcode: str, is_taken: bool) -> None:
    tool = shutil.which("storescu")
    if tool is None:
        pytest.skip("DCMTK's storescu is not installed")
    file = tmp_path / "image.dcm"
    file.write_bytes(part10(data_set()))
    argv = [tool, "-aet", KNOWN, "-aec", "RADSVC", "-usr", USER, "-pwd", passcode, "127.0.0.1", str(node.port), file]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode == 0) is is_taken, done.stderr
    assert node.value("SELECT count(*) FROM instances") == is_taken
    assert audited(node) == ([] if is_taken else [(KNOWN, "user_identity")])
