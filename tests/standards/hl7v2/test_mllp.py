"""Framing, however the bytes come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.standards.hl7v2.mllp import FramingError, Reader, frame

MESSAGES = st.lists(st.binary(min_size=1).filter(lambda data: not {0x0B, 0x1C} & set(data)), min_size=1, max_size=5)


@given(MESSAGES, st.integers(1, 50))
def test_messages_come_whole_however_they_are_cut(messages: list[bytes], size: int):
    data = b"".join(frame(message) for message in messages)
    reader = Reader(10_000)
    found = [message for at in range(0, len(data), size) for message in reader.feed(data[at : at + size])]
    assert found == messages
    assert not reader.is_within


def test_the_return_behind_a_message_may_be_missing():
    assert list(Reader(100).feed(b"\x0bA\x1c\x0bB\x1c\r\n\x0bC\x1c\r")) == [b"A", b"B", b"C"]


def test_a_message_that_never_ended_is_given_up_when_the_next_begins():
    reader = Reader(100)
    assert list(reader.feed(b"\x0bhalf")) == []
    assert reader.is_within
    assert list(reader.feed(b"\x0bwhole\x1c\r")) == [b"whole"]
    assert reader.abandoned == 1


def test_a_message_that_is_too_long_tells_its_beginning():
    reader = Reader(10)
    with pytest.raises(FramingError) as caught:
        list(reader.feed(b"\x0b0123456789A"))
    assert caught.value.reason == "too long"
    assert caught.value.beginning == b"0123456789A"


def test_a_peer_that_speaks_something_else_is_found_out():
    reader = Reader(10)
    assert list(reader.feed(b"GET / HTTP/1.1\r\n\r\n")) == []
    with pytest.raises(FramingError, match="no MLLP"):
        list(reader.feed(b"x" * 1_100))


def test_memory_is_bounded():
    reader = Reader(1_000)
    assert list(reader.feed(b"\x0b" + b"x" * 600)) == []
    with pytest.raises(FramingError, match="too long"):
        list(reader.feed(b"x" * 600))
