"""Messages as they should be, spoilt in ways that come again with the same seed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from copy import deepcopy
from random import Random
from typing import Any
from urllib.parse import urlencode

COUNT = int(os.environ.get("FUZZ", "200"))  # messages of each kind; `FUZZ=10000 pytest ...` for all of them

ODD: Sequence[Any] = (
    None, True, [], {}, "", " ", 0, -1, 2**31, 2**63, 2**64, -(2**70), 0.5, 1e308, -1e308, 1e18, "0", "-1",
    "1e5", "١٢٣", "NaN", "null", "\x00", "a\x00b", "\ud800", "é" * 300, "x" * 5000, "9" * 5000, "A", "AB==",
    "%00", "' OR 1=1 --", "<script>", "{{7*7}}", "../../etc/passwd", "+" * 40, "\r\nX: y", [1, [2, [3]]],
    {"event": "start"}, "start", "stop", "media", "completed", "in-progress", "CA1", "RE" + "0" * 32,
)  # fmt: skip
BYTES = b'\x00\xff{}[]":,\\0eE-&=%+;\n'


def spoilt(random: Random, message: dict[str, Any]) -> str | bytes:
    """A JSON message, one to three things of it changed; its text sometimes torn as well."""
    changed = deepcopy(message)
    for _number in range(random.randint(1, 3)):
        _spoil(random, changed)
    text = json.dumps(changed)
    if random.random() < 0.1:
        text = text.replace('"event":', '"event":"media","event":', 1)
    if random.random() < 0.3:
        return _torn(random, text.encode())
    return text


def _spoil(random: Random, inner: dict[str, Any]) -> None:
    if not inner:
        return
    name = random.choice(sorted(inner))
    value = inner[name]
    if isinstance(value, dict) and random.random() < 0.7:
        _spoil(random, value)
    elif random.random() < 0.2:
        del inner[name]
    else:
        inner[name] = random.choice(ODD)


def _torn(random: Random, text: bytes) -> str | bytes:
    content = bytearray(text)
    for _number in range(random.randint(1, 4)):
        at = random.randrange(len(content) + 1)
        match random.randrange(4):
            case 0:
                del content[at : at + random.randint(1, 9)]
            case 1:
                content[at:at] = bytes([random.choice(BYTES)])
            case 2 if at < len(content):
                content[at] ^= 1 << random.randrange(8)
            case _:
                content[at:at] = content[at : at + random.choice((10, 200, 70_000))]
    whole = bytes(content)
    return whole.decode("utf-8", "replace") if random.random() < 0.8 else whole


def spoilt_form(random: Random, form: dict[str, str]) -> bytes:
    """The body of a form: fields left out, told twice, huge or odd; its encoding sometimes torn as well."""
    fields = list(form.items())
    for _number in range(random.randint(0, 3)):
        at = random.randrange(len(fields) + 1)
        name, value = fields[at - 1] if fields else ("", "")
        odd = random.choice(ODD)
        text = odd if isinstance(odd, str) else json.dumps(odd)
        match random.randrange(5):
            case 0 if fields:
                del fields[at - 1]
            case 1:
                fields.insert(at, (name, text))
            case 2:
                fields.insert(at, (name, value))
            case 3:
                fields.insert(at, (text[:40], value))
            case _ if fields:
                fields[at - 1] = (name, text)
    body = urlencode(fields, errors="surrogatepass").encode()
    if random.random() < 0.15:
        torn = _torn(random, body)
        return torn if isinstance(torn, bytes) else torn.encode("utf-8", "replace")
    return body
