"""The one framing of everything that streams."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlservices.wire import LONGEST_TEXTS, Unpacker, pack

MESSAGES = [({"event": "piece", "id": 1}, b"\n{\x00\xff" * 50), ({"end": True}, b""), ({"text": "é\n"}, b"x")]


@given(st.lists(st.integers(1, 60), min_size=1))
def test_messages_survive_however_the_bytes_arrive(sizes):
    stream = b"".join(pack(head, payload) for head, payload in MESSAGES)
    unpacker, got, at = Unpacker(), [], 0
    while at < len(stream):
        for size in sizes:
            got += unpacker.feed(stream[at : at + size])
            at += size
    assert [
        ({key: value for key, value in head.items() if key != "bytes"}, body) for head, body in got
    ] == MESSAGES


@pytest.mark.parametrize("character", ["a", '"', "\x01", "é", "न", "😀", "\ud83d"])
def test_texts_as_long_as_they_may_be_fit_into_a_line(character):
    head = {"texts": [character * LONGEST_TEXTS]}
    assert Unpacker().feed(pack(head)) == [(head, b"")]


@pytest.mark.parametrize(
    "stream",
    [
        b"<html>\n",
        b"[1]\n",
        b'{"bytes":-1}\n',
        b'{"bytes":"many"}\n',
        b'{"bytes":99999999999}\n',
        b"\xff\xfe\n",
    ],
)
def test_bytes_that_are_no_message_are_refused(stream):
    with pytest.raises(ValueError):
        Unpacker().feed(stream)


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory():
    unpacker = Unpacker()
    with pytest.raises(ValueError, match="too long"):
        for _ in range(100):
            unpacker.feed(b"x" * 2**16)
