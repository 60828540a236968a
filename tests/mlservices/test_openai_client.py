"""An OpenAI-compatible chat, against a server that speaks its protocol."""

from contextlib import aclosing

import pytest

from mlservices.clients.openai import OpenAIChat
from mlservices.errors import EngineBusy, EngineError, EngineTimeout
from mlservices.types import ChatMessage, TokensUsed, Tool, ToolCall
from tests.fakes.openai import FORBIDDEN_OPTION, UNKNOWN_OPTION, OpenAI, event, usage_event

HI = [ChatMessage("user", "hi")]


def client(base_url, api_key="sk-x"):
    return OpenAIChat(
        name="OpenAI",
        base_url=base_url,
        api_key=api_key,
        model="gpt-4o-mini",
        key_setting="AI_INTEGRATIONS_OPENAI_API_KEY",
    )


class Server(OpenAI):
    async def ask(self, *messages, api_key="sk-x", times=1, **options):
        """The pieces of its answer; asked several `times` by one client, of its last."""
        with self.served() as url:
            chat = client(url, api_key)
            try:
                for _ in range(times):
                    async with aclosing(chat.reply(messages or HI, **options)) as stream:
                        deltas = [delta async for delta in stream]
                return deltas
            finally:
                await chat.close()


async def test_an_answer_comes_piece_by_piece():
    server = Server(event(role="assistant"), event(content="Good"), event(content=" day."))
    deltas = await server.ask(max_tokens=20, temperature=0.1)
    assert [delta.text for delta in deltas] == ["Good", " day."]
    assert deltas[0].timing.compute_seconds > 0
    ((authorization, body),) = server.requests
    assert authorization == "Bearer sk-x"
    assert body == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 20,
        "temperature": 0.1,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_its_tokens_are_told_last_as_the_server_counted_them():
    counted = {"prompt_tokens": 31, "completion_tokens": 7, "total_tokens": 38}
    *words, last = await Server(event(content="Good"), event(content=" day."), usage=counted).ask()
    assert [delta.used for delta in words] == [None, None]
    assert (last.text, last.tool_call, last.used) == ("", None, TokensUsed(31, 7))
    assert last.engine == "OpenAI gpt-4o-mini"


async def test_a_server_that_counts_as_it_goes_is_believed_at_its_end():
    server = Server(
        usage_event({"prompt_tokens": 31, "completion_tokens": 1}),
        event(content="Good"),
        usage_event({"prompt_tokens": 31, "completion_tokens": 2}),
        usage_event(None),
    )
    assert [delta.used for delta in await server.ask()] == [None, TokensUsed(31, 2)]


@pytest.mark.parametrize(
    "usage", [None, "many", {}, {"prompt_tokens": -1}, {"prompt_tokens": "31"}, {"total_tokens": 38}]
)
async def test_a_server_that_does_not_count_or_counts_nonsense_answers_all_the_same(usage):
    (delta,) = await Server(event(content="Good day."), usage=usage).ask()
    assert (delta.text, delta.used) == ("Good day.", None)


@pytest.mark.parametrize("refusal", [(400, UNKNOWN_OPTION), (422, FORBIDDEN_OPTION)])
async def test_a_server_that_refuses_to_count_is_asked_without_that_and_never_for_it_again(refusal):
    server = Server(event(content="Good day."), refuses=refusal)
    assert [delta.text for delta in await server.ask(times=2)] == ["Good day."]
    assert ["stream_options" in body for _, body in server.requests] == [True, False, False]


async def test_what_is_refused_for_another_reason_is_not_asked_again():
    server = Server(status=400, body={"error": {"message": "max_tokens is too large"}})
    with pytest.raises(EngineError, match="too large"):
        await server.ask()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind", "permanent"),
    [
        (401, EngineError, True),
        (429, EngineBusy, False),
        (500, EngineError, False),
        (504, EngineTimeout, False),
    ],
)
async def test_its_refusals_are_told_in_its_words(status, kind, permanent):
    server = Server(status=status, body={"error": {"message": "because"}}, headers={"Retry-After": "7"})
    with pytest.raises(kind, match="because") as caught:
        await server.ask()
    assert caught.value.permanent is permanent
    assert caught.value.service == "llm"
    assert "OpenAI" in str(caught.value)
    if kind is EngineBusy:
        assert caught.value.retry_after == 7


async def test_an_error_in_the_middle_of_a_stream_is_one():
    server = Server(event(content="Good"), 'data: {"error": {"message": "overloaded"}}\n\n')
    with pytest.raises(EngineError, match="overloaded"):
        await server.ask()


async def test_a_stream_that_ends_without_saying_so_is_cut_short():
    server = Server(event(content="We are open"), done=False)
    with pytest.raises(EngineError, match="OpenAI broke off in the middle of an answer") as caught:
        await server.ask()
    assert (caught.value.outcome, caught.value.permanent) == ("cut_short", False)


async def test_calls_of_a_stream_that_is_cut_short_are_not_made():
    server = Server(fragment(0, '{"city": "Rome"}', id="call_1", name="get_weather"), done=False)
    with pytest.raises(EngineError) as caught:
        await server.ask()
    assert caught.value.outcome == "cut_short"


async def test_a_stream_that_only_tells_why_it_ended_is_whole():
    server = Server(event(content="Good day."), event(finish_reason="stop"), done=False)
    assert [delta.text for delta in await server.ask()] == ["Good day."]


@pytest.mark.parametrize("data", ["data: nonsense\n\n", 'data: ["x"]\n\n', 'data: {"choices": [3]}\n\n'])
async def test_an_event_that_cannot_be_read_is_an_error(data):
    with pytest.raises(EngineError, match="cannot be read"):
        await Server(data).ask()


async def test_an_answer_that_is_no_stream_is_quoted_and_not_taken_for_silence():
    with pytest.raises(EngineError, match=r"OpenAI sent no events \(HTTP 200, .*log in first") as caught:
        await Server(body={"notice": "log in first"}).ask()
    assert (caught.value.service, caught.value.outcome) == ("llm", "not_json")


async def test_a_redirect_is_not_followed_with_the_key():
    server = Server(status=302, body={}, headers={"Location": "https://elsewhere.example/v1?key=1"})
    with pytest.raises(
        EngineError, match=r"OpenAI points elsewhere \(HTTP 302, https://elsewhere.example/v1\)"
    ):
        await server.ask()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(400, "refused"), (401, "refused_token"), (404, "not_offered"), (429, "busy"), (500, "failed")],
)
async def test_each_refusal_has_its_outcome_and_shows_no_key(status, outcome):
    server = Server(status=status, body={"error": {"message": "not with sk-secret"}})
    with pytest.raises(EngineError) as caught:
        await server.ask(api_key="sk-secret")
    assert caught.value.outcome == outcome
    assert "sk-secret" not in str(caught.value)
    if status == 401:
        assert "AI_INTEGRATIONS_OPENAI_API_KEY is refused" in str(caught.value)


WEATHER = Tool("get_weather", "The weather of a city.", {"type": "object", "properties": {"city": {}}})


def fragment(index, arguments, **names):
    name = {"name": names.pop("name")} if "name" in names else {}
    return event(tool_calls=[{"index": index, **names, "function": {"arguments": arguments, **name}}])


async def test_calls_come_in_fragments_and_are_told_whole_after_the_words():
    server = Server(
        event(content="Let me see."),
        fragment(0, "", id="a", name="get_weather"),
        fragment(0, '{"ci'),
        fragment(1, "{}", id="b", name="get_weather"),
        fragment(0, 'ty": "Bonn"}'),
        "data: [DONE]\n\n",
    )
    deltas = await server.ask(tools=[WEATHER])
    assert [delta.text for delta in deltas] == ["Let me see.", "", ""]
    assert [delta.tool_call for delta in deltas] == [
        None,
        ToolCall("a", "get_weather", {"city": "Bonn"}),
        ToolCall("b", "get_weather", {}),
    ]
    ((_, body),) = server.requests
    function = {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {}}},
    }
    assert body["tools"] == [{"type": "function", "function": function}]


async def test_calls_and_their_results_are_sent_as_the_protocol_has_them():
    server = Server(event(content="Rain."))
    call = ToolCall("a", "get_weather", {"city": "Bonn"})
    await server.ask(
        ChatMessage("user", "How is it in Bonn?"),
        ChatMessage("assistant", "", (call,)),
        ChatMessage("tool", "rain", tool_call_id="a"),
    )
    ((_, body),) = server.requests
    assert "tools" not in body
    sent = {
        "id": "a",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city": "Bonn"}'},
    }
    assert body["messages"] == [
        {"role": "user", "content": "How is it in Bonn?"},
        {"role": "assistant", "content": "", "tool_calls": [sent]},
        {"role": "tool", "content": "rain", "tool_call_id": "a"},
    ]


@pytest.mark.parametrize("arguments", ['{"city": ', "[1]", "nonsense"])
async def test_arguments_that_are_no_object_are_an_error_that_names_the_tool(arguments):
    with pytest.raises(EngineError, match="OpenAI asked for the tool 'get_weather' with arguments"):
        await Server(fragment(0, arguments, id="a", name="get_weather")).ask(tools=[WEATHER])


@pytest.mark.parametrize(
    "server",
    [
        Server(body={"notice": "log in first, sk-secret"}),
        Server('data: {"error": {"message": "sk-secret is over its quota"}}\n\n'),
        Server(fragment(0, '{"key": "sk-secret"', id="call_1", name="sk-secret")),
    ],
    ids=["no stream", "an error in it", "a call that cannot be read"],
)
async def test_what_is_quoted_of_an_answer_shows_no_key(server):
    with pytest.raises(EngineError, match=r"\*\*\*") as caught:
        await server.ask(api_key="sk-secret")
    assert "sk-secret" not in str(caught.value)
