"""Accounts with telephone providers, asked whether they are there and take our secret."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from mlservices.checks import PROVIDERS, SOURCES, Outcome, Probe, Service, failed, passed, warned
from mlservices.checks.http import read, send
from mlservices.secret_box import UnreadableSecret

from .credentials import secret_of
from .models import Credential, SipLine
from .providers.zadarma.client import ZadarmaClient
from .providers.zadarma.errors import ZadarmaError

PATIENCE_SECONDS = 10.0
TWILIO = "https://api.twilio.com"
REGISTRAR = gettext_noop("Check the line's user and password, and that its host can be reached.")
GATEWAY = gettext_noop("Run `manage.py up`, which starts the gateway, or `manage.py sipgateway` by itself.")
Ask = Callable[[], Awaitable[Outcome]]

NEW_SECRET = gettext_noop(
    "Enter the account's secret again; see in the provider's console that the account is active and paid for."
)
KEY_BACK = gettext_noop("Put the key that encrypted it into CREDENTIALS_KEY, after the new one, and restart.")
TOP_UP = gettext_noop("Pay into the account: without money it places no calls, and loses its numbers.")


def accounts() -> Iterable[Service]:
    """Every account but the simulator's, which is nobody's."""
    for credential in Credential.objects.real().order_by("label", "pk"):
        yield account(credential)


def account(credential: Credential) -> Service:
    provider = credential.get_provider_display()
    about = credential.account if credential.label == credential.account else credential.label
    secret = ""
    ask: Ask = _unreadable
    with suppress(UnreadableSecret):
        secret = secret_of(credential)
        ask = _ASKED[credential.provider](credential.account, secret)
    probes = [Probe("account", _("Account"), ask, PATIENCE_SECONDS)]
    probes.append(Probe("webhooks", _("Signed webhooks"), _webhooks(credential)))
    name = credential.pk if credential.provider == Credential.Provider.ZADARMA else credential.account
    key = slugify(f"{credential.provider}-{name}")[:80]  # Zadarma's account is its key, which is not shown
    return Service(key, provider, PROVIDERS, "phone", tuple(probes), about, NEW_SECRET, (secret,))


async def _unreadable() -> Outcome:
    return failed(gettext_noop("Its secret was encrypted with another key and cannot be read"), KEY_BACK)


def _webhooks(credential: Credential) -> Ask:
    """When one last fitted the secret. Those that do not fit are nobody's: what they tell is no warning."""

    async def ask() -> Outcome:
        if credential.signed_at is None:
            return passed(gettext_noop("None has come with this secret yet"))
        at = credential.signed_at.strftime("%Y-%m-%d %H:%M UTC")
        return passed(gettext_noop("The newest that fits the secret came at %(at)s"), at=at)

    return ask


def _twilio(account: str, secret: str) -> Ask:
    url = f"{settings.TWILIO_API_URL or TWILIO}/2010-04-01/Accounts/{quote(account, safe='')}.json"

    async def ask() -> Outcome:
        return read(await send("GET", url, auth=(account, secret)), _judge_twilio)

    return ask


def _judge_twilio(answer: dict[str, Any]) -> Outcome:
    status = str(answer.get("status"))
    if status != "active":
        return failed(gettext_noop("Twilio says that the account is “%(status)s”"), status=status)
    return passed(gettext_noop("Active, and it takes the secret"))


def sip_lines() -> Iterable[Service]:
    for line in SipLine.objects.filter(enabled=True):
        probe = Probe("registration", _("Registration"), _registration(line))
        about = "" if line.label == line.user else f"{line.user}@{line.host}"
        key = slugify(f"sip-{line.host}-{line.user}")[:80]
        yield Service(key, line.label, PROVIDERS, "phone", (probe,), about, REGISTRAR)


def _registration(line: SipLine) -> Ask:
    async def ask() -> Outcome:
        match line.shown_state:
            case SipLine.State.READY:
                return passed(gettext_noop("Takes calls"))
            case SipLine.State.REGISTERING:
                return warned(gettext_noop("Is being registered"))
            case SipLine.State.FAILED:
                return failed(gettext_noop("Not registered: %(answer)s"), answer=line.reason)
        return failed(gettext_noop("No gateway carries it"), GATEWAY)

    return ask


def _zadarma(account: str, secret: str) -> Ask:
    client = ZadarmaClient(account, secret, url=settings.ZADARMA_API_URL)

    async def ask() -> Outcome:
        try:
            balance = await client.balance()
        except ZadarmaError as error:
            return failed(gettext_noop("Its balance cannot be read. %(problem)s"), problem=str(error))
        if balance.amount <= 0:
            return warned(gettext_noop("It takes the key, and has no money left"), TOP_UP)
        return passed(
            gettext_noop("It takes the key; %(amount)s %(currency)s are left"),
            amount=str(balance.amount),
            currency=balance.currency,
        )

    return ask


_ASKED: dict[str, Callable[[str, str], Ask]] = {
    Credential.Provider.TWILIO: _twilio,
    Credential.Provider.ZADARMA: _zadarma,
}

SOURCES += [accounts, sip_lines]
