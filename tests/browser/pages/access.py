"""People, their keys, and what a program can ask for with one."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Page

from voiceforge_site.access import key_actions
from voiceforge_site.models import User

from .shown import World, shown, then


@shown
def keys(world: World) -> str:
    alice = User.objects.get(username="alice")
    key_actions.create("Reports of the night shift", alice, scopes=["telephony.view_calls"])
    key_actions.create("Booking", alice, networks=["203.0.113.0/24"])
    return reverse("keys:list")


@shown
def new_key(world: World) -> str:
    return reverse("keys:new")


def _make_the_key(page: Page) -> None:
    page.get_by_label("Name").fill("Booking")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_label("The key").wait_for()


@then(_make_the_key)
def key_shown_once(world: World) -> str:
    return reverse("keys:new")


@shown
def key(world: World) -> str:
    row, _shown = key_actions.create("Booking", User.objects.get(username="alice"))
    return row.get_absolute_url()


@shown
def people(world: World) -> str:
    return reverse("people:list")


@shown
def invitation(world: World) -> str:
    return reverse("people:invite")


@shown
def person(world: World) -> str:
    return User.objects.get(username="alice").get_absolute_url()


@shown
def profile(world: World) -> str:
    return reverse("profile:profile")


@shown
def two_step_sign_in(world: World) -> str:
    return reverse("profile:codes")


@shown
def api(world: World) -> str:
    return reverse("docs")


@shown
def realtime_api(world: World) -> str:
    return reverse("sockets")
