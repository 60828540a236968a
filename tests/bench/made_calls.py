"""Calls by the hundred thousand, made up and plausible, in the order of their time."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from telephony.models import Call
from tests.bench.words import AGENT, CALLER, often, sentences

DAYS = 365
WEEK = (1.0, 1.0, 0.95, 1.0, 0.9, 0.4, 0.2)
HOURS = (1, 1, 1, 1, 1, 2, 4, 10, 30, 40, 42, 38, 28, 30, 36, 38, 34, 26, 14, 8, 6, 4, 2, 1)
# (end reason, status, how often, whether anybody answered)
ENDS = (
    ("caller_hung_up", "completed", 56, True),
    ("agent_hung_up", "completed", 24, True),
    ("transferred", "completed", 8, True),
    ("silence", "completed", 3, True),
    ("engine_failure", "completed", 2, True),
    ("line_lost", "completed", 1, True),
    ("operator_hung_up", "completed", 1, True),
    ("never_connected", "no-answer", 5, False),
)
LONG_SHARE, MESSAGE_SHARE = 0.11, 0.04
SLOW_SHARE = 0.03
MESSAGE_COLUMNS = (
    *("call_id", "ordinal", "at", "name", "number", "number_confirmed", "words", "complete", "confirmed"),
    *("done_at", "done_by"),
)
DONE_SHARE = 0.9  # of messages
FEW_EVENTS = ("caller_said", "call_ended")  # all that a call without its twenty events has
FACTS = ("Opening hours", "Parking", "Prices", "Appointments", "not known", "transfer")


@dataclass
class MadeCall:
    """`events` are (seq, kind, moment, seconds, payload); `turns` milliseconds; `messages` rows of
    MESSAGE_COLUMNS."""

    fields: dict[str, Any]
    events: list[tuple[int, str, datetime, float, str]] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    messages: list[tuple[Any, ...]] = field(default_factory=list)


class Maker:
    """The same calls for the same seed, agents and moment. `few`: one turn and two events a call."""

    def __init__(
        self, *, agents: list[Any], numbers: list[int], now: datetime, seed: int = 7, few: bool = False
    ) -> None:
        self._dice, self._few = random.Random(seed), few
        self._agents, self._numbers, self._now = agents, numbers, now
        self._asked = [json.dumps(text) for text in sentences(CALLER, 20_000, seed)]
        self._told = [json.dumps(text) for text in sentences(AGENT, 3_000, seed)]
        self._callers = [f"+1{self._dice.randrange(2_000_000_000, 9_999_999_999)}" for _ in range(30_000)]
        self._cards = {agent.pk: _card(agent) for agent in agents}

    def calls(self, count: int) -> Iterator[MadeCall]:
        for moment in self._moments(count):
            yield self._call(moment)

    def _moments(self, count: int) -> Iterator[datetime]:
        """A year of them up to now, more of them lately; busy on weekdays by day."""
        midnight = self._now.replace(hour=0, minute=0, second=0, microsecond=0)
        days = [midnight - timedelta(days=back) for back in reversed(range(DAYS))]
        weights = [WEEK[day.weekday()] * (1 + number / DAYS) for number, day in enumerate(days)]
        weights[-1] *= max(0.05, sum(HOURS[: self._now.hour]) / sum(HOURS))
        left, weight_left = count, sum(weights)
        for day, weight in zip(days, weights, strict=True):
            todays = round(left * weight / weight_left)
            left, weight_left = left - todays, weight_left - weight
            latest = (self._now - day).total_seconds() - 600 if day == midnight else 86_400.0
            hours = self._dice.choices(range(24), HOURS, k=todays)
            seconds = (hour * 3600 + self._dice.random() * 3600 for hour in hours)
            yield from (day + timedelta(seconds=second % max(latest, 60.0)) for second in sorted(seconds))

    def _call(self, moment: datetime) -> MadeCall:
        dice = self._dice
        reason, status, answered = self._end()
        agent = self._agents[often(dice, len(self._agents))]
        call_id = str(UUID(int=dice.getrandbits(128), version=4))
        made = MadeCall(
            {
                "id": call_id,
                "agent_id": agent.pk,
                "phone_number_id": dice.choice(self._numbers),
                "line": "twilio",
                "direction": "inbound",
                "status": status,
                "caller": self._callers[often(dice, len(self._callers))],
                "callee": "+14155550100",
                "provider_call_id": f"CA{call_id.replace('-', '')}",
                "created_at": moment,
                "end_reason": reason,
            }
        )
        self._happen(made, moment, reason, answered)
        card = self._cards[agent.pk].replace("@id", call_id)
        made.fields["card"] = card.replace('"@seq"', str(len(made.events)))
        return made

    def _end(self) -> tuple[str, str, bool]:
        [(reason, status, _, answered)] = self._dice.choices(ENDS, [end[2] for end in ENDS])
        return reason, status, answered

    def _happen(self, made: MadeCall, moment: datetime, reason: str, answered: bool) -> None:
        dice, seconds = self._dice, 0.0

        def note(kind: str, payload: str, later: float) -> None:
            nonlocal seconds
            seconds = round(seconds + later, 3)
            if self._few and kind not in FEW_EVENTS:
                return
            at = moment + timedelta(seconds=seconds)
            made.events.append((len(made.events) + 1, kind, at, seconds, payload))

        note("call_ringing", "{}", 0.0)
        if answered:
            note("call_answered", '{"line": "twilio"}', 1.2)
            note("agent_said", '{"turn": 0, "text": "Hello, how can I help you?", "sentence": 0}', 0.3)
            heard = '{"turn": 0, "text": "Hello, how can I help you?", "interrupted": false}'
            note("agent_heard", heard, 1.9)
            for turn in range(1, 2 if self._few else 6 if dice.random() < LONG_SHARE else 4):
                self._turn(note, made, turn)
        if reason == "engine_failure":
            note(
                "engine_failed",
                '{"engine": "tts", "error": "The voice timed out.", "remedy": "gave_up"}',
                2.0,
            )
        elif answered and not self._few and dice.random() < MESSAGE_SHARE:
            words = self._asked[often(dice, len(self._asked))]
            left = '"number": "4155550132", "number_confirmed": true, "complete": true, "ordinal": 1'
            note("message_taken", f'{{"name": "David Brown", "words": {words}, {left}}}', 3.0)
            at = made.events[-1][2]
            done = (at + timedelta(hours=2), "alice") if dice.random() < DONE_SHARE else (None, "")
            told = ("David Brown", "4155550132", True, json.loads(words), True, True)
            made.messages.append((made.fields["id"], 1, at, *told, *done))
        lasted = round(seconds - 1.2, 3) if answered else 0.0
        note("call_ended", f'{{"reason": "{reason}", "duration_seconds": {lasted}}}', 0.5)
        self._sum_up(made, moment, seconds, lasted, answered)

    def _turn(self, note: Any, made: MadeCall, turn: int) -> None:
        dice = self._dice
        asked, told = self._asked[often(dice, len(self._asked))], self._told[often(dice, len(self._told))]
        slow = dice.random() < SLOW_SHARE
        ms = round(dice.uniform(2000, 4500) if slow else min(1990.0, dice.lognormvariate(6.7, 0.28)))
        made.turns.append(ms)
        note("caller_started_speaking", '{"over_agent": false}', dice.uniform(0.5, 3.0))
        said = '"start_seconds": 3.1, "end_seconds": 5.4, "confidence": 0.93, "language": "en"'
        note("caller_said", f'{{"turn": {turn}, "text": {asked}, {said}}}', 2.5)
        fact = FACTS[often(dice, len(FACTS))]
        note("step_noted", f'{{"note": "intent", "name": "{fact}", "data": {{"score": 0.71}}}}', 0.1)
        note("agent_said", f'{{"turn": {turn}, "text": {told}, "sentence": 0}}', ms / 1000)
        parts = f'"endpointing_seconds": {ms / 2000:.3f}, "words_seconds": 0.05, "text_seconds": 0.01'
        whole = f'"turn": {turn}, "voice_to_voice_seconds": {ms / 1000}'
        note("turn_measured", f'{{{whole}, {parts}, "audio_seconds": {ms / 2000 - 0.06:.3f}}}', 0.0)

    def _sum_up(
        self, made: MadeCall, moment: datetime, seconds: float, lasted: float, answered: bool
    ) -> None:
        turns = sorted(made.turns)
        made.fields |= {
            "answered_at": moment + timedelta(seconds=1.2) if answered else None,
            "ended_at": moment + timedelta(seconds=seconds),
            "duration_seconds": lasted,
            "turns": len(turns),
            "slow_turns": sum(ms >= 2000 for ms in turns),
            "response_ms": turns[len(turns) // 2] if turns else None,
            "last_seq": len(made.events),
        }


def _card(agent: Any) -> str:
    """A call's card as JSON, with @id and "@seq" where those belong."""
    call = Call(agent=agent, line="twilio", direction="inbound", status="completed", caller="+14155550112")
    card = call.blank_card().as_json() | {
        "state": "ended",
        "words": "Goodbye.",
        "who": "agent",
        "seq": "@seq",
    }
    card |= {"id": "@id", "url": "/calls/@id/", "started": datetime(2026, 1, 1, tzinfo=UTC).timestamp()}
    return json.dumps(card)
