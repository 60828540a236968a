"""What servers say, made fit to be shown."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

_MARK = re.compile(r"<\|[^|]*\|?>?")


def one_line(value: Any, most: int) -> str:
    """Of a text, what can be seen of it, at most `most` characters, without marks by which a language model
    tells who speaks; "" of anything else."""
    if not isinstance(value, str):
        return ""
    seen = "".join(letter for letter in value[: most * 4] if letter.isspace() or _is_seen(letter))
    shown = " ".join(_MARK.sub(" ", seen).split())
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _is_seen(letter: str) -> bool:
    return not unicodedata.category(letter).startswith("C")
