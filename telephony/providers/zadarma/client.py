"""Zadarma's REST interface, https://zadarma.com/en/support/api/.

It offers no hang-up, no transfer and no sound of a call: those are SIP's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from .errors import ZadarmaError
from .facts import (
    Balance,
    BilledCall,
    Callback,
    Clock,
    DirectNumber,
    Extensions,
    Fact,
    PbxCall,
    Price,
    RecordLinks,
    SipAccount,
    Tariff,
    WebhookSettings,
)
from .limits import Limits
from .recordings import Sound, download
from .signature import Value
from .wire import PRODUCTION, Wire

PAGE = 1000  # lines of statistics in one answer: the most there are
FactType = TypeVar("FactType", bound=Fact)


class ZadarmaClient:
    """In the name of one account. Each method raises ZadarmaError, whose words say what to do."""

    def __init__(
        self,
        key: str,
        secret: str,
        *,
        url: str = PRODUCTION,
        patience_seconds: float = 10.0,
        limits: Limits | None = None,
    ) -> None:
        """`patience_seconds` is how long a request may wait for its turn; statistics need up to 60."""
        self._wire = Wire(key, secret, url=url, patience_seconds=patience_seconds, limits=limits)

    async def balance(self) -> Balance:
        return _read(Balance, await self._wire.get("/v1/info/balance/"))

    async def price(self, number: str, caller_id: str = "") -> Price:
        """Of a minute to `number`, with `caller_id` shown: digits with the country code."""
        asked = {"number": number.lstrip("+")}
        if caller_id:
            asked["caller_id"] = caller_id.lstrip("+")
        answer = await self._wire.get("/v1/info/price/", asked)
        return _read(Price, answer.get("info"))

    async def tariff(self) -> Tariff:
        return _read(Tariff, (await self._wire.get("/v1/tariff/")).get("info"))

    async def clock(self) -> Clock:
        return _read(Clock, await self._wire.get("/v1/info/timezone/"))

    async def numbers(self) -> list[DirectNumber]:
        return _read_all(DirectNumber, await self._wire.get("/v1/direct_numbers/"), "info")

    async def sip_accounts(self) -> list[SipAccount]:
        return _read_all(SipAccount, await self._wire.get("/v1/sip/"), "sips")

    async def sip_is_online(self, account: str) -> bool:
        return _is_online(await self._wire.get(f"/v1/sip/{_digits(account)}/status/"))

    async def extensions(self) -> Extensions:
        return _read(Extensions, await self._wire.get("/v1/pbx/internal/"))

    async def call_back(
        self, caller: str, callee: str, *, sip: str = "", predicted: bool = False
    ) -> Callback:
        """Ring `caller` (an extension, a SIP account, a number) and connect it to `callee`; `predicted` rings
        `callee` first. `sip` is the line whose number is shown. Not to be tried again after an error with
        `sent`: the telephones may ring."""
        asked = {
            "from": caller.lstrip("+"),
            "to": callee.lstrip("+"),
            "sip": sip or None,
            "predicted": "predicted" if predicted else None,
        }
        return _read(Callback, await self._wire.get("/v1/request/callback/", asked))

    async def webhooks(self) -> WebhookSettings:
        return _read(WebhookSettings, await self._wire.get("/v1/pbx/callinfo/"))

    async def set_webhook_url(self, url: str) -> None:
        """Zadarma asks there at once for an echo, and refuses an address that does not give it."""
        await self._wire.send("POST", "/v1/pbx/callinfo/url/", {"url": url})

    async def set_notifications(self, wanted: Mapping[str, bool]) -> None:
        """By name, as notify_start; what is not named stays as it is."""
        texts = {name: "true" if on else "false" for name, on in wanted.items()}
        await self._wire.send("POST", "/v1/pbx/callinfo/notifications/", texts)

    async def billed_calls(
        self, since: datetime, until: datetime, *, page: int = PAGE
    ) -> AsyncIterator[BilledCall]:
        """What calls cost, by pages; at most a month, in the account's own time."""
        async for line in self._statistics("/v1/statistics/", {}, since, until, page):
            yield _read(BilledCall, line)

    async def pbx_calls(
        self, since: datetime, until: datetime, *, page: int = PAGE
    ) -> AsyncIterator[PbxCall]:
        """The legs of calls through the PBX, by pages; at most a month, in the account's own time."""
        async for line in self._statistics("/v1/statistics/pbx/", {"version": 2}, since, until, page):
            yield _read(PbxCall, line)

    async def _statistics(
        self, path: str, more: Mapping[str, int], since: datetime, until: datetime, page: int
    ) -> AsyncIterator[Any]:
        period = {"start": f"{since:%Y-%m-%d %H:%M:%S}", "end": f"{until:%Y-%m-%d %H:%M:%S}"}
        skip = 0
        while True:
            asked: dict[str, Value] = {**period, **more, "skip": skip, "limit": page}
            lines = _listed(await self._wire.get(path, asked, statistics=True), "stats")
            for line in lines:
                yield line
            if len(lines) < page:
                return
            skip += page

    async def record_links(
        self, *, call_id: str = "", pbx_call_id: str = "", lifetime_seconds: int = 1800
    ) -> RecordLinks:
        """Of one recording by its `call_id`, or of all of a call by its `pbx_call_id`. A recording is there
        some 40 s after the call."""
        asked = {
            "call_id": call_id or None,
            "pbx_call_id": None if call_id else pbx_call_id,
            "lifetime": lifetime_seconds,
        }
        answer = await self._wire.get("/v1/pbx/record/request/", asked)
        links = answer.get("links") or [answer.get("link")]
        return _read(RecordLinks, {**answer, "links": links})

    async def recording(self, link: str) -> Sound:
        """The sound behind one of `record_links`."""
        return await download(link, api=self._wire.url)


def _read(kind: type[FactType], answer: Any) -> FactType:
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        places = {".".join(map(str, fault["loc"])) or "the whole" for fault in error.errors()}
        raise _unexpected(", ".join(sorted(places))) from None


def _read_all(kind: type[FactType], answer: Mapping[str, Any], name: str) -> list[FactType]:
    return [_read(kind, part) for part in _listed(answer, name)]


def _listed(answer: Mapping[str, Any], name: str) -> list[Any]:
    """PHP writes an empty mapping as a list and a list with gaps as a mapping."""
    found = answer.get(name) or []
    if isinstance(found, dict):
        found = list(found.values())
    if not isinstance(found, list):
        raise _unexpected(name)
    return found


def _unexpected(where: str) -> ZadarmaError:
    return ZadarmaError(
        f"Zadarma answered in a form that is not known here ({where}).", permanent=True, sent=True
    )


def _is_online(answer: Mapping[str, Any]) -> bool:
    return str(answer.get("is_online")).lower() == "true"


def _digits(text: str) -> str:
    """A part of an address that is a SIP account's number. Raises ValueError."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is no SIP account: those are digits.")
    return text
