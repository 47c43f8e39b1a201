"""13. Given a SERIES query without StudyInstanceUID and no relational negotiation, then A900; no match, then 0000."""

from node import Node
from query import ask, found, identifier, store


def test_s13_a_higher_key_is_needed_unless_relational(node: Node) -> None:
    series = str(store(node).SeriesInstanceUID)
    asked = identifier("SERIES", SeriesInstanceUID="", Modality="CT")
    (status, answer), *more = ask(node, asked)
    assert (status, answer, more) == (0xA900, None, [])
    related = found(node, asked, extended=b"\1")
    assert [answer.SeriesInstanceUID for answer in related] == [series]
    nothing = ask(node, identifier("STUDY", PatientID="NOBODY"))
    assert [status for status, _ in nothing] == [0x0000]
