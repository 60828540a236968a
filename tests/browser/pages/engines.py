"""Models, voices, services, and what they were used for."""

from __future__ import annotations

from django.urls import reverse

from mlservices.models import Price
from tests.factories import (
    make_usage,
)
from tests.service_checks import make_week_of_checks

from .shown import World, shown, then


@shown
def models_while_the_service_is_away(world: World) -> str:
    return reverse("models:list")


@then(lambda page: page.get_by_role("button", name="Chatterbox Multilingual", exact=True).click())
def model_at_length(world: World) -> str:
    return reverse("models:list") + "?kind=tts&language=de"


@shown
def models_that_do_not_match(world: World) -> str:
    return reverse("models:list") + "?q=nothing"


@shown
def voices(world: World) -> str:
    return reverse("voices:list")


@then(lambda page: page.locator("[data-cannot]").first.click())
def voices_with_a_reason(world: World) -> str:
    return reverse("voices:list") + "?language=hi"


@shown
def voices_at_one_of_them(world: World) -> str:
    return reverse("voices:list") + "#voice-de-anna-f"


@shown
def voices_that_are_no_favourites(world: World) -> str:
    return reverse("voices:list") + "?show=favourites"


@shown
def agents_for_a_voice(world: World) -> str:
    return reverse("agents:with_voice", args=["piper-joe"]) if world.agent else ""


@shown
def usage(world: World) -> str:
    make_usage(days=30)
    Price.objects.create(
        engine="gpt-4o-mini", per=1_000_000, amount="0.15", answer_amount="0.60", since="2026-01-01"
    )
    return reverse("usage:usage") + "?period=30-days"


@shown
def usage_of_nothing(world: World) -> str:
    return reverse("usage:usage")


@shown
def service_status_before_the_first_check(world: World) -> str:
    return reverse("status")


@shown
def service_status(world: World) -> str:
    make_week_of_checks()
    return reverse("status")


@shown
def service_that_fails(world: World) -> str:
    make_week_of_checks()
    return reverse("service_status", args=["pool-tts"])
