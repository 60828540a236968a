"""Flows that are tested, compared, and walked by callers."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Page

from agents.flows.actions import create_flow, require_tests, save_draft
from agents.models import Flow
from telephony import traffic
from tests.agents.flow.samples import MENU, edge
from tests.factories import (
    make_walked_call,
    noted,
)

from .flows import drawn_flow, published_flow, review
from .shown import World, shown, then


@shown
def flow_without_tests(world: World) -> str:
    return reverse("flows:tests", args=[drawn_flow(world).slug])


def _run_all(page: Page) -> None:
    page.locator("[data-run-tests]").click()
    page.locator("[data-standing=failed]").wait_for()


@then(_run_all)
def tests_of_a_flow(world: World) -> str:
    return reverse("flows:tests", args=[_tested().slug])


@then(lambda page: page.locator("[data-rows=turns] [data-add-row]").click())
def test_of_a_flow(world: World) -> str:
    return reverse("flows:test", args=[_tested().slug, 1])


def _review_its_tests(page: Page) -> None:
    page.locator("#flow[data-ready]").wait_for()
    page.get_by_role("button", name="Publish").click()
    page.locator("[data-standing=failed]").wait_for()


@then(_review_its_tests)
def flow_that_requires_its_tests(world: World) -> str:
    return require_tests(flow=_tested(), required=True).get_absolute_url()


def _tested() -> Flow:
    """Two tests, of which one fails."""
    passes = {
        "name": "Begins with sales or support",
        "turns": [{"expect": {"node": "hello", "said": "Sales"}}],
    }
    expected = {"node": "age", "variables": {"age": 20}}
    fails = {"name": "Support by keypad", "turns": [{}, {"keys": "2", "expect": expected}]}
    fails["tools"] = {"order": {"ok": True, "values": {"number": 7}}}
    found = Flow.objects.filter(slug="sales-desk").first()
    variables = [{"name": "clinic", "initial": "the clinic"}]
    drawn = {**MENU, "variables": variables, "tests": [passes, fails]}
    return found or create_flow(graph=drawn, name="Sales desk", by="alice")


def _looked_at(page: Page) -> None:
    page.locator("#flow[data-ready]").wait_for()
    page.locator('.react-flow__node[data-id="a"]').click()
    page.get_by_label("Words", exact=True).wait_for()


@then(_looked_at)
def version_of_a_flow(world: World) -> str:
    return reverse("flows:version", args=[published_flow().slug, 1])


def _walked(page: Page) -> None:
    page.locator("[data-walk] > summary").click()
    page.locator('.vf-flow-card[data-lit="walked"]').first.wait_for()


@then(_walked)
def call_on_the_canvas(world: World) -> str:
    return make_walked_call(world.agent, published_flow().versions.get(number=1)).get_absolute_url()


def _with_the_difference(page: Page) -> None:
    review(page)
    page.locator('.vf-flow-card[data-lit="removed"]').wait_for()


@then(_with_the_difference)
def flow_that_differs(world: World) -> str:
    short = published_flow()
    old = short.draft
    changed = {**old["nodes"][0], "data": {"text": "Good evening."}}
    new = {"id": "c", "type": "end_call", "position": {"x": 360, "y": 0}, "data": {}}
    graph = {**old, "nodes": [changed, new], "edges": [edge("a", "c")]}
    save_draft(flow=short, graph=graph, by="bob", expected=short.revision)
    return short.get_absolute_url()


@shown
def flow_without_traffic(world: World) -> str:
    return reverse("telephony:flow_traffic", args=[published_flow().slug]) + "?period=today&version=2"


@then(lambda page: page.locator(".vf-flow-badge").first.wait_for())
def traffic_of_a_flow(world: World) -> str:
    version = published_flow().versions.get(number=1)
    for reason in ("agent_hung_up", "agent_hung_up", "caller_hung_up"):
        at_a = [noted("node", "Hello", id="a", type="say")] if reason == "caller_hung_up" else []
        traffic.count(make_walked_call(world.agent, version, at_a, reason).pk)
    return reverse("telephony:flow_traffic", args=[version.flow.slug])
