"""What every provider's account can be asked, whatever its words for it. An account translates, and never
acts on our rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from django.utils.module_loading import import_string

from ..credentials import secret_of
from .texts import in_words

if TYPE_CHECKING:
    from .models import Credential

SECONDS = 10.0  # that a provider may take for an answer

# provider: dotted path of what speaks for its accounts
_ACCOUNTS = {
    "twilio": "telephony.lines.twilio.TwilioAccount",
    "zadarma": "telephony.lines.zadarma.ZadarmaAccount",
}

RING_SECONDS = 45  # for which a call that we place rings


class ProviderError(Exception):
    """The provider refused, or did not answer: in words that a person can act on. `code` is the provider's
    own, "" where there was no answer; `gone`: what was asked about is not there any more; `may_help`: asking
    again later can succeed; `sent`: the provider may have done it all the same."""

    def __init__(
        self, words: str, *, code: str = "", gone: bool = False, may_help: bool = False, sent: bool = False
    ) -> None:
        super().__init__(words)
        self.sent = sent
        self.code = code
        self.gone = gone
        self.may_help = may_help


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """A number of the account. `hooks` are the addresses that the provider asks, by its names for them."""

    number: str  # E.164
    provider_id: str
    label: str = ""
    can: tuple[str, ...] = ()
    hooks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """A number that can be bought. `price` a month is None where the provider does not say."""

    number: str
    place: str
    can: tuple[str, ...]
    price: Decimal | None
    currency: str

    @property
    def can_in_words(self) -> str:
        return in_words(self.can)


Machine = Literal["ignore", "hang_up", "message"]  # what to do when a machine answers


@dataclass(frozen=True, slots=True)
class Dial:
    """A call to be placed. Addresses are asked by the provider: when it is answered, as it goes on, and for
    its recording. `most_seconds` also ends it at the provider. `first` is a telephone of ours that a
    call-back rings before `to`, `extension` the one whose number is shown."""

    to: str
    caller_id: str
    answered_url: str
    status_url: str
    most_seconds: int
    ring_seconds: int = RING_SECONDS
    machine: Machine = "ignore"
    send_digits: str = ""
    first: str = ""
    extension: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A call as the provider has written it down. `price` is positive."""

    provider_call_id: str
    status: str  # one of telephony.models.Call.Status
    began_at: datetime | None
    duration_seconds: float | None
    price: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording that the provider has. `ready`: there is sound to be fetched; None is not yet."""

    provider_id: str
    ready: bool | None


class Account(Protocol):
    """Every method asks the provider and raises ProviderError."""

    def facts(self) -> list[tuple[str, str]]:
        """What it is called, and what it holds, as (name, value) to be shown."""

    def numbers(self) -> list[OwnNumber]: ...

    def hooks(self, fallback_number: str) -> Mapping[str, str]:
        """The addresses that a number of ours has to have; asks nobody."""

    def set_hooks(self, provider_id: str, hooks: Mapping[str, str]) -> Mapping[str, str]:
        """As they are now."""

    def offers(self, country: str, *, contains: str, kind: str, can: Sequence[str]) -> list[Offer]:
        """Each takes calls, and whatever else it must: "sms", "mms", "fax"."""

    def buy(self, number: str, hooks: Mapping[str, str]) -> OwnNumber: ...

    def release(self, provider_id: str) -> None: ...

    def rate(self, to: str, caller_id: str) -> Decimal:
        """What a minute to that number costs."""

    def place(self, dial: Dial) -> str:
        """The provider's id of the call, "" where only its notices tell it."""

    def hang_up(self, provider_call_id: str) -> None:
        """One that is over already is none of our errors."""

    def limit(self, provider_call_id: str, seconds: int) -> None:
        """End a call that goes on once it has lasted so long; one that is over is none of our errors."""

    def records(self, provider_call_ids: Sequence[str]) -> Iterator[Record]:
        """One by one: what was told before a refusal is told."""

    def recordings(self, provider_call_id: str) -> list[Recorded]:
        """Of one call."""

    def fetch_recording(self, provider_id: str, to: Path) -> None:
        """As the provider has it: a file of any kind of sound, or of none."""

    def remove_recording(self, provider_id: str) -> None:
        """One that is gone already is none of our errors."""


def account_of(credential: Credential) -> Account:
    """Raises UnreadableSecret."""
    made: Account = import_string(_ACCOUNTS[credential.provider])(credential.account, secret_of(credential))
    return made
