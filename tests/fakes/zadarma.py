"""Zadarma as a server of our own: it checks signatures as Zadarma does, and keeps an account's state.

It knows nothing of the product's code. `Zadarma.notice` posts what Zadarma would post to the address that was
set, signed; a call-back does so by itself where `calls_itself` is set.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote_plus

import httpx
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.mlservices.conftest import serving

MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(4000)
SIGNED = {
    "NOTIFY_ANSWER": ("caller_id", "destination", "call_start"),
    "NOTIFY_OUT_START": ("internal", "destination", "call_start"),
    "NOTIFY_OUT_END": ("internal", "destination", "call_start"),
    "NOTIFY_RECORD": ("pbx_call_id", "call_id_with_rec"),
}


def hashed(text: str, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), "sha1").hexdigest().encode()).decode()


def signature(form: dict[str, str], secret: str) -> str:
    fields = SIGNED.get(form["event"], ("caller_id", "called_did", "call_start"))
    return hashed("".join(form.get(name, "") for name in fields), secret)


@dataclass
class Zadarma:
    key: str = "KEY0123456789abcdef0"
    secret: str = "SECRET0123456789abcd"
    url: str = ""
    balance: float = 10.34
    numbers: list[dict[str, Any]] = field(default_factory=list)
    dearer: dict[str, str] = field(default_factory=dict)  # a minute's price, by the number that is shown
    sips: list[dict[str, Any]] = field(default_factory=list)
    extensions: list[int] = field(default_factory=lambda: [100, 101])
    zone_seconds: int = 0
    webhook: str = ""
    notifications: dict[str, str] = field(
        default_factory=lambda: dict.fromkeys(
            [
                "notify_start",
                "notify_internal",
                "notify_end",
                "notify_out_start",
                "notify_out_end",
                "notify_answer",
            ],
            "false",
        )
    )
    billed: list[dict[str, Any]] = field(default_factory=list)
    pbx: list[dict[str, Any]] = field(default_factory=list)
    recordings: dict[str, bytes] = field(default_factory=dict)  # by call_id
    links: list[str] = field(default_factory=list)  # in place of its own
    calls_itself: bool = False
    called_back: list[dict[str, str]] = field(default_factory=list)
    # How the next requests are answered instead: (status, body, headers).
    instead: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # ---- what it is asked ----

    async def answer(self, request: Request) -> Response:
        path, method = request.url.path, request.method
        self.asked[f"{method} {path}"] += 1
        if self.instead:
            status, body, headers = self.instead.pop(0)
            return Response(body, status, headers)
        raw = request.scope["query_string"] if method == "GET" else await request.body()
        if not self._is_signed(path, raw.decode("ascii"), request.headers.get("authorization", "")):
            return JSONResponse({"status": "error", "message": "Not authorized"}, 401)
        fields = dict(parse_qsl(raw.decode(), keep_blank_values=True))
        if fields.pop("format", "json") != "json":
            return JSONResponse({"status": "error", "message": "Wrong parameters"}, 400)
        answer = await run_in_threadpool(self._answer, f"{method} {path}", fields)
        status = 400 if answer.get("status") == "error" else 200
        headers = {
            "X-Zadarma-Method": path,
            "X-RateLimit-Limit": "100",
            "X-RateLimit-Remaining": "99",
            "X-RateLimit-Reset": str(int(time.time()) + 60),
        }
        return JSONResponse({"status": "success", **answer}, status, headers)

    def _is_signed(self, path: str, raw: str, authorization: str) -> bool:
        """It reads the parameters and writes them anew, in order and as PHP does: what was sent in another
        writing is another text."""
        pairs = sorted(parse_qsl(raw, keep_blank_values=True))
        query = "&".join("=".join(quote_plus(part).replace("~", "%7E") for part in pair) for pair in pairs)
        text = path + query + hashlib.md5(query.encode()).hexdigest()
        return hmac.compare_digest(authorization, f"{self.key}:{hashed(text, self.secret)}")

    def _answer(self, asked: str, fields: dict[str, str]) -> dict[str, Any]:
        match asked.split("/"):
            case ["GET ", "v1", "info", "balance", ""]:
                return {"balance": self.balance, "currency": "USD"}
            case ["GET ", "v1", "info", "price", ""]:
                if not fields.get("number", "").isdigit():
                    return {"status": "error", "message": "Check phone's number"}
                price = self.dearer.get(fields.get("caller_id", ""), "0.009")
                return {
                    "info": {"prefix": "4420", "description": "London", "price": price, "currency": "USD"}
                }
            case ["GET ", "v1", "info", "timezone", ""]:
                now = int(time.time())
                here = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + self.zone_seconds))
                return {"unixtime": now, "datetime": here, "timezone": f"UTC+{self.zone_seconds // 3600}"}
            case ["GET ", "v1", "tariff", ""]:
                return {"info": {"tariff_id": 5, "tariff_name": "Standard", "cost": 0, "currency": "USD"}}
            case ["GET ", "v1", "direct_numbers", ""]:
                return {"info": self.numbers}
            case ["GET ", "v1", "sip", ""]:
                return {"sips": self.sips, "left": 3}
            case ["GET ", "v1", "sip", account, "status", ""]:
                return {"sip": account, "is_online": "true"}
            case ["GET ", "v1", "pbx", "internal", ""]:
                return {"pbx_id": 1234, "numbers": self.extensions}
            case ["GET ", "v1", "request", "callback", ""]:
                return self._call_back(fields)
            case [_, "v1", "pbx", "callinfo", *_rest]:
                return self._call_info(asked, fields)
            case ["GET ", "v1", "statistics", ""]:
                return self._page(self.billed, fields)
            case ["GET ", "v1", "statistics", "pbx", ""] if fields.get("version") == "2":
                return self._page(self.pbx, fields)
            case ["GET ", "v1", "pbx", "record", "request", ""]:
                return self._record_links(fields)
        return {"status": "error", "message": "Wrong method"}

    def _page(self, lines: list[dict[str, Any]], fields: dict[str, str]) -> dict[str, Any]:
        start, end = fields["start"], fields["end"]
        found = [line for line in lines if start <= line["callstart"] <= end]
        skip, limit = int(fields.get("skip", 0)), min(int(fields.get("limit", 1000)), 1000)
        return {"start": start, "end": end, "stats": found[skip : skip + limit]}

    def _call_info(self, asked: str, fields: dict[str, str]) -> dict[str, Any]:
        if asked == "POST /v1/pbx/callinfo/url/":
            echoed = httpx.get(fields["url"], params={"zd_echo": "a1B2c3"}, timeout=5)
            if echoed.text != "a1B2c3":
                return {"status": "error", "message": "The url does not answer to zd_echo"}
            self.webhook = fields["url"]
        elif asked == "POST /v1/pbx/callinfo/notifications/":
            self.notifications |= {name: fields[name] for name in self.notifications if name in fields}
        return {"url": self.webhook, "notifications": self.notifications}

    def _record_links(self, fields: dict[str, str]) -> dict[str, Any]:
        links = self.links or [f"{self.url}/v1/pbx/record/download/x/{name}.mp3" for name in self.recordings]
        till = {"lifetime_till": "2030-01-01 00:00:00"}
        if not links:
            return {"status": "error", "message": "No such record"}
        return {"link": links[0], **till} if "call_id" in fields else {"links": links, **till}

    def _call_back(self, fields: dict[str, str]) -> dict[str, Any]:
        self.called_back.append(fields)
        if self.calls_itself:
            self.goes_out(fields["from"], fields["to"])
        return {"from": fields["from"], "to": fields["to"], "time": int(time.time())}

    async def recording(self, request: Request) -> Response:
        name = request.path_params["name"].removesuffix(".mp3")
        content = self.recordings.get(name)
        return Response(content or b"", 200 if content is not None else 404, media_type="audio/mpeg")

    # ---- what it tells ----

    def here(self, seconds_ago: float = 0) -> str:
        """The account's time, as its notices and statistics write it."""
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + self.zone_seconds - seconds_ago))

    def notice(self, event: str, *, to: str = "", **fields: str) -> httpx.Response:
        """Post one, signed, to the address that was set (or `to`)."""
        form = {"event": event, **fields}
        headers = {"Signature": signature(form, self.secret)}
        return httpx.post(to or self.webhook, data=form, headers=headers, timeout=10)

    def goes_out(self, internal: str, destination: str, *, seconds: int = 42) -> str:
        """A call out of the PBX, from its beginning to its end; its pbx_call_id."""
        name = f"out_{next(self._numbers):032x}"
        call = {"pbx_call_id": name, "call_start": self.here()}
        out = {**call, "internal": internal, "destination": destination, "caller_id": "442037691880"}
        self.notice("NOTIFY_OUT_START", **out)
        self.notice("NOTIFY_ANSWER", **out)
        end = {"duration": str(seconds), "disposition": "answered", "status_code": "16", "is_recorded": "0"}
        self.notice("NOTIFY_OUT_END", **out, **end)
        return name


@contextmanager
def zadarma_server(**fields: Any) -> Iterator[Zadarma]:
    fake = Zadarma(**fields)
    methods = ["GET", "POST"]
    routes = [
        Route("/v1/pbx/record/download/{token}/{name}", fake.recording),
        Route("/{path:path}", fake.answer, methods=methods),
    ]
    with serving(Starlette(routes=routes)) as url:
        fake.url = url
        yield fake
