"""A call whose flow keeps no transcript."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from telephony import search
from telephony.actions import end_call, let_go
from telephony.models import Call, CallEvent
from telephony.session.events import (
    AgentHeard,
    AgentSaid,
    CallerSaidNothing,
    DigitsPressed,
    MessageTaken,
    OperatorGaveBack,
    OperatorSaid,
    OperatorWhispered,
    WordsForgotten,
)
from tests.factories import make_agent, make_call, spoken

pytestmark = pytest.mark.django_db

SAID = [
    *spoken([("My card is swordfish", "I wrote swordfish down")]),
    CallerSaidNothing(start_seconds=9, end_seconds=10, text="swordfish", agent_resumed=True),
    OperatorSaid(by="bob", text="Swordfish, you say", start_seconds=11, end_seconds=12),
    OperatorWhispered(by="bob", text="Ask for the swordfish", followed=True),
    OperatorGaveBack(by="bob", note="swordfish it is", lost=False),
    DigitsPressed(digits="swordfish"),
    MessageTaken(name="Ann", number="", number_confirmed=False, words="Call me back.", complete=True),
    AgentSaid(at_seconds=12, turn=2, text="Goodbye, swordfish.", sentence=0),
    AgentHeard(at_seconds=13, turn=2, text="Goodbye,", interrupted=True),
]


def call_over(*, forgotten: bool, held: bool) -> Call:
    """Ended as the process that holds it does, or as somebody else."""
    asked_for = [WordsForgotten(at_seconds=11.5)] if forgotten else []
    call = make_call(make_agent("Desk"), [*SAID[:-2], *asked_for, *SAID[-2:]])
    Call.objects.filter(pk=call.pk).update(
        answered_at=timezone.now() - timedelta(seconds=20), held_at=timezone.now() if held else None
    )
    assert end_call(call.pk, reason="agent_hung_up")
    if held:
        let_go(call.pk)
    return Call.objects.get(pk=call.pk)


def kept_of(browser: Client, call: Call) -> str:
    """All that pages and files tell of it."""
    pages = ("", "transcript.txt", "events.json", "call.csv")
    return "".join(browser.get(f"/calls/{call.pk}/{page}").content.decode() for page in pages)


@pytest.mark.parametrize("held", [True, False])
def test_nothing_that_was_said_is_kept_once_the_call_is_over(alices_browser, held):
    call = call_over(forgotten=True, held=held)
    assert "swordfish" not in str(list(CallEvent.objects.filter(call=call).values_list("payload"))).lower()
    assert "swordfish" not in str(call.card).lower() and call.card["end_reason"] == "agent_hung_up"
    assert not search.find(search.Search(words="swordfish"), limit=5)
    assert "swordfish" not in kept_of(alices_browser, call).lower()


def test_the_rest_of_the_call_is_told_as_ever_and_says_that_its_words_are_not(alices_browser):
    call = call_over(forgotten=True, held=True)
    seqs = list(CallEvent.objects.filter(call=call).order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1))
    assert call.messages.get().words == "Call me back."
    assert search.find(search.Search(words="ann"), limit=5)
    page = alices_browser.get(f"/calls/{call.pk}/").text
    assert page.count(">Not kept<") > 4 and "nothing of what was said in it is kept" in page
    assert "Caller: (Not kept)" in alices_browser.get(f"/calls/{call.pk}/transcript.txt").text


def test_other_calls_are_kept(alices_browser):
    call = call_over(forgotten=False, held=True)
    assert "swordfish" in str(call.card).lower() and search.find(search.Search(words="swordfish"), limit=5)
    page = alices_browser.get(f"/calls/{call.pk}/").text
    assert (
        "My card is swordfish" in page
        and "nothing of what was said in it is kept" not in page.split("<template")[0]
    )
