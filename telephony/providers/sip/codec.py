"""The SIP gateway's media socket: it speaks as our page's does, at the telephone's rate."""

from __future__ import annotations

from typing import Any

import orjson

from ..base import OnHold, WireEvent
from ..browser.codec import BrowserCodec


class SipCodec(BrowserCodec):
    """s16le mono at 8 kHz both ways; `start` also names the SIP Call-ID (`provider_call_id`)."""

    rate = 8000

    @staticmethod
    def _said(message: dict[str, Any]) -> WireEvent:
        if message["type"] == "hold":
            return OnHold(message["held"] is True)
        return BrowserCodec._said(message)

    def keys(self, digits: str) -> str:
        return orjson.dumps({"type": "keys", "digits": digits}).decode()
