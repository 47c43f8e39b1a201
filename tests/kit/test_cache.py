"""Bytes that are kept up to a limit."""

from radiology.kit.cache import ByteCache


def test_what_was_not_asked_for_longest_goes_first() -> None:
    cache = ByteCache(80)
    for key in range(8):
        cache.put(key, bytes(10))
    assert cache.get(0) == bytes(10)
    cache.put("new", bytes(10))
    assert cache.get(1) is None
    assert cache.get(0) is not None
    assert cache.size_bytes == 80


def test_what_is_put_again_counts_once_and_what_is_too_large_is_not_kept() -> None:
    cache = ByteCache(80)
    cache.put("a", bytes(4))
    cache.put("a", bytes(6))
    cache.put("large", bytes(11))
    assert (cache.size_bytes, cache.get("large")) == (6, None)
