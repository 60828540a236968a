"""What is noted of each request, and that the sums of a day equal its rows."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db.models import Sum
from django.db.models.functions import TruncDate

from mlservices.clients.metered import (
    MeteredChatModel,
    MeteredSpeechFinder,
    MeteredSpeechToText,
    MeteredTextToSpeech,
)
from mlservices.errors import EngineError
from mlservices.errors import Outcome as Refusal
from mlservices.ledger import Asker, Entry, Ledger, asking, forget_old_rows, write
from mlservices.models import Price, UsageDay, UsageRow
from mlservices.models.usage import Outcome
from mlservices.types import ChatDelta, ChatMessage, Segment, SpeechChunk, TokensUsed, Transcript
from mlservices.usage.figures import OF_ROWS, SUMS

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def entry(service="tts", engine="piper-joe", amount=100.0, *, key="", call=None, at=NOON, **changes):
    how = {"latency_seconds": 0.08, "outcome": Outcome.SERVED, **changes}
    return Entry(service, engine, amount, asker=Asker(key, call), at=at, **how)


def some_entries(count, seed=0):
    """Of three days, engines and keys, every tenth failed, and every tenth was refused."""
    chance = random.Random(seed)
    return [
        entry(
            chance.choice(["tts", "stt", "llm"]),
            chance.choice(["piper-joe", "openai", "a Space"]),
            round(chance.uniform(0, 500), 3),
            key=chance.choice(["", "key-1", "key-2"]),
            at=NOON + timedelta(hours=chance.randrange(-30, 30)),
            latency_seconds=chance.uniform(0.01, 3),
            outcome=chance.choice(
                [Outcome.FAILED, Outcome.REFUSED, Outcome.CANCELLED, *[Outcome.SERVED] * 7]
            ),
            degraded=chance.random() < 0.2,
            estimated=chance.random() < 0.2,
        )
        for _ in range(count)
    ]


def assert_days_equal_rows(rows):
    """Each day, service, engine and key of the rows."""
    parts = rows.annotate(day=TruncDate("at", tzinfo=UTC)).values("day", "service", "engine", "key")
    for part in parts.annotate(**OF_ROWS):
        identity = {name: part[name] for name in ("day", "service", "engine", "key")}
        day = UsageDay.objects.filter(**identity).values().get()
        for name in SUMS:
            assert day[name] == pytest.approx(part[name]), (identity, name)


def sums_of(rows):
    return rows.aggregate(amount=Sum("amount"), latency=Sum("latency_ms"), cost=Sum("cost"))


@pytest.mark.django_db
def test_the_sums_of_days_equal_their_rows_in_all_and_for_each_day_engine_and_key():
    Price.objects.create(engine="openai", per=1000, amount=Decimal("0.15"), since=date(2026, 1, 1))
    for number in range(4):
        write(some_entries(50, seed=number))
    assert UsageRow.objects.count() == 200
    rows, days = sums_of(UsageRow.objects), sums_of(UsageDay.objects)
    assert days["amount"] == pytest.approx(rows["amount"])
    assert (days["latency"], days["cost"]) == (rows["latency"], rows["cost"])
    assert rows["cost"] > 0
    names = ("requests", "failed", "refused", "degraded")
    served = UsageRow.objects.exclude(outcome__in=["failed", "refused"])
    assert UsageDay.objects.aggregate(**{name: Sum(name) for name in names}) == {
        "requests": 200,
        "failed": UsageRow.objects.filter(outcome="failed").count(),
        "refused": UsageRow.objects.filter(outcome="refused").count(),
        "degraded": served.filter(degraded=True).count(),
    }
    assert_days_equal_rows(UsageRow.objects.all())


@pytest.mark.django_db
def test_a_request_costs_what_its_engine_cost_on_its_day():
    Price.objects.create(engine="openai", per=1_000_000, amount=Decimal("0.60"), since=date(2026, 1, 1))
    Price.objects.create(engine="openai", per=1_000_000, amount=Decimal("0.90"), since=date(2026, 3, 5))
    Price.objects.create(engine="whisper", per=60, amount=Decimal("0.006"), since=date(2026, 1, 1))
    write(
        [
            entry("llm", "openai", 500, at=NOON - timedelta(days=1)),
            entry("llm", "openai", 500, at=NOON),
            entry("llm", "openai", 500, at=datetime(2025, 12, 31, tzinfo=UTC)),
            entry("stt", "whisper", 2.5, at=NOON),
            entry("tts", "piper-joe", 500, at=NOON),
        ]
    )
    assert list(UsageRow.objects.order_by("pk").values_list("cost", flat=True)) == [
        Decimal("0.0003"),
        Decimal("0.00045"),
        Decimal(0),
        Decimal("0.00025"),
        Decimal(0),
    ]


@pytest.mark.django_db
def test_answers_of_a_language_model_may_cost_more_than_what_it_is_asked():
    since = date(2026, 1, 1)
    Price.objects.create(engine="dear", per=1000, amount=1, answer_amount=4, since=since)
    Price.objects.create(engine="free answers", per=1000, amount=1, answer_amount=0, since=since)
    Price.objects.create(engine="plain", per=1000, amount=1, since=since)
    engines = ("dear", "free answers", "plain")
    write([entry("llm", engine, 1000, answered=100) for engine in engines])
    costs = dict(UsageRow.objects.values_list("engine", "cost"))
    assert costs == {"dear": Decimal("1.3"), "free answers": Decimal("0.9"), "plain": Decimal(1)}
    assert_days_equal_rows(UsageRow.objects.all())


@pytest.mark.django_db
def test_old_rows_go_and_their_sums_stay():
    write([entry(at=NOON - timedelta(days=36)), entry(at=NOON)])
    assert forget_old_rows(NOON) == 1
    assert UsageRow.objects.get().at == NOON
    assert UsageDay.objects.aggregate(all=Sum("requests"))["all"] == 2


@pytest.mark.django_db
def test_days_are_forgotten_whole_so_that_those_that_are_kept_equal_their_sums(monkeypatch):
    monkeypatch.setattr("mlservices.ledger._FORGOTTEN_AT_ONCE", 7)
    write(some_entries(200))
    before = sums_of(UsageDay.objects)
    assert forget_old_rows(NOON + timedelta(days=35)) > 7
    first = UsageRow.objects.earliest("at").at
    assert first.date() == NOON.date() and first < NOON, "the day in which the 35th ends is all there"
    assert_days_equal_rows(UsageRow.objects.all())
    assert sums_of(UsageDay.objects) == before


@pytest.mark.django_db(transaction=True)
def test_an_open_ledger_writes_by_itself_and_a_closed_one_takes_nothing():
    ledger = Ledger()
    ledger.note(entry(amount=1))
    ledger.open()
    call = uuid4()
    ledger.note(entry(amount=2, call=call, key="key-1"))
    ledger.close()
    row = UsageRow.objects.get()
    assert (row.amount, row.call, row.key, row.latency_ms) == (2, call, "key-1", 80)


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_cannot_be_written_costs_no_other(caplog):
    ledger = Ledger()
    ledger.open()
    for number in range(9):
        ledger.note(
            entry("stt", "broken" if number in (4, 7) else "whisper", -1.0 if number in (4, 7) else 1.0)
        )
    ledger.close()
    assert list(UsageRow.objects.values_list("engine", "amount")) == [("whisper", 1.0)] * 7
    assert ledger.dropped == 2
    lost = [record.getMessage() for record in caplog.records if "could not be noted" in record.getMessage()]
    assert len(lost) == 2 and all("stt" in told and "broken" in told for told in lost)
    assert_days_equal_rows(UsageRow.objects.all())


class Engine:
    """Meets four interfaces; fails at "fail". It counts the tokens of what it replies if told which."""

    def __init__(self, used=None):
        self.used = used

    async def transcribe(self, pcm, *, rate, language="en", model="", priority="live"):
        return Transcript("hello", "en", 1.0, 1.0, engine="whisper")

    async def speak(self, text, *, rate, voice="default", speed=1.0, model="", priority="live"):
        if text == "fail":
            raise EngineError("it cannot")
        if text == "refuse":
            raise EngineError("it never will", permanent=True, outcome=Refusal.REFUSED)
        for _ in range(3):
            yield SpeechChunk(b"\0\0", rate)
            await asyncio.sleep(0.05)

    async def detect(self, pcm, *, rate, threshold=0.5):
        return (Segment(0.0, 1.0),)

    async def reply(self, messages, *, max_tokens=150, temperature=0.7, tools=(), priority="live"):
        for word in ("All", " day"):
            yield ChatDelta(word)
        if self.used:
            yield ChatDelta("", used=self.used)


class TestMeteredClients:
    def setup_method(self):
        self.noted = []

    def last(self):
        entry = self.noted[-1]
        return entry.service, entry.engine, entry.amount, entry.outcome

    async def test_words_are_noted_by_the_seconds_heard_under_the_engine_that_answered(self):
        client = MeteredSpeechToText(Engine(), "a Space", self.noted.append)
        await client.transcribe(bytes(32000), rate=8000)
        assert self.last() == ("stt", "whisper", 2.0, "served")

    async def test_voice_activity_is_noted_by_the_seconds_heard(self):
        client = MeteredSpeechFinder(Engine(), "silero-vad", self.noted.append)
        assert await client.detect(bytes(16000), rate=8000) == (Segment(0.0, 1.0),)
        assert self.last() == ("vad", "silero-vad", 1.0, "served")

    async def test_speech_is_noted_by_its_characters_with_the_time_to_its_first_sound(self):
        client = MeteredTextToSpeech(Engine(), "piper-joe", self.noted.append)
        assert len([chunk async for chunk in client.speak("Hello.", rate=8000)]) == 3
        assert self.last() == ("tts", "piper-joe", 6, "served")
        assert self.noted[-1].latency_seconds < 0.1

    async def test_what_is_left_in_the_middle_was_cancelled_and_what_breaks_failed(self):
        client = MeteredTextToSpeech(Engine(), "piper-joe", self.noted.append)
        chunks = client.speak("Hello.", rate=8000)
        await anext(chunks)
        await chunks.aclose()
        assert self.last() == ("tts", "piper-joe", 6, "cancelled")
        with pytest.raises(EngineError):
            await anext(client.speak("fail", rate=8000))
        assert self.last() == ("tts", "piper-joe", 0, "failed"), "nothing was made of it"

    async def test_what_is_refused_for_its_own_sake_is_no_failure_of_the_engine(self):
        client = MeteredTextToSpeech(Engine(), "piper-joe", self.noted.append)
        with pytest.raises(EngineError):
            await anext(client.speak("refuse", rate=8000))
        assert self.last() == ("tts", "piper-joe", 0, "refused"), "and nothing was made of it"

    def tokens(self):
        entry = self.noted[-1]
        return entry.amount, entry.answered, entry.estimated

    async def test_a_reply_is_noted_by_the_tokens_that_the_server_counted(self):
        client = MeteredChatModel(Engine(TokensUsed(31, 7)), "smollm2", self.noted.append)
        [piece async for piece in client.reply([ChatMessage("user", "Are you open today?")])]
        assert self.last() == ("llm", "smollm2", 38, "served")
        assert self.tokens() == (38, 7, False)

    async def test_where_nobody_counted_they_are_estimated_and_said_to_be(self):
        client = MeteredChatModel(Engine(), "smollm2", self.noted.append)
        asked = [ChatMessage("user", "Are you open today?")]
        [piece async for piece in client.reply(asked)]
        assert self.tokens() == (19 // 4 + 2, 2, True)
        client = MeteredChatModel(Engine(TokensUsed(31, 7)), "smollm2", self.noted.append)
        pieces = client.reply(asked)
        await anext(pieces)
        await pieces.aclose()
        assert self.tokens() == (19 // 4 + 1, 1, True), "it was left before it told them"
        assert self.noted[-1].outcome == "cancelled"

    async def test_of_a_server_that_counts_its_answers_alone_the_prompt_is_estimated(self):
        client = MeteredChatModel(Engine(TokensUsed(None, 87)), "a Space", self.noted.append)
        [piece async for piece in client.reply([ChatMessage("user", "Are you open today?")])]
        assert self.tokens() == (19 // 4 + 87, 87, True)

    async def test_an_answer_in_one_piece_is_estimated_by_its_length(self):
        class Plain(Engine):
            async def reply(self, messages, **how):
                yield ChatDelta("From eight to six on weekdays, and from nine to one on Saturdays.")

        client = MeteredChatModel(Plain(), "a Space", self.noted.append)
        [piece async for piece in client.reply([ChatMessage("user", "hours")])]
        assert self.tokens() == (1 + 16, 16, True)

    async def test_seconds_and_characters_are_no_estimates(self):
        await MeteredSpeechToText(Engine(), "a Space", self.noted.append).transcribe(bytes(320), rate=8000)
        assert self.noted[-1].estimated is False

    async def test_a_model_that_was_asked_by_its_id_is_the_one_that_failed(self):
        client = MeteredTextToSpeech(Engine(), "piper-joe", self.noted.append)
        with pytest.raises(EngineError):
            await anext(client.speak("fail", rate=8000, model="styletts2"))
        assert self.last() == ("tts", "styletts2", 0, "failed")

    async def test_it_is_known_for_whom_a_request_was_made_also_in_tasks_that_were_started_for_them(self):
        client, call = MeteredSpeechToText(Engine(), "a Space", self.noted.append), uuid4()

        async def hear():
            await client.transcribe(bytes(160), rate=8000)

        with asking(call=call):
            on_a_call = asyncio.create_task(hear())
        with asking(key="key-1"):
            await hear()
        await on_a_call
        await hear()
        assert [entry.asker for entry in self.noted] == [Asker("key-1"), Asker(call=call), Asker()]
