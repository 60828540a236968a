"""SIP messages as they should not be: real ones, spoilt by a seeded hand."""

from __future__ import annotations

import random
from collections.abc import Callable

SDP = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {media_port} RTP/AVP 8 0 101
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendrecv
"""
_HEAD = """Via: SIP/2.0/{transport} 127.0.0.1:{port};rport;branch=z9hG4bK{branch}
From: "Ann" <sip:+14155550100@127.0.0.1>;tag={tag}
To: <sip:{user}@127.0.0.1:{gateway_port}>{to_tag}
Call-ID: {call_id}
CSeq: {number} {method}
Contact: <sip:ann@127.0.0.1:{port};transport={transport}>
Max-Forwards: 70
"""
_REQUESTS = {
    "INVITE": ("Content-Type: application/sdp\n", SDP),
    "ACK": ("", ""),
    "BYE": ("", ""),
    "CANCEL": ("", ""),
    "OPTIONS": ("Accept: application/sdp\n", ""),
    "UPDATE": ("Content-Type: application/sdp\n", SDP),
    "REFER": ("Refer-To: <sip:+14155550111@127.0.0.1>\nReferred-By: <sip:ann@127.0.0.1>\n", ""),
    "INFO": ("Content-Type: application/dtmf-relay\n", "Signal=5\nDuration=160\n"),
    "NOTIFY": (
        "Event: refer\nSubscription-State: active;expires=60\nContent-Type: message/sipfrag\n",
        "SIP/2.0 100 Trying\n",
    ),
    "SUBSCRIBE": ("Event: presence\nExpires: 3600\n", ""),
    "MESSAGE": ("Content-Type: text/plain\n", "Good morning.\n"),
    "REGISTER": ("Expires: 3600\n", ""),
    "PRACK": ("RAck: 1 1 INVITE\n", ""),
}
_CHALLENGE = 'Digest realm="sip.test", nonce="abc", algorithm=MD5, qop="auth"\n'
_ANSWERS = {
    "200 OK": "Contact: <sip:{user}@127.0.0.1:{gateway_port}>;expires=60\n",
    "401 Unauthorized": f"WWW-Authenticate: {_CHALLENGE}",
    "407 Proxy Authentication Required": f"Proxy-Authenticate: {_CHALLENGE}",
    "180 Ringing": "",
    "302 Moved": "Contact: <sip:elsewhere@127.0.0.1>\n",
    "423 Interval Too Brief": "Min-Expires: 4000000000\n",
    "486 Busy Here": "",
    "503 Service Unavailable": "Retry-After: 1\n",
}
_ODD = (
    *(b"", b"\0", b"\r\n", b"\r\n\r\n", b"%s%n%x", b"\xff\xfe", "é☎".encode()),
    *(b"A" * 3000, b";" * 500, b"<" * 500, b'"', b"\\", b"\t ", b"sip:", b"[::1", b"::1]"),
    *(b"-1", b"0", b"4294967296", b"9" * 20, b"1e9"),
    *(b"Content-Length: 4000000000\r\n", b"Via: ", b"a=" + b"x" * 1000),
    *(b"m=video 9 RTP/AVP 96\r\n", b"c=IN IP6 ::\r\n"),
)


class Mutator:
    """The same seed gives the same messages. `user` is rung, from `port`, at `gateway_port`."""

    def __init__(self, seed: int, *, user: str, port: int, gateway_port: int) -> None:
        self._random = random.Random(seed)
        self._known = {"user": user, "port": port, "gateway_port": gateway_port}
        self._dialogs = [self._name() for _ in range(20)]  # so that messages meet those before them

    def message(self, transport: str) -> bytes:
        message = self.good(transport)
        for _ in range(self._random.choice((0, 1, 1, 1, 2, 3, 8))):
            message = self._random.choice(_WAYS)(self._random, message)
        return message

    def good(self, transport: str, method: str = "", **known: str) -> bytes:
        """A request of that method, or any message at all."""
        fields = {
            **self._known,
            "transport": transport,
            "media_port": str(self._random.randrange(10_000, 20_000, 2)),
            "branch": self._name(),
            "tag": self._random.choice(self._dialogs),
            "to_tag": self._random.choice(("", f";tag={self._random.choice(self._dialogs)}")),
            "call_id": self._random.choice((self._name(), *self._dialogs)),
            "number": str(self._random.randint(1, 5)),
            **known,
        }
        if method or self._random.random() < 0.8:
            fields["method"] = method or self._random.choice(list(_REQUESTS))
            first = "{method} sip:{user}@127.0.0.1:{gateway_port} SIP/2.0\n"
            more, body = _REQUESTS[fields["method"]]
        else:
            fields["method"] = self._random.choice(("REGISTER", "INVITE", "BYE", "REFER"))
            status = self._random.choice(list(_ANSWERS))
            first, more, body = f"SIP/2.0 {status}\n", _ANSWERS[status], ""
        body = body.format_map(fields).replace("\n", "\r\n")
        head = (first + _HEAD + more).format_map(fields) + f"Content-Length: {len(body)}\n\n"
        return (head.replace("\n", "\r\n") + body).encode()

    def _name(self) -> str:
        return f"{self._random.getrandbits(48):x}"


def _flip(chance: random.Random, message: bytes) -> bytes:
    spoilt = bytearray(message)
    for _ in range(chance.randint(1, 12)):
        if spoilt:
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
    return bytes(spoilt)


def _cut(chance: random.Random, message: bytes) -> bytes:
    return message[: chance.randrange(len(message) + 1)]


def _leave_out(chance: random.Random, message: bytes) -> bytes:
    start = chance.randrange(len(message) + 1)
    return message[:start] + message[start + chance.randint(1, 40) :]


def _put_in(chance: random.Random, message: bytes) -> bytes:
    at = chance.randrange(len(message) + 1)
    return message[:at] + chance.choice(_ODD) + message[at:]


def _without_a_line(chance: random.Random, message: bytes) -> bytes:
    lines = message.split(b"\r\n")
    del lines[chance.randrange(len(lines))]
    return b"\r\n".join(lines)


def _lines_again(chance: random.Random, message: bytes) -> bytes:
    lines = message.split(b"\r\n")
    line = chance.choice(lines)
    lines[chance.randrange(len(lines)) : 0] = [line] * chance.choice((1, 2, 50))
    return b"\r\n".join(lines)


def _shuffled(chance: random.Random, message: bytes) -> bytes:
    first, *lines = message.split(b"\r\n")
    chance.shuffle(lines)
    return b"\r\n".join([first, *lines])


def _other_value(chance: random.Random, message: bytes) -> bytes:
    lines = message.split(b"\r\n")
    which = chance.randrange(len(lines))
    name, sign, _ = lines[which].partition(chance.choice((b":", b"=", b" ")))
    lines[which] = name + sign + chance.choice(_ODD)
    return b"\r\n".join(lines)


def _other_number(chance: random.Random, message: bytes) -> bytes:
    digits = [at for at, byte in enumerate(message) if 48 <= byte <= 57]
    if not digits:
        return message
    at = chance.choice(digits)
    return message[:at] + chance.choice((b"-1", b"0", b"65536", b"4294967295", b"9" * 30)) + message[at + 1 :]


_WAYS: list[Callable[[random.Random, bytes], bytes]] = [
    *(_flip, _cut, _leave_out, _put_in, _without_a_line, _lines_again, _shuffled, _other_value, _other_number)
]
