"""An OpenAI-compatible chat, against a server that speaks its protocol."""

import json

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from mlservices.clients.openai import OpenAIChat
from mlservices.errors import EngineBusy, EngineError, EngineTimeout
from mlservices.types import ChatMessage, Tool, ToolCall
from tests.mlservices.conftest import serving


def event(**delta):
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}) + "\n\n"


class Server:
    def __init__(self, *events, status=200, body=None, headers=None):
        self.events, self.status, self.body, self.headers = events, status, body, headers
        self.requests = []

    async def complete(self, request):
        self.requests.append((request.headers.get("authorization"), await request.json()))
        if self.body is not None:
            return JSONResponse(self.body, status_code=self.status, headers=self.headers)
        return StreamingResponse(iter(self.events), media_type="text/event-stream")

    async def ask(self, *messages, api_key="sk-x", **options):
        app = Starlette(routes=[Route("/v1/chat/completions", self.complete, methods=["POST"])])
        with serving(app) as url:
            chat = OpenAIChat(
                name="OpenAI",
                base_url=f"{url}/v1",
                api_key=api_key,
                model="gpt-4o-mini",
                key_setting="AI_INTEGRATIONS_OPENAI_API_KEY",
            )
            try:
                asked = messages or [ChatMessage("user", "hi")]
                return [delta async for delta in chat.reply(asked, **options)]
            finally:
                await chat.close()


async def test_an_answer_comes_piece_by_piece():
    usage = 'data: {"choices": [], "usage": {"total_tokens": 9}}\n\n'
    server = Server(
        event(role="assistant"), event(content="Good"), event(content=" day."), usage, "data: [DONE]\n\n"
    )
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
    }


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
