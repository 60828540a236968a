"""The live board in use: by keyboard, filtered, on a wall, and while others' calls change under it."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from telephony.eventlog import Happening, store
from telephony.models import Call
from telephony.session.events import Event, StepNoted
from tests.factories import make_agent, make_call, spoken

TURNS = [("When are you open?", "From eight to six.")]
ASKED = StepNoted(note="intent", name="transfer", data={"score": 0.9})
SOON = 15_000
# However slow the machine is, the pointer has moved over the board of late.
HAND_ON_THE_BOARD = """() => {
  const move = () => document.getElementById("board").dispatchEvent(new PointerEvent("pointermove"));
  window.hand = setInterval(move, 500);
  move();
}"""


def make_calls(*callers: str) -> list[Call]:
    now = timezone.now()
    agent = make_agent("Front desk")
    return [
        make_call(agent, spoken(TURNS), caller=caller, started=now + timedelta(seconds=number))
        for number, caller in enumerate(callers)
    ]


def happened(call: Call, event: Event) -> None:
    """The page hears of it when the server looks after its calls again."""
    store([Happening(call.pk, event, timezone.now())])


def test_calls_are_reached_listened_to_and_hung_up_by_keyboard(page, server):
    _, second, third = make_calls("ann", "ben", "cleo")
    told = []
    page.on("websocket", lambda live: live.on("framereceived", lambda frame: told.append(frame)))
    page.goto("/calls/live/")
    while not told:  # the cards as they are now, in place of the first ones
        page.wait_for_timeout(50)
    cards = page.get_by_role("article")
    page.keyboard.press("j")
    expect(cards.nth(0).get_by_role("link", name="Front desk", exact=True)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(cards.nth(1).get_by_role("link", name="Front desk", exact=True)).to_be_focused()
    assert page.locator("#board [tabindex='0']").count() == 3  # of one card: open, listen, hang up

    page.keyboard.press("x")
    asked = page.get_by_role("alertdialog", name="Hang up on ben")
    asked.get_by_role("button", name="Keep the call").click()
    second.refresh_from_db()
    assert second.ended_at is None
    page.keyboard.press("x")
    asked.get_by_role("button", name="Hang up").click()
    expect(cards).to_have_count(2, timeout=2 * SOON)  # once the board has not been touched for a while
    second.refresh_from_db()
    assert second.end_reason == "operator_hung_up"

    page.keyboard.press("l")
    page.wait_for_url(f"**{third.get_absolute_url()}#listen")


def test_cards_move_up_when_they_need_a_person_but_never_under_the_pointer(page, server):
    _, ben, cleo = make_calls("ann", "ben", "cleo")
    page.goto("/calls/live/")
    cards = page.get_by_role("article")
    happened(cleo, ASKED)
    expect(cards.nth(0)).to_contain_text("cleo", timeout=SOON)
    expect(cards.nth(0)).to_contain_text("The caller asked for a person")

    page.evaluate(HAND_ON_THE_BOARD)
    happened(ben, StepNoted(note="intent", name="Emergencies", data={"score": 0.9, "urgent": True}))
    order_has_changed = page.get_by_role("button", name="Order has changed")
    expect(order_has_changed).to_be_visible(timeout=SOON)
    expect(cards.nth(1)).to_contain_text("ann")
    page.evaluate("clearInterval(window.hand)")
    order_has_changed.press("Enter")  # a pointer would leave the board, which orders it
    expect(cards.nth(0)).to_contain_text("ben")
    expect(page.get_by_role("button", name="Order has changed")).to_be_hidden()


def test_what_is_filtered_stands_in_the_address_and_on_the_wall(page, server):
    _, ben, _ = make_calls("ann", "ben", "cleo")
    happened(ben, ASKED)
    page.goto("/calls/live/")
    cards = page.get_by_role("article")
    page.get_by_text("Needs a person").click()
    expect(cards).to_have_count(1)
    page.wait_for_url("**/calls/live/?needs=person")
    page.keyboard.press("w")
    page.wait_for_url("**/calls/live/?needs=person&wall=1")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    page.reload()
    expect(page.get_by_text("needing a person")).to_be_visible()
    expect(cards).to_have_count(1)
    page.keyboard.press("Escape")
    page.wait_for_url("**/calls/live/?needs=person")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.get_by_role("searchbox").fill("nobody")
    expect(page.get_by_text("No live call matches")).to_be_visible()
