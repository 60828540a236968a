"""Zadarma's signatures: of our requests, and of its notices.

Both are the base64 of the 40 hexadecimal characters of an HMAC-SHA1, not of its 20 bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote_plus

Value = str | int | bool | None | Sequence["Value"] | Mapping[str, "Value"]

# Which fields of a notice are signed, joined without anything between them; one that is absent counts as "".
_CALLED = ("caller_id", "called_did", "call_start")
_DIALLED = ("internal", "destination", "call_start")
SIGNED_FIELDS = {
    "NOTIFY_START": _CALLED,
    "NOTIFY_INTERNAL": _CALLED,
    "NOTIFY_END": _CALLED,
    "NOTIFY_IVR": _CALLED,
    "NOTIFY_ANSWER": ("caller_id", "destination", "call_start"),
    "NOTIFY_OUT_START": _DIALLED,
    "NOTIFY_OUT_END": _DIALLED,
    "NOTIFY_RECORD": ("pbx_call_id", "call_id_with_rec"),
}


def encoded(parameters: Mapping[str, Value]) -> str:
    """Sorted by name and written as PHP's http_build_query does by RFC 1738, which Zadarma builds anew to
    compare: None is left out, true is 1, false is 0, a list is a[0]=..., a mapping a[b]=...

    PHP writes "~" as %7E and Python does not; what is signed must be what is sent.
    """
    pairs = [pair for name in sorted(parameters) for pair in _flat(name, parameters[name])]
    return "&".join(f"{_quoted(name)}={_quoted(text)}" for name, text in pairs)


def _flat(name: str, value: Value) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, str | int):
        yield name, str(int(value)) if isinstance(value, bool) else str(value)
        return
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, inner in items:
        yield from _flat(f"{name}[{key}]", inner)


def _quoted(text: str) -> str:
    return quote_plus(text).replace("~", "%7E")


def request_signature(path: str, query: str, secret: str) -> str:
    """`path` with its slash at the end, as /v1/info/balance/; `query` as `encoded` writes it."""
    digest = hashlib.md5(query.encode(), usedforsecurity=False).hexdigest()
    return _signature(path + query + digest, secret)


def notice_is_signed(form: Mapping[str, str], signature: str, secret: str) -> bool:
    """False too for a notice that Zadarma does not sign."""
    fields = SIGNED_FIELDS.get(form.get("event", ""))
    if not fields or not signature:
        return False
    return hmac.compare_digest(notice_signature(form, secret).encode(), signature.encode())


def notice_signature(form: Mapping[str, str], secret: str) -> str:
    """Raises KeyError for an event that is not signed."""
    return _signature("".join(form.get(field, "") for field in SIGNED_FIELDS[form["event"]]), secret)


def _signature(text: str, secret: str) -> str:
    digest = hmac.new(secret.encode(), text.encode(errors="replace"), hashlib.sha1).hexdigest()
    return base64.b64encode(digest.encode()).decode()
