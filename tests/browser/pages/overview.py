"""The overview."""

from __future__ import annotations

from django.urls import reverse

from .shown import World, shown


@shown
def welcome(world: World) -> str:
    return reverse("home")


@shown
def overview(world: World) -> str:
    world.everything()
    return reverse("home")


@shown
def overview_of_a_week(world: World) -> str:
    world.everything()
    return reverse("home") + "?period=7-days"
