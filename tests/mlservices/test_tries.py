"""Engines that stand in for each other: each try has its own row, and sums of days equal the rows."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from uuid import uuid4

import pytest

from mlservices import registry
from mlservices.clients.fallback import Choice, FallbackChat, FallbackHearing, FallbackVoice
from mlservices.errors import EngineError, Outcome
from mlservices.ledger import Asker, asking, ledger, write
from mlservices.models import UsageDay, UsageRow
from mlservices.types import ChatDelta, ChatMessage, SpeechChunk, TokensUsed, ToolCall
from mlservices.usage import figures
from tests.fakes.openai import OpenAI, event
from tests.fakes.space import Space, on_fire, silent
from tests.mlservices.scripted import BAD_TEXT, BROKEN, Engine
from tests.mlservices.test_ledger import assert_days_equal_rows

BUDGET = 0.05
HI = [ChatMessage("user", "How are you today?")]  # 4 tokens, by its length


class Ledgered:
    """What was noted, in memory."""

    def setup_method(self):
        self.noted = []

    def told(self):
        return [(each.engine, each.amount, each.outcome, each.degraded) for each in self.noted]

    def options(self):
        return {"budget_seconds": BUDGET, "note": self.noted.append}


class TestHearing(Ledgered):
    def hearing(self, *choices):
        return FallbackHearing("stt", choices, **self.options())

    async def test_one_that_serves_at_once_has_one_row(self):
        hearing = self.hearing(Choice("Space", Engine("whisper")), Choice("local", Engine("tiny")))
        await hearing.transcribe(bytes(32000), rate=8000)
        assert self.told() == [("whisper", 2.0, "served", False)]

    async def test_one_that_fails_has_its_own_under_its_own_name_and_used_nothing(self):
        hearing = self.hearing(
            Choice("Space", Engine("whisper", [BROKEN]), engine="ML service a-space"),
            Choice("local", Engine("tiny")),
        )
        with asking(key="key-1"):
            await hearing.transcribe(bytes(32000), rate=8000)
        assert self.told() == [
            ("ML service a-space", 0.0, "failed", False),
            ("tiny", 2.0, "served", True),
        ]
        assert [each.asker for each in self.noted] == [Asker("key-1"), Asker("key-1")]

    async def test_one_that_is_late_failed_and_was_not_cancelled_and_the_next_does_not_pay_for_its_time(self):
        hearing = self.hearing(Choice("Space", Engine("s", [[60.0]])), Choice("local", Engine("tiny")))
        await hearing.transcribe(bytes(32000), rate=8000)
        assert self.told() == [("Space", 0.0, "failed", False), ("tiny", 2.0, "served", True)]
        late, served = (each.latency_seconds for each in self.noted)
        assert late >= BUDGET > served

    async def test_one_that_rests_is_not_asked_and_has_no_row(self):
        hearing = self.hearing(Choice("Space", Engine("s", [BROKEN])), Choice("local", Engine("tiny")))
        for _ in range(3):
            await hearing.transcribe(bytes(160), rate=8000)
        assert [each.engine for each in self.noted] == ["Space", "tiny", "tiny", "tiny"]

    async def test_when_all_fail_each_did(self):
        hearing = self.hearing(*(Choice(name, Engine(name, [BROKEN])) for name in ("Space", "local", "far")))
        with pytest.raises(EngineError):
            await hearing.transcribe(bytes(160), rate=8000)
        assert self.told() == [
            ("Space", 0.0, "failed", False),
            ("local", 0.0, "failed", True),
            ("far", 0.0, "failed", True),
        ]

    async def test_who_hangs_up_cancels_the_one_that_was_asked(self):
        hearing = self.hearing(Choice("Space", Engine("s", [[0.02, "well"]])), Choice("local", Engine("t")))
        hears = asyncio.create_task(hearing.transcribe(bytes(160), rate=8000))
        await asyncio.sleep(0)
        hears.cancel()
        await asyncio.gather(hears, return_exceptions=True)
        assert self.told() == [("Space", 0.01, "cancelled", False)]


class TestSpeaking(Ledgered):
    def voice(self, *choices):
        return FallbackVoice("tts", choices, **self.options())

    async def test_one_that_breaks_off_used_what_it_was_asked_for_and_nobody_stands_in(self):
        voice = self.voice(Choice("Space", Engine("s", [["half", BROKEN]])), Choice("local", Engine("piper")))
        with pytest.raises(EngineError):
            [chunk async for chunk in voice.speak("Hello.", rate=8000)]
        assert self.told() == [("Space", 6, "failed", False)]

    async def test_one_that_says_nothing_failed(self):
        voice = self.voice(Choice("Space", Engine("s", [[]])), Choice("local", Engine("piper")))
        assert [chunk.degraded async for chunk in voice.speak("Hello.", rate=8000)] == [True, True]
        assert self.told() == [("Space", 0.0, "failed", False), ("local", 6, "served", True)]

    async def test_a_text_that_is_refused_is_refused_by_the_first_alone(self):
        voice = self.voice(Choice("Space", Engine("s", [BAD_TEXT])), Choice("local", Engine("piper")))
        with pytest.raises(EngineError):
            [chunk async for chunk in voice.speak("Hello.", rate=8000)]
        assert self.told() == [("Space", 0.0, "refused", False)]

    async def test_an_interrupted_sentence_of_a_stand_in_was_served_by_it_in_part(self):
        class Endless(Engine):
            async def speak(self, text, **how):
                while True:
                    yield SpeechChunk(b"\0\0", 8000, engine="piper-joe")

        voice = self.voice(Choice("Space", Engine("s", [BROKEN])), Choice("local", Endless("e")))
        stream = voice.speak("Hello.", rate=8000)
        await anext(stream)
        await stream.aclose()
        assert self.told()[1] == ("piper-joe", 6, "cancelled", True)


class TestReplying(Ledgered):
    async def test_tokens_are_those_of_the_one_that_counted_them(self):
        class Counts(Engine):
            async def reply(self, messages, **how):
                yield ChatDelta("Fine.", engine="OpenAI gpt")
                yield ChatDelta("", used=TokensUsed(31, 7))

        choices = [Choice("Space", Engine("s", [BROKEN])), Choice("OpenAI", Counts("c"))]
        chat = FallbackChat("llm", choices, **self.options())
        async with aclosing(chat.reply(HI)) as deltas:
            assert "".join([delta.text async for delta in deltas]) == "Fine."
        assert self.told() == [("Space", 0.0, "failed", False), ("OpenAI gpt", 38, "served", True)]
        failed, served = self.noted
        assert (failed.answered, failed.estimated) == (0, False)
        assert (served.answered, served.estimated) == (7, False)

    async def test_a_call_of_a_tool_without_words_is_an_answer(self):
        class Calls(Engine):
            async def reply(self, messages, **how):
                yield ChatDelta("", tool_call=ToolCall("a", "get_weather", {}))

        chat = FallbackChat(
            "llm", [Choice("Space", Calls("c")), Choice("local", Engine("l"))], **self.options()
        )
        async with aclosing(chat.reply(HI)) as deltas:
            assert [delta.tool_call.name async for delta in deltas] == ["get_weather"]
        assert self.told() == [("Space", 5, "served", False)]


@pytest.mark.django_db
def test_the_sums_of_tries_equal_their_rows_and_count_as_served_by_a_fallback_only_what_was():
    noted = []

    async def ask():
        scripts = ([BROKEN, [60.0], "well", [["half", BROKEN]]], [BROKEN, "well"], ["well"] * 3)
        for script in zip(*(script * 6 for script in scripts), strict=False):
            choices = [Choice(name, Engine(name, [step])) for name, step in zip("abc", script, strict=True)]
            chat = FallbackChat("llm", choices, budget_seconds=BUDGET, note=noted.append)
            await asyncio.gather(_said(chat), return_exceptions=True)

    asyncio.run(ask())
    write(noted)
    assert_days_equal_rows(UsageRow.objects.all())
    sums = figures.totals(UsageDay.objects.all())
    served = UsageRow.objects.filter(degraded=True, outcome="served").count()
    assert sums.degraded == served > 0
    assert sums.requests == len(noted) > sums.failed > 0


async def _said(chat):
    async with aclosing(chat.reply(HI)) as deltas:
        return "".join([delta.text async for delta in deltas])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", [on_fire, silent(30.0)])
def test_a_call_whose_space_fails_is_told_of_in_the_ledger_try_by_try(settings, monkeypatch, fault):
    """By the clients of the settings, over HTTP."""
    monkeypatch.setattr(registry, "_CHAT_SECONDS", 0.3)
    call = uuid4()
    counted = {"prompt_tokens": 31, "completion_tokens": 7}
    with OpenAI(event(content="Fine."), usage=counted).served() as url, Space() as space:
        space.always("", fault)
        settings.HF_ML_API_URL, settings.ML_FALLBACK = space.url, ("space", "openai")
        settings.AI_INTEGRATIONS_OPENAI_BASE_URL, settings.AI_INTEGRATIONS_OPENAI_API_KEY = url, "sk-x"
        ledger.open()
        try:
            assert asyncio.run(_on_a_call(call)) == "Fine."
        finally:
            ledger.close()
    failed, served = UsageRow.objects.filter(call=call).order_by("pk")
    host = space.url.removeprefix("http://")
    assert (failed.engine, failed.outcome, failed.amount, failed.degraded) == (
        f"ML service {host}",
        Outcome.FAILED,
        0,
        False,
    )
    assert (served.engine, served.outcome, served.amount, served.answered, served.degraded) == (
        f"OpenAI {settings.OPENAI_MODEL}",
        "served",
        38,
        7,
        True,
    )
    assert_days_equal_rows(UsageRow.objects.all())
    assert figures.of_call(call).requests == 2


async def _on_a_call(call):
    try:
        with asking(call=call):
            return await _said(registry.chat_model("local"))
    finally:
        await registry.close()
