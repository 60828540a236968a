"""Agents: set up, tried, talked to."""

from __future__ import annotations

from django.urls import reverse

from .shown import World, shown


@shown
def agents(world: World) -> str:
    world.everything()
    return reverse("agents:list")


@shown
def agents_that_do_not_match(world: World) -> str:
    return reverse("agents:list") + "?q=nobody"


@shown
def new_agent(world: World) -> str:
    return reverse("agents:new")


@shown
def agent(world: World) -> str:
    return world.agent.get_absolute_url()


@shown
def trial_by_text(world: World) -> str:
    return reverse("agents:try", args=[world.agent.slug])


@shown
def talk(world: World) -> str:
    return reverse("telephony:talk", args=[world.agent.slug])


@shown
def changes_of_an_agent(world: World) -> str:
    return reverse("agents:history", args=[world.agent.slug]) + "?old=1&new=2"
