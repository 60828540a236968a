"""Twilio's REST API as far as VoiceForge asks it, on loopback: it remembers numbers, calls and recordings,
refuses what Twilio refuses with Twilio's codes, and tells our webhooks of calls as Twilio does, signed."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from twilio.request_validator import RequestValidator

SID = "AC" + "1" * 32
TOKEN = "0123456789abcdef0123456789abcdef"
EXPECTED = "Basic " + b64encode(f"{SID}:{TOKEN}".encode()).decode()
MEDIA = re.compile(rf"(/2010-04-01/Accounts/{SID}/Recordings|/moved)/(RE\w+)\.wav(?:\?RequestedChannels=2)?")
FINAL = ("completed", "busy", "failed", "no-answer", "canceled")
CALL_FIELDS = {
    "To", "From", "Url", "Method", "StatusCallback", "StatusCallbackEvent", "StatusCallbackMethod", "Timeout",
    "TimeLimit", "MachineDetection", "SendDigits",
}  # fmt: skip


def offer(number: str, can: str) -> dict[str, Any]:
    """A number of San Francisco that can be bought."""
    return {
        "phone_number": number,
        "locality": "San Francisco",
        "region": "CA",
        "iso_country": "US",
        "capabilities": {name: name in can.split() for name in ("voice", "SMS", "MMS", "fax")},
    }


class Refusal(Exception):
    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.told = {"code": code, "message": message, "status": status, "more_info": ""}


@dataclass
class FakeTwilio:
    """`client` posts a webhook: a Django test client, or anything with its `post`."""

    numbers: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    recordings: dict[str, dict[str, Any]] = field(default_factory=dict)
    media: dict[str, bytes] = field(default_factory=dict)  # sound, by the SID of its recording
    moved: dict[str, str] = field(default_factory=dict)  # where the sound is instead
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    refuses: Refusal | None = None  # the next call that is to be placed
    seconds: float = 0  # until it answers
    on_offer: list[dict[str, Any]] = field(default_factory=lambda: [offer("+14155550177", "MMS SMS voice")])
    price: str = "0.10"  # of a minute to any number
    told_length: int = 0  # of a recording, where it is not its own
    limits: int = 0  # how often a time limit is refused before it is taken
    _sequence: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                if match := MEDIA.fullmatch(self.path):
                    self._give(*match.groups())
                    return
                length = int(self.headers.get("Content-Length") or 0)
                form: dict[str, Any] = {}
                for name, value in parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True):
                    form[name] = [*form[name], value] if name in form else [value]
                status, body = fake._answer(self.command, self.path, form, self.headers)
                content = json.dumps(body).encode() if body is not None else b""
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _give(self, place: str, sid: str) -> None:
                """A recording's sound; where it was moved to nobody asks for a key."""
                fake.asked.append((self.command, self.path, {}))
                sound, where = fake.media.get(sid, b""), fake.moved.get(sid, "")
                status = 200 if sound else 404
                if place != "/moved":
                    status = 302 if where else status
                    status = status if self.headers.get("Authorization") == EXPECTED else 401
                content = sound if status == 200 else b""
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", where)
                self.send_header("Content-Length", str(fake.told_length or len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = _serve

            def log_message(self, *_: object) -> None:
                """Not on the tests' output."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def own(self, number: str, **more: Any) -> dict[str, Any]:
        """A number that the account has."""
        sid = f"PN{len(self.numbers) + 1:032x}"
        row = {
            "sid": sid,
            "account_sid": SID,
            "phone_number": number,
            "friendly_name": number,
            "capabilities": {"voice": True, "SMS": True, "MMS": False},
            "voice_url": "https://demo.twilio.com/welcome/voice/",
            **more,
        }
        self.numbers[sid] = row
        return row

    # ---- calls as they go -----------------------------------------------------------------------

    def goes_on(self, client: Any, sid: str, status: str, *, sequence: int | None = None, **more: str) -> Any:
        """A call has changed: the status callback."""
        call = self.calls[sid]
        call["status"] = status
        number = self._sequence.get(sid, 0) if sequence is None else sequence
        self._sequence[sid] = max(self._sequence.get(sid, 0), number + 1)
        return self.post(
            client, call["status_callback"], self._form(call, SequenceNumber=str(number), **more)
        )

    def is_answered(self, client: Any, sid: str, **more: str) -> str:
        """TwiML that we answer with."""
        call = self.calls[sid]
        return self.post(client, call["url"], self._form(call, **more)).content.decode()

    def records(self, call_sid: str, *, sound: bytes = b"", status: str = "completed") -> str:
        """A recording of a call, and what is to be heard in it; its SID."""
        sid = f"RE{len(self.recordings) + 1:032x}"
        self.recordings[sid] = {
            "sid": sid,
            "account_sid": SID,
            "call_sid": call_sid,
            "status": status,
            "channels": 2,
            "source": "StartCallRecordingTwiML",
        }
        if sound:
            self.media[sid] = sound
        return sid

    def tells_of(self, client: Any, sid: str, status: str = "completed", **more: str) -> Any:
        """The callback of a recording."""
        form = {
            "AccountSid": SID,
            "CallSid": self.recordings[sid]["call_sid"],
            "RecordingSid": sid,
            "RecordingStatus": status,
            "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Recordings/{sid}",
            "RecordingDuration": "2",
            "RecordingChannels": "2",
        }
        return self.post(client, f"{settings.PUBLIC_URL}/telephony/twilio/recording/", {**form, **more})

    def post(self, client: Any, url: str, form: Mapping[str, str]) -> Any:
        signature = RequestValidator(TOKEN).compute_signature(url, dict(form))
        return client.post(urlsplit(url).path, form, headers={"X-Twilio-Signature": signature})

    def _form(self, call: Mapping[str, Any], **more: str) -> dict[str, str]:
        told = {
            "AccountSid": SID,
            "CallSid": call["sid"],
            "CallStatus": call["status"],
            "From": call["from"],
            "To": call["to"],
            "Direction": "outbound-api",
        }
        return {**told, **more}

    # ---- inside ---------------------------------------------------------------------------------

    def _answer(
        self, method: str, address: str, form: Mapping[str, list[str]], headers: Any
    ) -> tuple[int, Any]:
        path = urlsplit(address).path
        flat = {
            name: values if name == "StatusCallbackEvent" else values[-1] for name, values in form.items()
        }
        flat |= dict(parse_qsl(urlsplit(address).query)) if method == "GET" else {}
        self.asked.append((method, path, flat))
        time.sleep(self.seconds)
        try:
            if headers.get("Authorization") != EXPECTED:
                raise Refusal(20003, "Authenticate", 401)
            return self._route(method, path, flat)
        except Refusal as refusal:
            return refusal.told["status"], refusal.told

    def _route(self, method: str, path: str, form: dict[str, Any]) -> tuple[int, Any]:
        account = f"/2010-04-01/Accounts/{SID}"
        match method, path.removeprefix(account):
            case "GET", ".json":
                told = {"sid": SID, "friendly_name": "Harbour Street", "status": "active", "type": "Full"}
                return 200, told
            case "GET", "/Balance.json":
                return 200, {"account_sid": SID, "balance": "27.50", "currency": "USD"}
            case "GET", "/IncomingPhoneNumbers.json":
                return 200, {"incoming_phone_numbers": list(self.numbers.values()), "next_page_uri": None}
            case "POST", "/IncomingPhoneNumbers.json":
                if not form["PhoneNumber"].startswith("+1415555"):
                    raise Refusal(21422, "Number not available")
                return 201, self.own(form["PhoneNumber"], **_columns(form, but="PhoneNumber"))
            case "POST", "/Calls.json":
                return 201, self._placed(form)
        if match := re.fullmatch(rf"{account}/IncomingPhoneNumbers/(PN\w+)\.json", path):
            return self._number(method, match[1], form)
        if match := re.fullmatch(rf"{account}/Calls/(CA\w+)\.json", path):
            return self._call(method, match[1], form)
        if match := re.fullmatch(rf"{account}/Calls/(CA\w+)/Recordings\.json", path):
            rows = [each for each in self.recordings.values() if each["call_sid"] == match[1]]
            return 200, {"recordings": rows, "next_page_uri": None}
        if match := re.fullmatch(rf"{account}/Recordings/(RE\w+)\.json", path):
            if method != "DELETE" or self.recordings.pop(match[1], None) is None:
                raise Refusal(20404, "not found", 404)
            return 204, None
        if re.fullmatch(rf"{account}/AvailablePhoneNumbers/US/Local\.json", path):
            wanted = {name.removesuffix("Enabled").lower() for name in form if form[name] == "true"}
            found = [
                each
                for each in self.on_offer
                if wanted <= {name.lower() for name, can in each["capabilities"].items() if can}
            ]
            return 200, {"available_phone_numbers": found}
        if path == "/v1/PhoneNumbers/Countries/US":
            prices = [{"number_type": "local", "base_price": "1.15", "current_price": "1.15"}]
            return 200, {
                "country": "United States",
                "iso_country": "US",
                "phone_number_prices": prices,
                "price_unit": "usd",
            }
        if match := re.fullmatch(r"/v2/Voice/Numbers/(\+\d+)", path):
            prices = [{"current_price": self.price, "base_price": self.price}]
            return 200, {"destination_number": match[1], "outbound_call_prices": prices, "price_unit": "USD"}
        raise Refusal(20404, f"The requested resource {path} was not found", 404)

    def _number(self, method: str, sid: str, form: dict[str, Any]) -> tuple[int, Any]:
        if sid not in self.numbers:
            raise Refusal(20404, "not found", 404)
        if method == "DELETE":
            del self.numbers[sid]
            return 204, None
        self.numbers[sid] |= _columns(form)
        return 200, self.numbers[sid]

    def _placed(self, form: dict[str, Any]) -> dict[str, Any]:
        if strange := set(form) - CALL_FIELDS:
            raise Refusal(21201, f"unknown {strange}")
        if self.refuses:
            refusal, self.refuses = self.refuses, None
            raise refusal
        if form["From"] not in {each["phone_number"] for each in self.numbers.values()}:
            raise Refusal(21210, "The source phone number provided is not yet verified")
        sid = f"CA{len(self.calls) + 1:032x}"
        self.calls[sid] = {
            "sid": sid,
            "account_sid": SID,
            "status": "queued",
            "to": form["To"],
            "from": form["From"],
            **_columns(form, but="To From"),
        }
        return self.calls[sid]

    def _call(self, method: str, sid: str, form: dict[str, Any]) -> tuple[int, Any]:
        call = self.calls.get(sid)
        if call is None:
            raise Refusal(20404, "not found", 404)
        if method == "POST":
            if call["status"] in FINAL:
                raise Refusal(21220, "Call is not in-progress. Cannot redirect.")
            if "TimeLimit" in form and self.limits:
                self.limits -= 1
                raise Refusal(20500, "Internal server error", 500)
            call |= _columns(form)
        return 200, {**call, "start_time": format_datetime(datetime(2026, 11, 27, 12, tzinfo=UTC))}


def _columns(form: Mapping[str, Any], *, but: str = "") -> dict[str, Any]:
    """VoiceUrl -> voice_url."""
    left = {name: value for name, value in form.items() if name not in but.split()}
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in left.items()}
