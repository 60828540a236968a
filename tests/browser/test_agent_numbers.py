"""The numbers of an agent, moved in a real browser beside a form that is not saved yet."""

from __future__ import annotations

from tests.factories import make_agent, make_number


def test_a_number_is_given_to_an_agent_without_touching_what_is_typed(guard, chromium, server):
    agent = make_agent("Front desk")
    number = make_number("+14155550123")
    page = guard.page(chromium)
    page.goto(agent.get_absolute_url())
    page.get_by_label("Greeting").fill("Typed, not saved.")
    page.get_by_text("Give it another number").click()
    page.get_by_role("button", name="Assign +1 415-555-0123").click()
    page.get_by_role("button", name="Release +1 415-555-0123").wait_for()
    number.refresh_from_db()
    agent.refresh_from_db()
    assert number.agent == agent
    assert page.get_by_label("Greeting").input_value() == "Typed, not saved."
    assert agent.greeting != "Typed, not saved."
