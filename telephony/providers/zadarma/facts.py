"""What Zadarma tells of an account: its answers, typed. Times bear no zone; they are in the account's."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field


class Fact(BaseModel):
    """Zadarma writes numbers as text and text as numbers, alike for the same field; either is read."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True, validate_by_name=True)


class Balance(Fact):
    amount: Decimal = Field(alias="balance")
    currency: str


class Price(Fact):
    """Of a minute to a number."""

    prefix: str
    description: str
    per_minute: Decimal = Field(alias="price")
    currency: str


class Tariff(Fact):
    name: str = Field(alias="tariff_name")
    cost: Decimal
    currency: str


class Clock(Fact):
    """What time it is in the account's zone."""

    unixtime: int
    here: datetime = Field(alias="datetime")
    zone: str = Field(alias="timezone")

    @property
    def offset(self) -> timedelta:
        """From UTC, to the quarter of an hour, as zones are."""
        seconds = (self.here - datetime(1970, 1, 1)).total_seconds() - self.unixtime
        return timedelta(minutes=15 * round(seconds / 900))


class DirectNumber(Fact):
    """A number of the account: digits, without the plus. `sip` is where its calls go."""

    number: str
    status: str  # "on", "parking", "checking", ...
    country: str = ""
    description: str = ""
    name: str | None = Field(None, alias="number_name")
    sip: str | None = None
    lines: int | None = Field(None, alias="channels")
    monthly_fee: Decimal | None = None
    currency: str | None = None
    renews: bool | None = Field(None, alias="autorenew")
    paid_until: str | None = Field(None, alias="stop_date")


class SipAccount(Fact):
    id: str
    name: str = Field("", alias="display_name")
    lines: int | None = None


class Extensions(Fact):
    """Of the account's PBX; an extension signs in as `pbx_id`-`number`."""

    pbx_id: str
    numbers: list[str]


class Callback(Fact):
    """A call-back that Zadarma has taken; it has no name for the call yet."""

    caller: str = Field(alias="from")
    callee: str = Field(alias="to")
    at: int = Field(alias="time")  # seconds since 1970


class WebhookSettings(Fact):
    """Where notices go, and which."""

    url: str = ""
    notifications: dict[str, bool] = Field(default_factory=dict)


class BilledCall(Fact):
    """A line of the account's own statistics: what a call cost."""

    id: str
    sip: str = ""
    started: datetime = Field(alias="callstart")
    caller: str = Field("", alias="from")
    callee: str = Field("", alias="to")
    disposition: str
    seconds: int = Field(alias="billseconds")
    cost: Decimal = Field(Decimal(0), alias="billcost")
    currency: str = ""


class PbxCall(Fact):
    """A line of the PBX's statistics: one leg of a call. `pbx_call_id` is the name that its notices bear."""

    call_id: str
    pbx_call_id: str = ""
    extension: str = Field("", alias="sip")
    started: datetime = Field(alias="callstart")
    caller: str = Field("", alias="clid")
    destination: str = ""
    disposition: str
    seconds: int
    recorded: bool = Field(False, alias="is_recorded")


class RecordLinks(Fact):
    """Addresses of a call's recordings, which open without a key until `until`."""

    links: list[str]
    until: str = Field("", alias="lifetime_till")
