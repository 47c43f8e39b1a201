"""10. Given StudyDate=20260101-20260131, when C-FIND STUDY asks, then only that interval; open intervals work."""

from node import Node
from query import found, identifier, store, values


def test_s10_only_the_interval_is_found(node: Node) -> None:
    for day in ("20251231", "20260101", "20260131", "20260201"):
        store(node, StudyDate=day)

    def days(asked: str) -> list[str]:
        return values(found(node, identifier("STUDY", StudyDate=asked)), "StudyDate")

    assert days("20260101-20260131") == ["20260101", "20260131"]
    assert days("-20260131") == ["20251231", "20260101", "20260131"]
    assert days("20260101-") == ["20260101", "20260131", "20260201"]
    assert days("20260131") == ["20260131"]
