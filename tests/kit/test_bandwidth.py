"""A limit of bandwidth holds on average."""

import pytest

from radiology.kit.bandwidth import Bandwidth


def test_bandwidth_holds_on_average():
    bucket = Bandwidth(100, now=0)
    now = sent = 0.0
    for _ in range(50):
        now += bucket.pause_seconds(50 * 1024, now=now)
        sent += 50
    assert now == pytest.approx(sent / 100, abs=1)
    assert Bandwidth(None, now=0).pause_seconds(10**9, now=0) == 0
