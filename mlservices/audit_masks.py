"""What no record may hold: values whose field says that they are secret, and secrets wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings

HIDDEN = "***"
SHORTEST_SECRET = 6  # characters; masking anything shorter would blot out ordinary words
LONGEST_TEXT = 10_000  # characters of one value
LONGEST = 100_000  # characters of all values of one record

_SECRET_NAME = re.compile(
    r"secret|passw|passphrase|token|apikey|authori[sz]ation|cookie|signature|private|digest", re.IGNORECASE
)
_SECRET_WORD = re.compile(r"(?:^|[^a-z])(?:keys?|pin|auth)(?:$|[^a-z])", re.IGNORECASE)
_NO_SECRETS = frozenset({"max_tokens", "maxtokens"})
_IN_TEXT = (
    (re.compile(r"(vf_sk_[0-9a-f]{8})[0-9a-f]+"), r"\1***"),  # its beginning alone is no secret
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"(//[^/\s:@]*:)[^/\s@]+@"), r"\1***@"),  # of an address with a password
    (
        re.compile(r"([?&][\w-]*(?:token|key|secret|password|sig|auth)[\w-]*=)[^&#\s]+", re.IGNORECASE),
        r"\1***",
    ),
)
_SUSPICIOUS = re.compile(r"vf_sk_|bearer|basic|//|[?&]", re.IGNORECASE)  # else none of these fits


@lru_cache(maxsize=2000)
def is_secret(name: str) -> bool:
    """Whether a field of this name holds a secret; of a path ("headers.X-Api-Key") any part may say so."""
    if name.rpartition(".")[2].lower() in _NO_SECRETS:
        return False
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return bool(_SECRET_NAME.search(re.sub(r"[\W_]", "", name)) or _SECRET_WORD.search(apart))


def masked(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """The same as kinds of values that JSON knows, without secrets, and no longer than is kept."""
    found: dict[str, tuple[Any, Any]] = {}
    left = LONGEST
    for name, pair in changes.items():
        old, new = (_hidden(value) if is_secret(name) else _clean(value) for value in pair)
        left -= len(name) + len(repr(old)) + len(repr(new))
        if left < 0:
            found["…"] = (None, f"{len(changes) - len(found)} further changes are too long to be kept")
            break
        found[masked_text(name)] = (old, new)
    return found


def masked_text(text: str) -> str:
    """The text without the secrets that this installation knows, or that look like ones."""
    text = str(text).replace("\0", "")
    for secret in settings.SECRETS:
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, HIDDEN)
    if _SUSPICIOUS.search(text):
        for pattern, instead in _IN_TEXT:
            text = pattern.sub(instead, text)
    return text


def _hidden(value: Any) -> Any:
    """That there is one may be told, and no more."""
    return value if value is None or isinstance(value, bool) or value in ("", [], {}) else HIDDEN


def _clean(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        named = is_secret(str(value.get("name", "")))  # {"name": "X-Api-Key", "value": ...}
        return {
            masked_text(key): _hidden(part)
            if is_secret(str(key)) or (named and key == "value")
            else _clean(part)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(part) for part in value]
    text = masked_text(value)
    cut = len(text) - LONGEST_TEXT
    return f"{text[:LONGEST_TEXT]}… (+{cut})" if cut > 0 else text
