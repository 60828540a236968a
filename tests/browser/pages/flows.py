"""Flows as they are drawn and published."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Page

from agents.flows.actions import create_flow, publish
from agents.models import Flow
from tests.agents.flow.samples import EVERY_KIND, edge, flow, node

from .shown import World, shown, then


@shown
def no_flows(world: World) -> str:
    return reverse("flows:list")


def drawn_flow(world: World) -> Flow:
    """Once in the world, though several pages show it."""
    found = Flow.objects.filter(slug="every-kind-of-step").first()
    return found or (world.agent and create_flow(graph=EVERY_KIND, by="alice"))


def _opened(page: Page) -> None:
    page.locator("#flow[data-ready]").wait_for()
    page.get_by_role("button", name="Tidy up").click()


@then(_opened)
def flow_of_every_kind(world: World) -> str:
    return drawn_flow(world).get_absolute_url()


def _tried(page: Page) -> None:
    _opened(page)
    page.get_by_role("button", name="Try it").click()
    page.get_by_role("textbox", name="What the caller says").fill("I want an appointment")
    page.keyboard.press("Enter")
    page.get_by_text("What is your name?").last.wait_for()


@then(_tried)
def flow_that_is_tried(world: World) -> str:
    return drawn_flow(world).get_absolute_url()


def _with_a_question(page: Page) -> None:
    _opened(page)
    page.get_by_role("searchbox", name="Find a step").fill("afternoon")
    page.keyboard.press("Enter")
    page.get_by_label("Question", exact=True).wait_for()


@then(_with_a_question)
def step_of_a_flow(world: World) -> str:
    return drawn_flow(world).get_absolute_url()


def _with_its_problems(page: Page) -> None:
    _opened(page)
    page.locator("[data-problems]").click()
    page.locator(".vf-flow-problems").wait_for()


@then(_with_its_problems)
def problems_of_a_flow(world: World) -> str:
    return drawn_flow(world).get_absolute_url()


def _with_a_connection(page: Page) -> None:
    _opened(page)
    page.locator('[data-id="hello"]').click()
    page.locator(".vf-flow-leaving button").first.click()
    page.get_by_label("Keys of the telephone").wait_for()


@then(_with_a_connection)
def connection_of_a_flow(world: World) -> str:
    return drawn_flow(world).get_absolute_url()


@shown
def flows_without_a_writer(world: World) -> str:
    return reverse("flows:generate")


@shown
def templates_of_flows(world: World) -> str:
    return reverse("flows:templates")


@shown
def flows(world: World) -> str:
    drawn_flow(world)
    return reverse("flows:list")


@shown
def flow_that_was_never_published(world: World) -> str:
    return reverse("flows:versions", args=[drawn_flow(world).slug])


def review(page: Page) -> None:
    page.locator("#flow[data-ready]").wait_for()
    page.get_by_role("button", name="Publish").click()
    page.get_by_label("Note").wait_for()


@then(review)
def flow_about_to_be_published(world: World) -> str:
    return published_flow().get_absolute_url()


@shown
def versions_of_a_flow(world: World) -> str:
    return reverse("flows:versions", args=[published_flow().slug])


def published_flow() -> Flow:
    good = flow(node("a", "say", text="Hello."), node("b", "end_call"), edge("a", "b"), name="Night line")
    found = Flow.objects.filter(slug="night-line").first()
    if found:
        return found
    made = create_flow(graph=good, by="alice")
    publish(flow=made, by="alice", note="First")
    publish(flow=made, by="bob")
    return made
