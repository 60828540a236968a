"""An account with Twilio, asked through Twilio's own client."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from agents.e164 import as_e164
from mlservices.pages.countries import country_name

from ..addresses import public_url
from .accounts import SECONDS, Dial, Offer, OwnNumber, ProviderError, Record, Recorded
from .twilio_errors import words_for
from .twilio_media import download

PAGE = 1000  # numbers that are read of an account at once
MOST = 100_000
MOST_OFFERS = 30
EVENTS = ["initiated", "ringing", "answered", "completed"]
# The last two, where they are set, have Twilio ignore the addresses.
HOOKS = (
    "voice_url",
    "voice_method",
    "voice_fallback_url",
    "voice_fallback_method",
    "status_callback",
    "voice_application_sid",
    "trunk_sid",
)
# What Twilio serves by itself, so that it is served while we are down: a call put through to `PhoneNumber`.
FORWARD = "https://twimlets.com/forward"
# Of a recording; any other is on its way to one of these.
_READY = {"completed": True, "absent": False, "deleted": False, "failed": False}
_LATER = (20429, 22005, 10004)
_GONE = (20404, 21220)


class TwilioAccount:
    """An `Account`. `sid` is the account's, `token` its auth token."""

    def __init__(self, sid: str, token: str) -> None:
        self._sid, self._token = sid, token
        self._client = Client(sid, token, http_client=TwilioHttpClient(timeout=SECONDS))
        if settings.TWILIO_API_URL:
            base = settings.TWILIO_API_URL.rstrip("/")
            self._client.api.base_url = base
            self._client.pricing.base_url = base

    def facts(self) -> list[tuple[str, str]]:
        with _asking():
            account = self._client.api.accounts(self._sid).fetch()
            balance = self._client.api.accounts(self._sid).balance.fetch()
            numbers = self._client.incoming_phone_numbers.list(limit=MOST, page_size=PAGE)
        return [
            (_("Name"), str(account.friendly_name)),
            (_("Status"), str(account.status)),
            (_("Kind"), str(account.type)),
            (_("Balance"), f"{balance.balance} {balance.currency}"),
            (_("Numbers"), str(len(numbers))),
        ]

    def numbers(self) -> list[OwnNumber]:
        with _asking():
            found = self._client.incoming_phone_numbers.list(limit=MOST, page_size=PAGE)
            return [_own(each) for each in found]

    def hooks(self, fallback_number: str) -> Mapping[str, str]:
        forward = requests.Request("GET", FORWARD, params={"PhoneNumber": fallback_number}).prepare().url
        return {
            "voice_url": public_url(reverse("telephony:twilio_voice")),
            "voice_method": "POST",
            "voice_fallback_url": (forward or "") if fallback_number else "",
            "voice_fallback_method": "GET" if fallback_number else "POST",
            "status_callback": public_url(reverse("telephony:twilio_status")),
            "voice_application_sid": "",
            "trunk_sid": "",
        }

    def set_hooks(self, provider_id: str, hooks: Mapping[str, str]) -> Mapping[str, str]:
        with _asking():
            return _own(self._client.incoming_phone_numbers(provider_id).update(**hooks)).hooks

    def offers(self, country: str, *, contains: str, kind: str, can: Sequence[str]) -> list[Offer]:
        found = []
        asked: dict[str, Any] = {f"{each}_enabled": True for each in ("voice", *can)}
        if contains:
            asked["contains"] = contains
        with _asking(gone_is_well=True):  # it has none of that kind in that country
            numbers = getattr(self._client.available_phone_numbers(country), kind)
            found = numbers.list(limit=MOST_OFFERS, **asked)
        if not found:
            return []
        with _asking():
            price, currency = self._price(country, kind)
        return [
            Offer(
                number=str(each.phone_number),
                place=", ".join(filter(None, (each.locality, each.region, country_name(each.iso_country)))),
                can=_can(each.capabilities),
                price=price,
                currency=currency,
            )
            for each in found
        ]

    def buy(self, number: str, hooks: Mapping[str, str]) -> OwnNumber:
        with _asking():
            return _own(self._client.incoming_phone_numbers.create(phone_number=number, **hooks))

    def release(self, provider_id: str) -> None:
        with _asking(gone_is_well=True):
            self._client.incoming_phone_numbers(provider_id).delete()

    def place(self, dial: Dial) -> str:
        asked: dict[str, Any] = {
            "to": dial.to,
            "from_": dial.caller_id,
            "url": dial.answered_url,
            "method": "POST",
            "status_callback": dial.status_url,
            "status_callback_event": EVENTS,
            "status_callback_method": "POST",
            "timeout": dial.ring_seconds,
            "time_limit": dial.most_seconds,
        }
        if dial.send_digits:
            asked["send_digits"] = dial.send_digits  # which Twilio does not do together with the next
        elif dial.machine != "ignore":
            asked["machine_detection"] = "DetectMessageEnd" if dial.machine == "message" else "Enable"
        with _asking():
            return str(self._client.calls.create(**asked).sid)

    def hang_up(self, provider_call_id: str) -> None:
        with _asking(gone_is_well=True):
            call = self._client.calls(provider_call_id)
            waiting = call.fetch().status in ("queued", "ringing")
            call.update(status="canceled" if waiting else "completed")

    def limit(self, provider_call_id: str, seconds: int) -> None:
        with _asking(gone_is_well=True):
            self._client.calls(provider_call_id).update(time_limit=seconds)

    def records(self, provider_call_ids: Sequence[str]) -> Iterator[Record]:
        for each in provider_call_ids:
            found = None
            with _asking(gone_is_well=True):
                found = _record(self._client.calls(each).fetch())
            if found:
                yield found

    def recordings(self, provider_call_id: str) -> list[Recorded]:
        with _asking(gone_is_well=True):
            rows = self._client.calls(provider_call_id).recordings.list(limit=MOST)
            return [Recorded(str(each.sid), _READY.get(str(each.status))) for each in rows]
        return []

    def fetch_recording(self, provider_id: str, to: Path) -> None:
        """Both sides apart, as it was recorded."""
        base = self._client.api.base_url.rstrip("/")
        url = f"{base}/2010-04-01/Accounts/{self._sid}/Recordings/{provider_id}.wav?RequestedChannels=2"
        with _asking():
            download(url, to, auth=(self._sid, self._token))

    def remove_recording(self, provider_id: str) -> None:
        with _asking(gone_is_well=True):
            self._client.recordings(provider_id).delete()

    def rate(self, to: str, caller_id: str) -> Decimal:
        shown = {"origination_number": caller_id} if as_e164(caller_id) else {}  # a caller may hide
        with _asking():
            told = self._client.pricing.v2.voice.numbers(to).fetch(**shown)
            prices = [Decimal(str(each["current_price"])) for each in told.outbound_call_prices or []]
        if not prices:
            raise ProviderError(_("Twilio tells no price for calls to %(number)s.") % {"number": to})
        return max(prices)

    def _price(self, country: str, kind: str) -> tuple[Decimal | None, str]:
        """Of a number of that kind for a month."""
        priced = self._client.pricing.v1.phone_numbers.countries(country).fetch()
        wanted = "toll free" if kind == "toll_free" else kind
        prices = [
            Decimal(str(each["current_price"]))
            for each in priced.phone_number_prices or []
            if str(each.get("number_type", "")).lower() == wanted
        ]
        return (prices[0] if prices else None), str(priced.price_unit or "").upper()


@contextmanager
def _asking(*, gone_is_well: bool = False) -> Iterator[None]:
    """Twilio's errors as ours. `gone_is_well`: that something is over already is what was wanted."""
    try:
        yield
    except TwilioRestException as error:
        if gone_is_well and (error.code in _GONE or error.status == 404):
            return
        raise ProviderError(
            words_for(error.code, error.msg),
            code=str(error.code or error.status),
            gone=error.code in _GONE or error.status == 404,
            may_help=error.code in _LATER or error.status >= 500,
            sent=error.status >= 500,
        ) from None
    except (
        requests.ConnectTimeout,
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
    ) as error:
        raise _unreached(error) from None
    except TwilioException as error:  # of a list, which is told with the answer itself
        code, status, message = _told(error)
        if gone_is_well and (code in _GONE or status == 404):
            return
        raise ProviderError(
            words_for(code, message), code=str(code or status), gone=code in _GONE, may_help=code in _LATER
        ) from None
    except requests.Timeout:
        words = _("Twilio did not answer within %(seconds)d seconds.") % {"seconds": SECONDS}
        raise ProviderError(words, may_help=True, sent=True) from None
    except requests.ConnectionError as error:
        raise _unreached(error, sent="NewConnectionError" not in str(error)) from None
    except (requests.RequestException, ValueError) as error:
        raise _unreached(error, sent=True) from None


def _unreached(error: Exception, *, sent: bool = False) -> ProviderError:
    words = _("Twilio could not be reached: %(reason)s.") % {"reason": type(error).__name__}
    return ProviderError(words, may_help=True, sent=sent)


def _told(error: TwilioException) -> tuple[int | None, int, str]:
    """Code, HTTP status and message of an answer that came with the exception."""
    answer = error.args[1] if len(error.args) > 1 else None
    try:
        told = json.loads(getattr(answer, "text", "") or "{}")
    except ValueError:
        told = {}
    code = told.get("code") if isinstance(told, dict) else None
    message = str(told.get("message") or error.args[0]) if isinstance(told, dict) else str(error.args[0])
    return code if isinstance(code, int) else None, int(getattr(answer, "status_code", 0) or 0), message


def _own(row: Any) -> OwnNumber:
    hooks = {name: str(getattr(row, name, "") or "") for name in HOOKS}
    return OwnNumber(
        str(row.phone_number), str(row.sid), str(row.friendly_name), _can(row.capabilities), hooks
    )


def _can(capabilities: Any) -> tuple[str, ...]:
    """Twilio tells them as {"voice": true, "SMS": true, ...}, or as an object of the same names."""
    told = capabilities if isinstance(capabilities, Mapping) else vars(capabilities or object)
    return tuple(sorted(name.lower() for name, can in told.items() if can is True))


def _record(row: Any) -> Record:
    return Record(
        provider_call_id=str(row.sid),
        status=str(row.status),
        began_at=row.start_time,
        duration_seconds=float(row.duration) if row.duration not in (None, "") else None,
        price=abs(Decimal(str(row.price))) if row.price not in (None, "") else None,
        currency=str(row.price_unit or "").upper(),
    )
