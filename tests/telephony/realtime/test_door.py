"""Who may open a session, and what it may be asked to be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.actions import ensure_api_agent
from agents.models import Agent
from mlservices import registry
from telephony import live
from telephony.capacity import capacity
from telephony.models import Call
from telephony.providers.realtime.messages import Config
from telephony.realtime import limits, setup, socket
from telephony.realtime.setup import Impossible, setup_of
from tests.agents.fakes import ScriptedModel
from tests.telephony.realtime.conftest import ECHO, Program, exchange, talking
from voiceforge_site.access import key_actions
from voiceforge_site.access.gate import INACTIVE_KEY, NOT_ALLOWED, UNKNOWN_KEY
from voiceforge_site.models import ApiKey, User

pytestmark = pytest.mark.django_db(transaction=True)


def answer_to(*messages: Any, **how: Any) -> tuple[dict[str, Any], int | None]:
    """The first word to these first messages, and the code if it was the last."""

    async def script(program: Program) -> None:
        for message in messages:
            program.say_text(message) if isinstance(message, str) else program.say(**message)
        await program.until(lambda: program.told)
        if program.told[0]["type"] == "error":
            await program.until_closed()

    program = talking(script, **how)
    return program.told[0], program.code


def init(key: str = "", **config: Any) -> dict[str, Any]:
    return {"type": "init", "apiKey": key, "config": {**ECHO, **config}}


def test_it_opens_for_whom_the_door_says(bob: User, key: str) -> None:
    viewer = User.objects.create_user("vera", role="viewer")
    viewers = key_actions.create("v", viewer)[1]
    revoked = key_actions.create("r", bob)[1]
    key_actions.revoke(revoked[:14])
    expired = key_actions.create("e", bob)[1]
    ApiKey.objects.filter(prefix=expired[:14]).update(expires_at=timezone.now())
    client = Client()
    client.force_login(bob)
    cookie = [(b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode())]
    for sent, headers, code in (
        (key, [], None),
        ("", [(b"authorization", f"Bearer {key}".encode())], None),
        ("", cookie, None),
        ("", [], UNKNOWN_KEY),
        ("vf_sk_" + "0" * 32, cookie, UNKNOWN_KEY),
        (revoked, [], INACTIVE_KEY),
        (expired, [], INACTIVE_KEY),
        (viewers, [], NOT_ALLOWED),
    ):
        told, closed_with = answer_to(init(sent), headers=headers)
        if code is None:
            assert told["type"] == "ready"
        else:
            assert (told["code"], told["recoverable"], closed_with) == ("not_admitted", False, code)


def test_a_key_of_somebody_who_may_not_sign_in_is_inactive(bob: User, key: str) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert answer_to(init(key))[1] == INACTIVE_KEY


def test_a_key_with_scopes_does_what_they_say(bob: User, agent: Agent) -> None:
    key = key_actions.create("scoped", bob, scopes=["mlservices.use_models"])[1]
    assert answer_to(init(key))[0]["type"] == "ready"
    asked = {"type": "init", "apiKey": key, "config": {"agent": agent.slug}}
    told, code = answer_to(asked)
    assert code == NOT_ALLOWED
    assert "Talk to agents" in told["message"]


def test_a_key_that_is_revoked_ends_the_session_within_seconds(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "RECHECK_SECONDS", 0.1)

    async def script(program: Program) -> None:
        program.init(key, **ECHO)
        await program.told_of("ready")
        await asyncio.to_thread(key_actions.revoke, key[:14])
        assert await program.until_closed() == INACTIVE_KEY

    program = talking(script)
    assert [told["type"] for told in program.told][-2:] == ["error", "ended"]
    assert Call.objects.get().end_reason == "line_lost"


@pytest.mark.parametrize(
    "close",
    [
        lambda key: key_actions.revoke(key.prefix),
        lambda key: key_actions.change(key=key, by=key.person, networks=["203.0.113.0/24"]),
        lambda key: key_actions.rotate(key=key, by=key.person, overlap=timedelta(0)),
    ],
    ids=["revoked", "of other networks", "replaced"],
)
def test_a_session_whose_key_opens_nothing_any_more_is_ended_at_once(
    key: str, monkeypatch: pytest.MonkeyPatch, close: Callable[[ApiKey], object]
) -> None:
    for module in (socket, live):
        monkeypatch.setattr(module, "RECHECK_SECONDS", 60.0)

    async def script(program: Program) -> None:
        program.init(key, **ECHO)
        ready = await program.told_of("ready")
        follower = Program(board, f"/ws/calls/{ready['sessionId']}")
        follower.say_text(json.dumps({"type": "follow", "apiKey": key}))
        await follower.told_of("snapshot")
        await asyncio.sleep(0.2)  # both go on
        await live.in_database(close, row)
        async with asyncio.timeout(5):
            assert await program.until_closed() == await follower.until_closed() == INACTIVE_KEY

    row, board = ApiKey.objects.select_related("person").get(prefix=key[:14]), exchange()
    talking(script, board)


def test_nobody_waits_for_a_program_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FIRST_MESSAGE_SECONDS", 0.1)
    told, code = answer_to()
    assert (told["code"], code) == ("no_init", 1008)


@pytest.mark.parametrize(
    ("message", "code", "closes"),
    [
        ("nonsense", "unreadable", 1008),
        ("[]", "unreadable", 1008),
        ("{}", "invalid", 1008),
        ('{"type": "end", "eventId": "e"}', "no_init", 1008),
        ("x" * 70_000, "too_large", 1009),
    ],
    ids=["no JSON", "a list", "no type", "not init", "too large"],
)
def test_what_is_no_beginning_is_refused(message: str, code: str, closes: int, db: None) -> None:
    told, closed_with = answer_to(message)
    assert (told["code"], told["recoverable"], closed_with) == (code, False, closes)
    assert not Call.objects.exists()


def test_an_error_names_the_message_the_field_and_what_to_do(key: str) -> None:
    for config, field, remedy in (
        ({"mode": "video"}, "config.mode", "Use one of 'voice', 'text' or 'hybrid'."),
        ({"sttEnabled": "yes"}, "config.sttEnabled", "Send true or false."),
        ({"agentMode": "oracle"}, "config.agentMode", "'echo'"),
        ({"colour": "red"}, "config.colour", "There is no such field: leave it out."),
        ({"language": "xx"}, "config.language", "does not know 'xx': use en, auto"),
        ({"voice": "nobody"}, "config.voice", "GET /api/voices"),
        ({"model": "gpt-9"}, "config.model", "there is no language model 'gpt-9': use"),
        ({"agent": "nobody"}, "config.agentMode", "leave it out, or leave out agent"),
        ({"agentMode": "custom"}, "config.systemPrompt", "write one"),
        ({"systemPrompt": "Be kind."}, "config.systemPrompt", "echo asks no language model"),
    ):
        told, code = answer_to(init(key, **config))
        assert (told["code"], told["about"], code) == ("invalid", "mine-1", 1008), config
        assert list(told["fields"]) == [field]
        assert remedy in told["fields"][field]
    assert not Call.objects.exists()


def test_an_agent_that_is_paused_or_unknown_is_told(agent: Agent) -> None:
    with pytest.raises(Impossible, match="there is no agent at 'nobody'"):
        setup_of(Config(agent="nobody"))
    Agent.objects.filter(pk=agent.pk).update(status=Agent.Status.PAUSED)
    with pytest.raises(Impossible, match="the agent Front desk is paused: activate it"):
        setup_of(Config(agent=agent.slug))


def test_what_is_asked_for_changes_the_call_and_not_the_agent(db: None) -> None:
    stored = ensure_api_agent()
    session = setup_of(Config(agentMode="echo", voice="default", language="auto"))
    assert session.agent.language == "auto"
    stored.refresh_from_db()
    assert (stored.language, stored.silence_seconds) == ("en", 8)


@pytest.mark.parametrize(
    ("config", "begins"),
    [
        ({"agentMode": "assistant"}, "You are a helpful assistant."),
        ({"agentMode": "conversational"}, "You are good company"),
        ({"agentMode": "custom", "systemPrompt": "You are a pirate."}, "You are a pirate."),
        ({"agentMode": "assistant", "systemPrompt": "Be kind."}, "You are a helpful assistant. "),
    ],
    ids=["assistant", "conversational", "custom", "assistant with more"],
)
def test_each_mode_tells_the_model_who_it_is(
    db: None, monkeypatch: pytest.MonkeyPatch, config: dict[str, str], begins: str
) -> None:
    model = ScriptedModel("Aye. It is noon.")
    monkeypatch.setattr(registry, "chat_models", lambda: [("openai", "A model")])
    monkeypatch.setattr(registry, "chat_model", lambda model_id: model)
    session = setup_of(Config(**config))
    assert session.talk

    async def said() -> list[str]:
        return [step.text async for step in session.talk().reply("What time is it?") if hasattr(step, "text")]

    assert asyncio.run(said()) == ["Aye.", "It is noon."]
    system, asked = model.shown[0]
    assert system.content.startswith(begins)
    assert config.get("systemPrompt", "") in system.content
    assert (asked.role, asked.content) == ("user", "What time is it?")


def test_without_a_language_model_only_echo_and_agents_answer(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "chat_models", list)
    with pytest.raises(Impossible, match="needs a language model, and none is configured: use echo"):
        setup_of(Config())
    assert setup_of(Config(agentMode="echo")).talk is setup.Echo


def test_a_key_has_so_many_sessions_at_once(key: str, alice: User, settings: Any) -> None:
    settings.REALTIME_SESSIONS = 1
    others = key_actions.create("another", alice)[1]
    board = exchange()

    async def script(program: Program) -> None:
        program.init(key, **ECHO)
        await program.told_of("ready")
        second, third = Program(board), Program(board)
        second.init(key, **ECHO)
        third.init(others, **ECHO)
        assert await second.until_closed() == 1013
        assert (second.told[0]["code"], second.told[0]["about"]) == ("too_many_sessions", "mine-1")
        await third.told_of("ready")
        third.leave()
        await third.task
        program.say("end")
        await program.until_closed()
        again = Program(board)
        again.init(key, **ECHO)
        await again.told_of("ready")
        again.leave()
        await again.task

    talking(script, board)


def test_a_server_that_is_busy_says_so(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "full", lambda: True)
    told, code = answer_to(init(key))
    assert (told["code"], told["about"], code) == ("at_capacity", "mine-1", 1013)
