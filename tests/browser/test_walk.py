"""A call on the canvas of its flow."""

from __future__ import annotations

from django.utils import timezone
from playwright.sync_api import expect

from agents.flows.actions import create_flow, publish
from telephony.eventlog import Happening, store
from tests.agents.flow.samples import edge, flow, node
from tests.factories import make_agent, make_call, noted, spoken

INNER = flow(node("a", "say", text="Hello."), node("b", "end_call"), edge("a", "b"), name="Inner")
OUTER = flow(
    node("hello", "say", label="Greeting", text="Hello."),
    node("in", "subflow", flowId="inner"),
    node("bye", "end_call"),
    edge("hello", "in"),
    edge("in", "bye"),
    name="Outer",
)


def test_the_canvas_lights_the_path_as_the_call_walks_into_a_flow_inside_it(guard, chromium, server):
    publish(flow=create_flow(graph=INNER, by="alice"), by="alice")
    version = publish(flow=create_flow(graph=OUTER, by="alice"), by="alice")
    first = noted("node", "Greeting", id="hello", type="say")
    call = make_call(make_agent("Desk"), [*spoken([]), first])
    call.flow_version = version
    call.save()
    page = guard.page(chromium)
    page.goto(call.get_absolute_url())
    assert (
        page.evaluate("performance.getEntriesByName(location.origin + '/static/vendor/flow/flow.mjs').length")
        == 0
    )
    page.locator("[data-walk] > summary").click()
    now = page.locator('.vf-flow-card[data-lit="now"]')
    expect(now).to_contain_text("Greeting")
    further = [
        noted("edge", "On", id="hello>in", to="in", by="next"),
        noted("node", "in", id="in", type="subflow"),
        noted("node", "a", id="a", type="say", flow="inner"),
    ]
    store([Happening(call.pk, event, timezone.now()) for event in further])
    stage = page.get_by_label("Flow that is shown")
    expect(stage.locator("option:checked")).to_have_text("Outer / Inner")
    expect(now).to_contain_text("Hello.")

    notes = page.locator('[data-transcript] [data-note="step_noted"]')
    notes.nth(1).click()  # the connection, which leads to its step
    expect(stage.locator("option:checked")).to_have_text("Outer")
    expect(page.locator('.vf-flow-card[data-lit="walked"]')).to_have_count(2)
    page.locator('.react-flow__node[data-id="hello"]').focus()
    page.keyboard.press("Enter")
    expect(notes.nth(0)).to_have_attribute("data-shown", "")
