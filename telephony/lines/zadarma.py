"""An account with Zadarma, as `telephony.lines.accounts` asks accounts. What Zadarma's interface does not
offer is refused in words: numbers are bought in its own pages, and the sound of calls is SIP's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils.translation import gettext as _

from ..providers.zadarma.client import ZadarmaClient
from ..providers.zadarma.errors import ZadarmaBusy, ZadarmaError
from .accounts import SECONDS, Dial, Offer, OwnNumber, ProviderError, Record, Recorded

T = TypeVar("T")


class ZadarmaAccount:
    """An `Account`. `key` and `secret` are those of its API."""

    def __init__(self, key: str, secret: str) -> None:
        self._client = ZadarmaClient(key, secret, url=settings.ZADARMA_API_URL, patience_seconds=SECONDS)

    def facts(self) -> list[tuple[str, str]]:
        return _asked(self._facts)

    async def _facts(self) -> list[tuple[str, str]]:
        balance = await self._client.balance()
        tariff = await self._client.tariff()
        clock = await self._client.clock()
        numbers = await self._client.numbers()
        return [
            (_("Tariff"), tariff.name),
            (_("Time zone"), clock.zone),
            (_("Lines"), str(sum(each.lines or 0 for each in numbers))),
            (_("Balance"), f"{balance.amount} {balance.currency}"),
            (_("Numbers"), str(len(numbers))),
        ]

    def numbers(self) -> list[OwnNumber]:
        found = _asked(self._client.numbers)
        return [
            OwnNumber(
                number=f"+{each.number.lstrip('+')}",
                provider_id=each.number.lstrip("+"),
                label=each.name or each.description,
                can=("voice",),
                hooks={"sip": each.sip or ""},
            )
            for each in found
        ]

    def hooks(self, fallback_number: str) -> Mapping[str, str]:
        """Its calls come by SIP, to a line that is set in Zadarma's own pages."""
        return {}

    def set_hooks(self, provider_id: str, hooks: Mapping[str, str]) -> Mapping[str, str]:
        raise ProviderError(
            _("At Zadarma a number leads to an extension: choose it in the pages of Zadarma.")
        )

    def offers(self, country: str, *, contains: str, kind: str, can: Sequence[str]) -> list[Offer]:
        raise ProviderError(_("Zadarma sells numbers in its own pages. Buy one there, then import it."))

    def buy(self, number: str, hooks: Mapping[str, str]) -> OwnNumber:
        raise ProviderError(_("Zadarma sells numbers in its own pages. Buy one there, then import it."))

    def release(self, provider_id: str) -> None:
        raise ProviderError(_("Zadarma takes numbers back in its own pages only."))

    def rate(self, to: str, caller_id: str) -> Decimal:
        return _asked(partial(self._client.price, to, caller_id)).per_minute

    def place(self, dial: Dial) -> str:
        """A call-back, which no interface ends: not at `most_seconds` either."""
        shown = dial.first if dial.first.isdecimal() else dial.extension
        _asked(partial(self._client.call_back, dial.first, dial.to, sip=shown))
        return ""

    def hang_up(self, provider_call_id: str) -> None:
        raise ProviderError(_("Zadarma ends no call by its interface; the SIP line does."))

    def limit(self, provider_call_id: str, seconds: int) -> None:
        raise ProviderError(_("Zadarma ends no call by its interface; the SIP line does."))

    def records(self, provider_call_ids: Sequence[str]) -> Iterator[Record]:
        """By its statistics instead: `telephony.zadarma.import_statistics`."""
        return iter(())

    def recordings(self, provider_call_id: str) -> list[Recorded]:
        """Its notices tell of them, and its statistics by other names."""
        return []

    def fetch_recording(self, provider_id: str, to: Path) -> None:
        to.write_bytes(_asked(partial(self._recording, provider_id)))

    async def _recording(self, provider_id: str) -> bytes:
        [link, *_others] = (await self._client.record_links(call_id=provider_id)).links
        return (await self._client.recording(link)).content

    def remove_recording(self, provider_id: str) -> None:
        raise ProviderError(_("Zadarma removes recordings in its own pages only."))


def _asked(ask: Callable[[], Awaitable[T]]) -> T:
    try:
        return async_to_sync(ask)()
    except ZadarmaBusy as error:
        raise ProviderError(str(error), code="429", may_help=True) from None
    except ZadarmaError as error:
        raise ProviderError(str(error), may_help=not error.permanent, sent=error.sent) from None
