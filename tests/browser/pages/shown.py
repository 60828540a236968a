"""How a page is listed, and the world that pages show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType

from playwright.sync_api import Page

from agents.actions import create_demo_agent, save_agent
from agents.models import Agent
from telephony import search
from telephony.annotation_actions import tag_call, write_note
from telephony.models import (
    Call,
)
from telephony.session.events import CallerWordsGuessed, EngineFailed, MessageTaken
from tests.factories import (
    ended,
    make_agent,
    make_call,
    make_recording,
    spoken,
)

TURNS = [("When are you open on Saturday?", "From nine to one."), ("Thank you.", "You're welcome.")]


class World:
    """What pages show; each part is made when the first page asks for it."""

    @cached_property
    def agent(self) -> Agent:
        make_agent("Hotel concierge", status="paused")
        agent = create_demo_agent()
        agent.instructions, agent.eagerness = "Be kind.", 0.7
        return save_agent(agent=agent, by="alice")

    @cached_property
    def going(self) -> Call:
        failing = EngineFailed(at_seconds=20, engine="tts", error="timed out", remedy="apologised")
        guess = CallerWordsGuessed(at_seconds=20, turn=3, text="could")
        return make_call(self.agent, [*spoken(TURNS), failing, guess])

    @cached_property
    def over(self) -> Call:
        message = MessageTaken(
            at_seconds=20,
            name="David Brown",
            number="4155550132",
            number_confirmed=False,
            words="Please call me back about my test results.",
            complete=False,
        )
        call = make_call(self.agent, ended([*spoken(TURNS), message]))
        make_recording(call)
        search.index(call.pk)
        tag_call(call=call, name="Call back")
        write_note(call=call, author="bob", text="Rang back at six.")
        return call

    def everything(self) -> None:
        """For pages that list it."""
        _ = self.going, self.over


@dataclass(frozen=True)
class Shown:
    name: str
    make: Callable[[World], str]
    then: Callable[[Page], None] | None = None


_SHOWN: list[Shown] = []


def shown(make: Callable[[World], str]) -> Callable[[World], str]:
    _SHOWN.append(Shown(make.__name__, make))
    return make


def then(act: Callable[[Page], None]) -> Callable[[Callable[[World], str]], Callable[[World], str]]:
    """`@then(lambda page: page.keyboard.press("?"))` in place of `@shown`."""

    def add(make: Callable[[World], str]) -> Callable[[World], str]:
        _SHOWN.append(Shown(make.__name__, make, act))
        return make

    return add


def pages_of(area: ModuleType) -> list[Shown]:
    return [page for page in _SHOWN if page.make.__module__ == area.__name__]
