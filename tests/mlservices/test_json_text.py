"""JSON from outside."""

from __future__ import annotations

import json

import pytest

from mlservices.json_text import DEEPEST, json_of

TOO_DEEP = ["[" * 100_000, "[" * 990 + "]" * 990, '{"a":' * 200 + "1" + "}" * 200]


def test_what_can_be_kept_is_read():
    deepest = "[" * DEEPEST + "1" + "]" * DEEPEST
    assert json_of('{"a": [1, 2.5, true, null, "é\\u2028"]}') == {"a": [1, 2.5, True, None, "é\u2028"]}
    assert json.dumps(json_of(deepest.encode())) == deepest


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *((text, "nested too deeply") for text in TOO_DEEP),
        ("[" + "[" * DEEPEST + "1" + "]" * DEEPEST + "]", "nested too deeply"),
        ('{"x": NaN}', "a number without end"),
        ("[1e999]", "a number without end"),
        ("9" * 5_000, "a number that is too long"),
        ('{"\\ud800": 1}', "half a letter"),
        ('["a\\u0000"]', "a NUL"),
        (b"\xff\xfe\xfa", "not text"),
        ('{"a": }', "Expecting value"),
    ],
)
def test_what_nothing_could_take_is_no_json(text, reason):
    with pytest.raises(json.JSONDecodeError, match=reason):
        json_of(text)
