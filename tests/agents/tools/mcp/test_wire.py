"""MCP's messages, as they come over the wire."""

from __future__ import annotations

import json

import pytest

from agents.outside import Answer
from agents.tools.answers import content_of
from agents.tools.mcp import calling, wire

ANSWER = {"jsonrpc": "2.0", "id": 2, "result": {"x": "ä"}}


def answering(number: int, body: bytes) -> wire.Message | None:
    return wire.answering(number, content_of(Answer(200, {}, body, "https://clinic.test/mcp", 0)))


STREAM = (
    b": still here\r\n\r\nid: 1\r\nevent: message\r\ndata:\r\n\r\n"
    b'data: {"jsonrpc": "2.0", "method": "notifications/progress"}\r\n\r\n'
    b'data: {"jsonrpc": "2.0", "id": 2, "method": "ping"}\r\n\r\n'
    b'data: {"jsonrpc": "2.0", "id": 2,\r\ndata: "result": {"x": "\xc3\xa4"}}\r\n\r\n'
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1_000])
def test_the_answer_is_heard_however_the_stream_is_cut(size):
    listener = wire.Listener(2)
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    heard = [listener.hear(piece) for piece in pieces]
    assert listener.message == ANSWER
    assert heard[-1] and heard[: len(STREAM[:-4]) // size] == [False] * (len(STREAM[:-4]) // size)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[" * 100_000,
        b"null",
        b'{"id": 2}',
        b'{"id": 3, "result": {}}',
        b'{"id": "2", "result": {}}',
        b'{"id": 2, "result": "fine"}',
        b'{"id": 2, "error": "bad"}',
    ],
)
def test_what_answers_something_else_is_no_answer(body):
    assert answering(2, body) is None
    listener = wire.Listener(2)
    assert not listener.hear(b"data: " + body + b"\n\n") and listener.message is None


def test_answers_may_come_together():
    assert answering(2, json.dumps([{"id": 1, "result": {}}, ANSWER]).encode()) == ANSWER


@pytest.mark.parametrize(
    "result, content",
    [
        ({"structuredContent": {"a": 1}, "content": [{"type": "text", "text": "one"}]}, {"a": 1}),
        ({"content": [{"type": "text", "text": '{"a": [2]}'}]}, {"a": [2]}),
        (
            {"content": [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]},
            "a\nb",
        ),
        ({"content": [{"type": "text", "text": 7}, "x", None]}, ""),
        ({"content": "x", "structuredContent": [1]}, ""),
        ({}, ""),
    ],
)
def test_a_result_is_what_is_structured_else_its_texts(result, content):
    assert calling.content_of(result) == content
