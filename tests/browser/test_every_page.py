"""Every page, light and dark, wide and narrow: readable by all, and nothing hangs over the edge."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.urls import reverse

from agents.actions import create_demo_agent
from telephony.session.events import CallerWordsGuessed, EngineFailed, MessageTaken
from tests.browser.conftest import DESK, PHONE
from tests.factories import ended, make_agent, make_call, make_recording, spoken

AXE = (settings.BASE_DIR / "tests" / "vendor" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
TURNS = [("When are you open on Saturday?", "From nine to one."), ("Thank you.", "You're welcome.")]


@pytest.fixture
def addresses(server, alice):
    agent = create_demo_agent()
    make_agent("Hotel concierge", status="paused")
    failing = EngineFailed(at_seconds=20, engine="tts", error="timed out", remedy="apologised")
    going = make_call(
        agent, [*spoken(TURNS), failing, CallerWordsGuessed(at_seconds=20, turn=3, text="could")]
    )
    message = MessageTaken(
        at_seconds=20,
        name="David Brown",
        number="4155550132",
        number_confirmed=False,
        words="Please call me back about my test results.",
        complete=False,
    )
    over = make_call(agent, ended([*spoken(TURNS), message]))
    make_recording(over)
    return [
        reverse("home"),
        reverse("agents:list"),
        reverse("agents:list") + "?q=nobody",
        reverse("agents:new"),
        agent.get_absolute_url(),
        reverse("agents:try", args=[agent.slug]),
        reverse("telephony:talk", args=[agent.slug]),
        reverse("telephony:live"),
        reverse("telephony:history"),
        reverse("telephony:messages"),
        going.get_absolute_url(),
        over.get_absolute_url(),
        reverse("people:list"),
        reverse("people:invite"),
        alice.get_absolute_url(),
        reverse("profile:profile"),
        reverse("profile:codes"),
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_is_accessible_and_fits(guard, chromium, addresses, theme, viewport):
    page = guard.page(chromium, theme=theme, viewport=viewport)
    found = []
    for address in addresses:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{address}: wider than the window")
        page.evaluate(AXE)
        result = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        found += [
            f"{address}: {violation['id']}: {node['html'][:160]}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sign_in_page_is_accessible(guard, chromium, theme):
    page = guard.page(chromium, theme=theme)
    page.context.clear_cookies()
    guard.expect("422")
    page.goto("/login/")
    page.fill("[name=username]", "alice")
    page.fill("[name=password]", "wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    page.evaluate(AXE)
    assert page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"] == []
