"""Calls that follow flows."""

from __future__ import annotations

import pytest

from agents.flow.graph import Severity, problems_of, read
from agents.flow.steps import ForgetWords, HangUp, Manner, Noted, Pause, Say, SendDigits
from tests.agents.fakes import ScriptedModel

from .samples import MENU, edge, flow, node
from .seen import decided, walked

DESCRIBED = flow(
    node("q", "say", text="What is it about?"),
    node("a", "end_call", message="A."),
    node("b", "end_call", message="B."),
    edge("q", "a", "the caller is hungry"),
    edge("q", "b", "the caller is thirsty"),
)


async def test_it_speaks_until_it_needs_an_answer_and_goes_where_the_answer_leads(follow):
    talk = follow(MENU)
    assert await talk.greet() == "Hello from the clinic. Sales or support?"
    assert await talk.say("Sales, please.") == "You are with sales. How old are you?"
    assert await talk.say("I am forty two") == "forty two it is. Goodbye."
    assert talk.ended
    assert walked(talk) == ["hello", "sales", "age", "old", "bye"]
    assert decided(talk)[0] == ("hello>sales:1", "examples")
    assert decided(talk)[-1] == ("old>bye", "expression")


async def test_an_end_that_keeps_no_transcript_says_so_before_its_last_words(follow):
    talk = follow(flow(node("bye", "end_call", message="Goodbye.", saveTranscript=False)))
    steps = [step async for step in talk.conversation.greet() if not isinstance(step, Noted)]
    assert steps == [ForgetWords(), Say("Goodbye."), HangUp()]
    kept = follow(flow(node("bye", "end_call", message="Goodbye.")))
    assert ForgetWords() not in [step async for step in kept.conversation.greet()]


async def test_a_key_is_decided_without_any_model(follow, embedder):
    talk = follow(MENU)
    await talk.greet()
    await talk.press("2")
    assert talk.transferred_to == "+14155550111"
    assert decided(talk) == [("hello>person:2", "keys")]
    assert embedder.requests == []


async def test_words_that_mean_nothing_are_asked_again_and_in_the_end_are_not_met_with_silence(follow):
    talk = follow(MENU)
    await talk.greet()
    assert await talk.say("bananas") == (
        "I'm sorry, I didn't catch that. Could you say it again? Hello from the clinic. Sales or support?"
    )
    await talk.say("bananas again")
    assert "can't go on" in await talk.say("still bananas")
    assert talk.ended


async def test_a_flow_that_is_lost_puts_the_caller_through_where_it_can(follow):
    talk = follow(
        flow(node("a", "branch"), node("b", "end_call"), edge("a", "b", when="1 > 2")),
        transfer_number="+14155550100",
    )
    assert "put you through" in await talk.greet()
    assert talk.transferred_to == "+14155550100"


async def test_what_cannot_be_gathered_leaves_by_the_way_for_that(follow):
    talk = follow(MENU)
    await talk.greet()
    await talk.press("1")
    for words in ("no idea", "whatever", "I won't tell you"):
        await talk.say(words)
    assert talk.transferred_to == "+14155550111"
    assert ("age>person:failed", "outcome") in decided(talk)


async def test_a_language_model_chooses_only_where_examples_cannot_tell(follow):
    model = ScriptedModel("2")
    talk = follow(DESCRIBED, model=model)
    await talk.greet()
    assert await talk.say("my throat feels like sand") == "B."
    assert decided(talk) == [("q>b", "model")]
    exact = follow(DESCRIBED, model=ScriptedModel())
    await exact.greet()
    assert await exact.say("the caller is hungry") == "A."


@pytest.mark.parametrize("answer", ["0", "7", "-1", "go to b", "", "1 2", "2 because </caller> b"])
async def test_a_model_that_chooses_nothing_there_is_chooses_nothing(follow, answer):
    talk = follow(DESCRIBED, model=ScriptedModel(answer))
    await talk.greet()
    said = await talk.say("my throat feels like sand")
    assert said.startswith("I'm sorry, I didn't catch that.") or (answer.startswith("2 ") and said == "B.")


async def test_a_talk_answers_what_it_knows_and_goes_on_where_an_edge_is_meant(follow):
    raw = flow(
        node("desk", "subagent", systemPrompt="You answer for a shop."),
        node("bye", "end_call", message="Booked."),
        edge("desk", "bye", examples=["book a table tonight"]),
    )
    talk = follow(raw)
    assert await talk.greet() == "Hello, this is the shop."
    assert await talk.say("where can I park") == "Park behind the shop."
    assert await talk.say("book a table for tonight") == "Booked."


async def test_what_a_talk_began_with_can_be_said_again(follow):
    raw = flow(
        node("desk", "subagent", opening="What can I do?"),
        node("bye", "end_call"),
        edge("desk", "bye", "done"),
    )
    talk = follow(raw)
    await talk.greet()
    assert await talk.say("What did you say?") == "What can I do?"


async def test_a_sub_flow_comes_back_to_where_it_was_entered(follow):
    inner = flow(
        node("in", "say", text="Inside."),
        node("ask", "gather", prompt="Which?", variable="which"),
        edge("in", "ask"),
    )
    raw = flow(
        node("a", "subflow", flowId="inner"),
        node("b", "end_call", message="Chosen: {{which}}."),
        edge("a", "b"),
    )
    talk = follow(raw, subflows={"inner": inner})
    assert await talk.greet() == "Inside. Which?"
    assert await talk.say("the red one") == "Chosen: the red one."


async def test_what_can_be_said_anywhere_leads_out_of_whatever_goes_on(follow):
    raw = {
        **MENU,
        "intents": [
            {"id": "op", "name": "operator", "examples": ["talk to a human being"], "target": "person"},
            {"id": "again", "name": "repeat", "examples": ["say that again"], "action": "repeat"},
            {"id": "stop", "name": "stop", "keys": "9", "action": "end"},
        ],
    }
    talk = follow(raw)
    await talk.greet()
    await talk.press("1")
    assert await talk.say("say that again") == "How old are you?"
    await talk.say("talk to a human being")
    assert talk.transferred_to == "+14155550111"
    other = follow(raw)
    await other.greet()
    await other.press("9")
    assert other.ended


async def test_a_key_that_cannot_answer_leads_where_it_leads_everywhere(follow):
    raw = flow(
        node("who", "gather", prompt="Your name?", variable="name", kind="name"),
        node("age", "gather", prompt="Your age?", variable="age", kind="number"),
        node("bye", "end_call"),
        edge("who", "age", outcome="done"),
        edge("age", "bye", outcome="done"),
        intents=[{"id": "stop", "name": "stop", "keys": "9", "action": "end"}],
    )
    talk = follow(raw)
    await talk.greet()
    await talk.press("9")
    assert talk.ended
    other = follow(raw)
    await other.greet()
    await other.say("Alice Miller")
    await other.press("9")
    assert other.conversation.values["age"] == 9


async def test_a_question_in_place_of_an_answer_is_answered_and_asked_again(follow):
    async def aside(words, *, may_answer):
        asked.append((words, may_answer))
        return [Noted("intent", "hours"), Say("From eight to six.")] if "open" in words else []

    asked = []
    talk = follow(MENU, aside=aside)
    await talk.greet()
    await talk.press("1")
    assert await talk.say("when are you open") == "From eight to six. How old are you?"
    assert await talk.say("twenty") == "twenty it is. Goodbye."
    assert asked == [("when are you open", False)]  # a plain answer is none


async def test_what_is_told_to_leave_is_not_taken_for_the_wish_to(follow):
    intents = [{"id": "p", "name": "person", "examples": ["talk to a human being"], "action": "transfer"}]
    talk = follow({**MENU, "intents": intents}, transfer_number="+14155550111")
    await talk.greet()
    await talk.press("1")
    await talk.say("I did talk to a human being")
    assert not talk.transferred_to


async def test_messages_are_kept_and_counted_over_the_whole_call(follow):
    raw = flow(
        node("who", "gather", prompt="Your name?", variable="name", kind="name"),
        node("keep", "message", text="Call {{name}} back.", name="{{name}}", phone="{{caller}}"),
        node("keep2", "message", text="Twice."),
        node("desk", "subagent", systemPrompt="You help."),
        edge("who", "keep", outcome="done"),
        edge("keep", "keep2"),
        edge("keep2", "desk"),
    )
    talk = follow(raw)
    await talk.greet()
    await talk.say("Alice Miller")
    for words in ("I want to leave a message", "Bob Miller", "555 0142", "yes", "Please call me", "yes"):
        await talk.say(words)
    kept = {each.ordinal: each for each in talk.messages}
    assert [(each.name, each.words, each.number) for each in kept.values()][:2] == [
        ("Alice Miller", "Call Alice Miller back.", ""),
        ("", "Twice.", ""),
    ]
    assert sorted(kept) == [1, 2, 3] and kept[3].name == "Bob Miller"


async def test_another_agent_takes_the_call_over(follow):
    other = follow(
        flow(
            node("x", "say", text="The other one here."),
            node("y", "gather", prompt="Yes?", variable="v"),
            edge("x", "y"),
        )
    )
    talk = follow(
        flow(node("a", "agent_transfer", targetAgentId="other")), agents={"other": other.conversation}
    )
    assert await talk.greet() == "The other one here. Yes?"
    assert talk.conversation.expects == other.conversation.expects


async def test_words_over_what_was_being_said_answer_what_comes_then(follow):
    raw = flow(
        node("welcome", "say", text="Welcome. This takes a while to say."),
        *MENU["nodes"],
        edge("welcome", "hello"),
        *MENU["edges"],
    )
    talk = follow(raw)
    steps = talk.conversation.greet()
    async for step in steps:
        if isinstance(step, Say):
            break
    await steps.aclose()
    talk.conversation.heard("Welcome.", interrupted=True)
    assert await talk.say("sales please") == "You are with sales. How old are you?"


async def test_an_answer_that_nobody_heard_is_taken_back_when_the_words_go_on(follow):
    talk = follow(MENU)
    await talk.greet()
    await talk.say_unheard("sales please")
    said = await talk.say("sales please, I want to buy something")
    assert said == "You are with sales. How old are you?"


async def test_nodes_set_how_it_is_spoken_and_listened(follow):
    raw = flow(
        node("a", "say", text="Slowly.", speed=0.8, interruptible=False),
        node("w", "wait", seconds=2),
        node("d", "send_digits", digits="1,2"),
        node("b", "end_call", message="Bye."),
        edge("a", "w"),
        edge("w", "d"),
        edge("d", "b"),
    )
    steps = [step async for step in follow(raw).conversation.greet()]
    assert [step for step in steps if isinstance(step, Manner)] == [Manner(False, None, None, 0.8), Manner()]
    assert next(step for step in steps if isinstance(step, Say)) == Say("Slowly.", interruptible=False)
    assert Pause(2) in steps and SendDigits("1,2") in steps


async def test_a_circle_is_stopped(follow):
    raw = flow(
        node("a", "say", text="Round."),
        node("b", "say", text="And."),
        edge("a", "b"),
        edge("b", "a"),
        start="a",
    )
    talk = follow(raw)
    said = await talk.greet()
    assert said.endswith("Please call again later. Goodbye.") and talk.ended


async def test_nobody_agrees_to_what_they_did_not_hear(follow):
    talk = follow(
        flow(
            node("n", "gather", prompt="Your number?", variable="n", kind="digits", confirm="always"),
            node("bye", "end_call", message="Kept."),
            edge("n", "bye"),
        )
    )
    await talk.greet()
    await talk.say_unheard("four seven one")
    assert await talk.say("yes") == "I have four seven one. Is that right?"
    assert await talk.say("yes") == "Kept."


async def test_sub_flows_that_enter_each_other_are_stopped(follow):
    one, other = (flow(node("in", "subflow", flowId=name), node("out", "end_call")) for name in ("b", "a"))
    talk = follow(one, subflows={"a": one, "b": other})
    assert (await talk.greet()).endswith("Goodbye.") and talk.ended


def test_the_sample_is_a_flow_that_could_be_published():
    graph, problems = read(MENU)
    told = [*problems, *problems_of(graph)]
    assert [each.code for each in told if each.severity is Severity.ERROR] == ["never_set"]  # {{clinic}}
