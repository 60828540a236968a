"""Calls that follow a flow: what a node wants of the line is done there, and who spoke over what is known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from agents.flow.chat import ChatConversation
from agents.flow.directed import DirectedReceptionist
from agents.flow.graph import read
from agents.flow.knowledge import Profile
from agents.flow.matching import Meanings
from agents.flow.program import NO_TOOLS, Ports, Program, Talk
from agents.flow.runtime import FlowConversation
from telephony.session.events import SilencePrompted, TurnMeasured
from tests.agents.fakes import ScriptedModel, WordEmbedder
from tests.agents.flow.samples import edge, flow, node
from tests.fakes.clock import run_in_virtual_time
from tests.fakes.scripted_engines import Utterance
from tests.fakes.stage import Scene, play

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
LONG = (
    "We are open from eight to six on weekdays. On Saturdays we are open from nine to one. Come and see us."
)


def conversation(
    raw: dict[str, Any], *, decides=None, talks=None, others=None, **subflows
) -> FlowConversation:
    meanings = Meanings(WordEmbedder(), {})

    def talk(*, prompt, greeting, knowledge_base, tools) -> Talk:
        profile = Profile(greeting, (), instructions=prompt)
        exact = DirectedReceptionist(profile, meanings=meanings, now=lambda: NOW)
        return Talk(ChatConversation(profile, model=talks, receptionist=exact, now=lambda: NOW))

    ports = Ports(
        meanings=meanings,
        model=decides,
        now=lambda: NOW,
        talk=talk,
        tools=NO_TOOLS,
        other_agent=(others or {}).get,
        greeting="Hello.",
    )
    flows = {name: read(each)[0] for name, each in {"": raw, **subflows}.items()}
    return FlowConversation(Program(flows), ports, variables={})


def called(follows: FlowConversation, *utterances: Utterance, until: float = 20.0, **how) -> Scene:
    return run_in_virtual_time(play(*utterances, conversation=follows, until=until, **how))


DESK = flow(
    node("desk", "subagent", opening="What can I do?", systemPrompt="You answer for a shop."),
    node("bye", "end_call"),
    edge("desk", "bye", examples=["goodbye for now"]),
)


def hours_asked_and_spoken_over(wrapped) -> ScriptedModel:
    model = ScriptedModel(LONG, "Anything else?")
    first, second = Utterance(3.0, 1.0, "what are your hours"), Utterance(9.0, 1.0, "and on holidays then")
    called(wrapped(model), first, second)
    assert len(model.shown) == 2
    return model


def of_a_talk(model):
    return conversation(DESK, talks=model)


def of_a_sub_flow(model):
    return conversation(flow(node("in", "subflow", flowId="desk")), talks=model, desk=DESK)


def of_another_agent(model):
    other = of_a_talk(model)
    handing = flow(node("to", "agent_transfer", targetAgentId="night"))
    return conversation(handing, others={"night": other})


@pytest.mark.parametrize("wrapped", [of_a_talk, of_a_sub_flow, of_another_agent])
def test_a_model_knows_what_of_its_answer_was_heard(wrapped):
    model = hours_asked_and_spoken_over(wrapped)
    *_, told, newest = model.shown[1]
    assert told.role == "assistant" and told.content and LONG.startswith(told.content.rstrip(".,"))
    assert len(told.content) < len(LONG)
    assert newest.content.startswith("(You were interrupted: the caller heard only what stands above")


def test_what_chooses_a_way_is_told_what_of_the_words_was_heard():
    raw = flow(
        node("q", "say", text=f"{LONG} Do you want apples or pears?"),
        node("a", "end_call", message="Apples."),
        node("b", "end_call", message="Pears."),
        edge("q", "a", "the caller wants apples"),
        edge("q", "b", "the caller wants pears"),
    )
    model = ScriptedModel("1")
    called(conversation(raw, decides=model), Utterance(3.0, 1.0, "something sour please"))
    prompt = model.shown[0][0].content
    assert "They spoke over you, and had heard: <agent>We are open" in prompt
    assert "pears?" not in prompt


def test_each_node_s_own_way_to_speak_and_listen_is_the_line_s():
    raw = flow(
        node("slow", "say", text=LONG, interruptible=False, speed=0.8),
        node(
            "fast", "gather", prompt="How old are you?", variable="age", kind="number", speed=1.5, timeout=30
        ),
        node("bye", "end_call", message="Thank you."),
        edge("slow", "fast"),
        edge("fast", "bye"),
    )
    call = called(conversation(raw), Utterance(2.0, 0.8, "stop please"), until=24)
    speeds = dict(zip(call.tts.spoken, call.tts.speeds, strict=True))
    assert speeds["Come and see us."] == 0.8 and speeds["How old are you?"] == 1.5
    assert not call.of(SilencePrompted)  # it was heard out, and waits for thirty seconds


def test_how_soon_a_pause_ends_a_turn_is_the_node_s():
    def answered_after(eagerness: float) -> float:
        raw = flow(
            node("q", "gather", prompt="Your age?", variable="age", kind="number", turnEagerness=eagerness),
            node("bye", "end_call", message="Thank you."),
            edge("q", "bye"),
        )
        call = called(conversation(raw), Utterance(3.0, 1.0, "forty two"), until=15)
        return next(event.voice_to_voice_seconds for event in call.of(TurnMeasured))

    assert answered_after(1.0) + 0.1 < answered_after(0.0)
