"""Calls that go on and that are over, what callers left, and what is found in it all."""

from __future__ import annotations

from django.urls import reverse

from telephony.annotation_actions import set_messages_done
from telephony.models import (
    CallMessage,
)
from tests.factories import (
    ended,
    make_call,
    make_provider_recording,
    make_recording,
    spoken,
)

from .shown import TURNS, World, shown, then


@shown
def live_calls(world: World) -> str:
    world.everything()
    return reverse("telephony:live")


@shown
def wall(world: World) -> str:
    world.everything()
    return reverse("telephony:live") + "?wall=1"


@shown
def history(world: World) -> str:
    world.everything()
    return reverse("telephony:history")


@shown
def calls_with_these_words(world: World) -> str:
    world.everything()
    return reverse("telephony:history") + "?q=saturday&longer=1"


@shown
def calls_with_filters_that_make_no_sense(world: World) -> str:
    world.everything()
    return reverse("telephony:history") + "?longer=abc&from=31.31.&outcome=won&at_least=90"


@shown
def calls_with_words_that_nobody_said(world: World) -> str:
    world.everything()
    return reverse("telephony:history") + "?q=saturdays+parking&agent=front-desk"


@shown
def exports(world: World) -> str:
    return reverse("telephony:exports")


@shown
def messages(world: World) -> str:
    world.everything()
    return reverse("telephony:messages")


@then(lambda page: page.locator("[data-bulk-item]").first.check())
def messages_chosen(world: World) -> str:
    world.everything()
    return reverse("telephony:messages") + "?state=all"


@shown
def messages_that_are_done(world: World) -> str:
    world.everything()
    set_messages_done(message_ids=CallMessage.objects.values_list("pk", flat=True), done=True, by="bob")
    return reverse("telephony:messages") + "?state=done"


@shown
def call_that_goes_on(world: World) -> str:
    return world.going.get_absolute_url()


@shown
def call_that_is_over(world: World) -> str:
    return world.over.get_absolute_url()


@shown
def call_that_its_provider_recorded_too(world: World) -> str:
    call = make_call(world.agent, ended(spoken(TURNS)))
    make_recording(call)
    kept = make_provider_recording(call)
    make_provider_recording(
        call, state="failed", tries=9, problem="Twilio has no such recording, or not yet."
    )
    return f"{call.get_absolute_url()}?sound={kept.pk}"


@shown
def replay(world: World) -> str:
    return world.over.get_absolute_url() + "?replay=1"
