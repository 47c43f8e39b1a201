from pydicom.uid import ExplicitVRLittleEndian

from data_sets import CT, data_set
from requestor import requestor


def store(node, ds):
    with requestor(node, [(CT, ExplicitVRLittleEndian)]) as association:
        return association.send_c_store(ds).Status


def test_s07_below_the_reserve_the_sender_may_retry_and_nothing_partial_stays(node):
    ds = data_set()
    objects = node.app.objects
    objects.reserve_bytes = 2**62
    assert store(node, ds) == 0xA700
    assert [path for path in objects.root.rglob("*") if path.is_file()] == []

    objects.reserve_bytes = 0
    assert store(node, ds) == 0x0000
    assert node.value("SELECT count(*) FROM instances") == 1


def test_s07_a_write_that_fails_leaves_nothing_behind(node, monkeypatch):
    """The disk fills up in the middle of an object: the system's own error, at the first write after the header."""
    import errno
    import os

    ds = data_set(PixelData=bytes(200_000), Rows=1000, Columns=100)
    whole = os.writev

    def full(descriptor, buffers):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "writev", full)
    assert store(node, ds) == 0xA700
    assert [path for path in node.app.objects.root.rglob("*") if path.is_file()] == []

    monkeypatch.setattr(os, "writev", whole)
    assert store(node, ds) == 0x0000
