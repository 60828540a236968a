"""Calls that follow flows."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync

from agents.conversations import conversation_for
from agents.flow.runtime import FlowConversation
from agents.flow.steps import Noted, Say
from agents.flows.actions import create_flow, publish, save_draft
from agents.flows.programs import crew_of
from agents.models import Agent
from telephony.actions import start_browser_call
from telephony.models import Call
from tests.agents.fakes import WordEmbedder
from tests.agents.flow.samples import edge, flow, node
from tests.factories import make_agent

pytestmark = pytest.mark.django_db


def says(text: str) -> dict[str, object]:
    return flow(node("a", "say", text=text), node("b", "end_call"), edge("a", "b"))


@pytest.fixture
def agent() -> Agent:
    agent = make_agent("Desk")
    agent.flow = create_flow(graph=says("The first."), name="Desk", by="alice")
    publish(flow=agent.flow, by="alice")
    agent.save()
    return Agent.objects.get(pk=agent.pk)


async def said_at_first(call: Call) -> str:
    version = call.flow_version
    conversation = conversation_for(
        call.agent, embedder=WordEmbedder(), chat_model=None, version=version, crew={}
    )
    assert isinstance(conversation, FlowConversation)
    steps = [step async for step in conversation.greet()]
    assert any(isinstance(step, Noted) and step.kind == "node" for step in steps)
    return next(step.text for step in steps if isinstance(step, Say))


def test_a_call_keeps_the_version_that_it_began_with(agent):
    before = start_browser_call(agent=agent, caller="alice")
    save_draft(flow=agent.flow, graph=says("The second."), by="alice", expected=1)
    publish(flow=agent.flow, by="alice")
    after = start_browser_call(agent=Agent.objects.get(), caller="alice")
    calls = [Call.objects.select_related("agent", "flow_version").get(pk=call.pk) for call in (before, after)]
    assert [async_to_sync(said_at_first)(call) for call in calls] == ["The first.", "The second."]
    assert crew_of(calls[0].flow_version) == {}


def test_an_agent_without_a_flow_has_none_on_its_calls(db):
    assert start_browser_call(agent=make_agent("Free"), caller="alice").flow_version is None
