"""Webhooks and their messages."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from tests.hooks.made import make_busy_webhook, make_delivery, make_webhook
from voiceforge_site.models import Delivery, Webhook

from .shown import World, shown, then


@shown
def webhooks_that_are_none(world: World) -> str:
    Webhook.objects.all().delete()
    return reverse("webhooks:list")


def _webhook() -> Webhook:
    """Delivers most of the time."""
    return Webhook.objects.filter(description="Our CRM").first() or make_busy_webhook()


def _webhook_that_fails() -> Webhook:
    """Its address is inside the network, so that its test is refused at once."""
    found = Webhook.objects.filter(description="Warehouse").first()
    since = timezone.now() - timedelta(hours=3)
    fails = {"url": "https://10.0.0.7/hook", "failures": 6, "failing_since": since, "kinds": ["job.finished"]}
    return found or make_webhook("Warehouse", **fails)


@shown
def webhooks(world: World) -> str:
    _webhook()
    _webhook_that_fails()
    off = "Its receiver answered 410: it does not want to be told any more."
    for name, state, reason in (("Old wallboard", "disabled", off), ("Staff chat", "paused", "")):
        if not Webhook.objects.filter(description=name).exists():
            make_webhook(name, state=state, reason=reason, url="https://example.com/hook")
    return reverse("webhooks:list")


@shown
def webhook(world: World) -> str:
    return _webhook().get_absolute_url()


@then(lambda page: page.get_by_label("Not delivered").check(force=True))
def webhook_filtered(world: World) -> str:
    return _webhook().get_absolute_url()


def _send_a_test(page: Page) -> None:
    page.get_by_role("button", name="Send a test").click()
    page.get_by_text("The test was not taken.").wait_for()


@then(_send_a_test)
def webhook_that_fails_its_test(world: World) -> str:
    return _webhook_that_fails().get_absolute_url()


@shown
def webhook_switched_off(world: World) -> str:
    return Webhook.objects.get(description="Old wallboard").get_absolute_url()


@shown
def webhook_message(world: World) -> str:
    return make_delivery(_webhook()).get_absolute_url()


@shown
def webhook_message_that_waits(world: World) -> str:
    waiting = Delivery.objects.filter(webhook=_webhook(), state="waiting", attempts__gt=0)
    return waiting.first().get_absolute_url()


@shown
def webhook_settings(world: World) -> str:
    return reverse("webhooks:edit", args=[_webhook().pk])


def _create_nothing(page: Page) -> None:
    page.get_by_role("button", name="Create").click()
    page.get_by_role("alert").first.wait_for()


@then(_create_nothing)
def webhook_refused(world: World) -> str:
    return reverse("webhooks:new")


def _make_a_secret(page: Page) -> None:
    page.get_by_role("button", name="Make a new secret").click()
    page.get_by_role("button", name="Make it").click()
    page.get_by_label("Secret of the webhook").wait_for()


@then(_make_a_secret)
def webhook_secret(world: World) -> str:
    return _webhook().get_absolute_url()


@then(lambda page: page.get_by_text("call.ended").first.click())
def webhook_kinds(world: World) -> str:
    return reverse("webhooks:kinds")
