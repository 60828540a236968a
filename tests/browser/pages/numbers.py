"""Accounts, numbers, lines, and calls that are placed with them."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from telephony.credentials import save_credential
from telephony.lines.actions import note_use
from telephony.models import (
    BlockedCaller,
    Credential,
    DoNotCall,
    PhoneNumber,
    PlannedCall,
    SipLine,
)

from .shown import World, shown, then


@shown
def no_accounts(world: World) -> str:
    return reverse("lines:accounts")


@shown
def no_numbers(world: World) -> str:
    return reverse("lines:numbers")


@shown
def dialler_without_a_number(world: World) -> str:
    return reverse("outbound:dial")


def _account() -> Credential:
    account = Credential.objects.filter(label="Main account").first()
    if account:
        return account
    account = save_credential(provider="twilio", account="AC" + "1" * 32, secret="s", label="Main account")
    facts = [["Name", "Harbour Street"], ["Status", "active"], ["Kind", "Full"], ["Balance", "27.50 USD"]]
    Credential.objects.filter(pk=account.pk).update(facts=facts, checked_at=timezone.now())
    refused = save_credential(provider="twilio", account="AC" + "2" * 32, secret="s", label="Old account")
    refusal = "Twilio does not know this account and token. Copy both anew from the Twilio console."
    Credential.objects.filter(pk=refused.pk).update(problem=refusal, checked_at=timezone.now())
    note_use(account, "checked", by="alice")
    note_use(account, "changed", by="alice", before={"countries": []}, after={"countries": ["US", "CA"]})
    note_use(account, "called", by="", detail="+14155550111")
    return account


def _number(world: World) -> PhoneNumber:
    hooks = {"voice_url": "https://demo.twilio.com/welcome/voice/"}
    hours = {"timezone": "Europe/London", "week": {"monday": [["09:00", "17:00"]]}, "closed_on": []}
    number, _ = PhoneNumber.objects.get_or_create(
        number="+14155550123",
        defaults={
            "credential": _account(),
            "agent": world.agent,
            "label": "Reception",
            "provider_id": "PN1",
            "can": ["sms", "voice"],
            "hooks": hooks,
            "hours": hours,
        },
    )
    PhoneNumber.objects.get_or_create(number="+442071234567", defaults={"credential": _account()})
    return number


@shown
def accounts(world: World) -> str:
    _account()
    return reverse("lines:accounts")


@shown
def account(world: World) -> str:
    return _account().get_absolute_url()


def _add_nothing(page: Page) -> None:
    page.get_by_role("button", name="Add and check").click()
    page.get_by_role("alert").first.wait_for()


@then(_add_nothing)
def new_account_refused(world: World) -> str:
    return reverse("lines:account_new")


@shown
def no_sip_lines(world: World) -> str:
    return reverse("lines:sip")


def _sip_line() -> SipLine:
    found = SipLine.objects.filter(label="Reception").first()
    if found:
        return found
    now = timezone.now()
    SipLine.objects.create(
        label="Old exchange",
        host="pbx.example.org",
        user="101",
        state="failed",
        reason="403 Forbidden",
        held_at=now,
    )
    return SipLine.objects.create(
        label="Reception", host="pbx.example.org", user="100", state="ready", held_at=now
    )


@shown
def sip_lines(world: World) -> str:
    _sip_line()
    return reverse("lines:sip")


@shown
def sip_line(world: World) -> str:
    return reverse("lines:sip_line", args=[_sip_line().pk])


@shown
def numbers(world: World) -> str:
    _number(world)
    return reverse("lines:numbers")


@shown
def number(world: World) -> str:
    return _number(world).get_absolute_url()


@shown
def number_that_its_account_has_no_more(world: World) -> str:
    before = {"voice_url": "https://old.example.org/voice"}
    row, _made = PhoneNumber.objects.get_or_create(
        number="+14155550166",
        defaults={
            "credential": _account(),
            "provider_id": "PN6",
            "missing_since": timezone.now(),
            "hooks": before,
            "hooks_before": before,
        },
    )
    return row.get_absolute_url()


def _search_countries(page: Page) -> None:
    page.get_by_role("combobox", name="Countries that may be called").press_sequentially("united")


@then(_search_countries)
def countries_of_an_account(world: World) -> str:
    account = _account()
    Credential.objects.filter(pk=account.pk).update(countries=["DE", "FR"])
    return account.get_absolute_url()


@shown
def number_to_buy(world: World) -> str:
    _account()
    return reverse("lines:search")


@shown
def no_blocked_caller_matches(world: World) -> str:
    BlockedCaller.objects.get_or_create(pattern="+1415555*", defaults={"note": "Robots", "by": "alice"})
    return reverse("lines:blocked") + "?q=nobody"


@shown
def blocked_callers(world: World) -> str:
    BlockedCaller.objects.get_or_create(pattern="+1415555*", defaults={"note": "Robots", "by": "alice"})
    return reverse("lines:blocked")


@then(lambda page: page.get_by_text("is on the do-not-call list").wait_for())
def dialler(world: World) -> str:
    caller_id = _number(world)
    DoNotCall.objects.get_or_create(number="+14155550199", defaults={"by": "bob", "reason": "Asked us to"})
    for to, state, reason in (
        ("+14155550111", "waiting", ""),
        ("+14155550112", "refused", "The account may not call this country."),
        ("+14155550113", "placed", ""),
    ):
        call = world.over if state == "placed" else None
        PlannedCall.objects.get_or_create(
            to=to,
            agent=world.agent,
            caller_id=caller_id,
            state=state,
            defaults={
                "agent_name": world.agent.name,
                "called_from": caller_id.number,
                "reason": reason,
                "call": call,
                "by": "bob",
                "due_at": timezone.now() + timedelta(days=1),
            },
        )
    return reverse("outbound:dial") + "?to=%2B14155550199"


def _by_the_line(page: Page) -> None:
    page.get_by_label("Caller ID").select_option(label="Reception")
    page.get_by_text("The exchange of the line says").wait_for()
    assert not page.get_by_label("If a machine answers").is_visible()
    assert page.get_by_label("Variables").is_visible()


@then(_by_the_line)
def dialler_by_a_sip_line(world: World) -> str:
    _number(world)
    line = _sip_line()
    PlannedCall.objects.get_or_create(
        to="100",
        agent=world.agent,
        line=line,
        state="refused",
        defaults={
            "agent_name": world.agent.name,
            "called_from": line.label,
            "reason": "Reception is not registered: 403 Forbidden.",
            "by": "bob",
        },
    )
    return reverse("outbound:dial")


def _by_ones_own_telephone(page: Page) -> None:
    page.get_by_label("Caller ID").select_option(label="+44 20 7123 4560 · London")
    page.get_by_label("Telephone that rings first").fill("100")
    assert not page.get_by_label("Variables").is_visible()


@then(_by_ones_own_telephone)
def dialler_call_back(world: World) -> str:
    account = Credential.objects.filter(provider="zadarma").first() or save_credential(
        provider="zadarma", account="KEY0123456789abcdef0", secret="s", label="London office"
    )
    PhoneNumber.objects.get_or_create(
        number="+442071234560", defaults={"credential": account, "label": "London"}
    )
    return reverse("outbound:dial")


@shown
def never_called(world: World) -> str:
    DoNotCall.objects.get_or_create(number="+14155550199", defaults={"by": "bob", "reason": "Asked us to"})
    return reverse("outbound:never")
