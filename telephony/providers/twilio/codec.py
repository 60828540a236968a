"""Twilio Media Streams, https://www.twilio.com/docs/voice/media-streams/websocket-messages.

Counters and times come as strings, rates as numbers; `customParameters` may be absent; the first
timestamp of a real call is not 0; a key's track is "inbound_track" where sound's is "inbound".
"""

from __future__ import annotations

from typing import Any

import orjson
import pybase64

from mlservices.audio import ulaw_decode, ulaw_encode

from ..base import (
    IGNORED,
    KEYS,
    LONGEST_MESSAGE,
    Heard,
    Played,
    Pressed,
    Started,
    Stopped,
    Unreadable,
    WireEvent,
)


class TwilioCodec:
    """Mu-law at 8 kHz, in base64, in JSON."""

    rate = 8000

    def __init__(self) -> None:
        self._media_head = self._media_tail = ""
        self._stream_id = ""

    def decode(self, message: str | bytes) -> WireEvent:
        if len(message) > LONGEST_MESSAGE:
            return Unreadable("longer than any message of Twilio")
        try:
            frame = orjson.loads(message)
            if frame["event"] == "media":
                return self._heard(frame["media"])
            return self._rare(frame)
        except (ValueError, TypeError, KeyError, AttributeError):  # binascii.Error is a ValueError
            return Unreadable("not a message of Twilio Media Streams")

    @staticmethod
    def _heard(media: dict[str, Any]) -> WireEvent:
        if media.get("track", "inbound") != "inbound":
            return IGNORED  # our own sound, sent back on a stream of both tracks
        sound = pybase64.b64decode(media["payload"], validate=True)
        at = media.get("timestamp")
        return Heard(ulaw_decode(sound), None if at is None else int(at))

    def _rare(self, frame: dict[str, Any]) -> WireEvent:
        event = frame["event"]
        if event == "mark":
            return Played(str(frame["mark"]["name"]))
        if event == "dtmf":
            digit = frame["dtmf"]["digit"]
            return Pressed(digit) if digit in KEYS else Unreadable("a key that no telephone has")
        if event == "start":
            return self._started(frame["start"])
        if event == "stop":
            return Stopped()
        if not isinstance(event, str):
            raise TypeError
        return IGNORED  # connected, and whatever Twilio may add

    def _started(self, start: dict[str, Any]) -> WireEvent:
        if self._stream_id:
            return Unreadable("started twice")
        form = start["mediaFormat"]
        if (form["encoding"], form["sampleRate"], form["channels"]) != ("audio/x-mulaw", 8000, 1):
            return Unreadable("not mu-law at 8 kHz")
        parameters = start.get("customParameters") or {}
        self._open(str(start["streamSid"]))
        return Started(token=str(parameters.get("token", "")), provider_call_id=str(start["callSid"]))

    def _open(self, stream_id: str) -> None:
        self._stream_id = stream_id
        quoted = orjson.dumps(stream_id).decode()
        self._media_head = f'{{"event":"media","streamSid":{quoted},"media":{{"payload":"'
        self._media_tail = '"}}'

    def media(self, pcm: bytes) -> str:
        # A prepared frame takes a tenth of the time of building and dumping a dict.
        return self._media_head + pybase64.b64encode_as_string(ulaw_encode(pcm)) + self._media_tail

    def mark(self, name: str) -> str:
        return orjson.dumps({"event": "mark", "streamSid": self._stream_id, "mark": {"name": name}}).decode()

    def clear(self) -> str:
        return orjson.dumps({"event": "clear", "streamSid": self._stream_id}).decode()

    def keys(self, digits: str) -> str | None:
        return None

    def ready(self, call_id: str) -> None:
        return None

    def ended(self, reason: str, transfer_to: str) -> None:
        """Twilio goes on with the TwiML after `<Connect>` as soon as the socket is closed."""
        return None
