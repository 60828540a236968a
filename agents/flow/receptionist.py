"""A conversation without a language model: facts and abilities found by sentence embedding.

It answers what it knows, asks back when two meanings are near, says so when it knows nothing, and never
makes an answer up. Its state changes before the words are spoken, so an interruption loses no step;
only a turn that comes again with more words, because nobody had heard its answer yet, is taken back.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from . import asides, phrases, understanding
from . import hours as opening_hours
from .hearing import is_complaint, is_courtesy, is_negated, is_refusal, ordinal, plain, yes_or_no
from .intents import Ability, Intent
from .knowledge import Fact, Profile
from .last_turn import LastTurn
from .matching import Candidate, Match, Meanings
from .message import MessageTaker
from .state import AnythingElse, Choosing, Offered, State
from .steps import Expectation, HangUp, KeepMessage, Say, Step, Transfer
from .understanding import CERTAIN, THRESHOLD, Understanding, noted

# What a language model must not be left to decide.
_EXACT_ABILITIES: tuple[Ability, ...] = ("message", "transfer", "goodbye", "wait")


class Receptionist:
    """What a `Conversation` of facts and abilities is made of; `directed.DirectedReceptionist` is one. `now`
    tells the time, for the opening hours."""

    def __init__(self, profile: Profile, *, meanings: Meanings, now: Callable[[], datetime]) -> None:
        self._profile = profile
        self._now = now
        self._understanding = Understanding(profile.facts, meanings)
        self._state = State()
        self._last_turn = LastTurn[State]()
        self._match_of_turn: Match | None = None

    @property
    def expects(self) -> Expectation:
        if self._state.taker:
            return self._state.taker.expects
        match self._state.open:
            case Offered() | AnythingElse() | Choosing(options=(_,)):
                return "yes_no"
        return "anything"

    @property
    def taking_message(self) -> bool:
        return self._state.taker is not None

    # ---- Conversation -----------------------------------------------------------------------

    async def greet(self) -> AsyncGenerator[Step, None]:
        self._set(said=self._profile.greeting)
        if self._profile.announcement:
            yield Say(self._profile.announcement, interruptible=False)
        yield Say(self._profile.greeting)
        self._understanding.prepare()

    async def farewell(self, reason: Literal["max_duration", "silence"]) -> AsyncGenerator[Step, None]:
        for message in self._keep_message():
            yield message
        yield Say(phrases.FAREWELLS[reason], interruptible=False)

    def heard(self, text: str, *, interrupted: bool) -> None:
        self._last_turn.unheard = interrupted and not text

    def ended(self, last_words: str = "") -> list[KeepMessage]:
        if self._is_answered(last_words):
            return self._keep_message()
        self._state = self._state_before(last_words)
        taker, verdict = self._state.taker, yes_or_no(last_words)
        if not taker or (is_courtesy(last_words) and not (verdict and taker.reads_back)):
            return self._keep_message()
        if taker.is_called_off(last_words):
            return []
        was_whole = taker.stage == "check"  # else nobody knows whether the last words were meant for it
        taker.take(last_words, verdict)
        return [replace(kept, complete=kept.complete and was_whole) for kept in self._keep_message()]

    # ---- what `Conversation` is made of, also for one that speaks freely ----------------------

    async def answer(self, words: str, *, only_exact: bool = False) -> list[Step]:
        """The steps of one turn. Raises EngineError, and then nothing has changed.

        With `only_exact`, no steps for words that a language model may answer as well.
        """
        before = self._state_before(words)
        self._last_turn.stands()
        self._match_of_turn = None
        try:
            steps = await (self._answer_exactly(words) if only_exact else self._answer(words))
        except BaseException:
            self._state = before
            raise
        self._last_turn.begins(words, before)
        return self._remember(steps)

    def likely_answers(self, words: str, most: int) -> list[str]:
        """Answers of the facts nearest to the words of this turn, nearest first; none if none is near."""
        near = self._match_of_turn.ranking if self._match_of_turn else ()
        facts = [each.target for each in near if isinstance(each.target, Fact) and each.score >= THRESHOLD]
        return [self._answer_of(fact, words) for fact in facts[:most]]

    def answer_keys(self, digits: str) -> list[Step]:
        self._last_turn.stands()  # keys once pressed are never taken back
        return self._remember(self._keyed(digits))

    def prompt(self, count: int) -> list[Step]:
        """What to say into a silence."""
        self._last_turn.stands()  # the turn before it was heard
        if count >= 3:
            return [*self._keep_message(), Say(phrases.SILENCE_END, interruptible=False), HangUp("silence")]
        if self._state.waiting:
            return [Say(phrases.STILL_HERE)]
        again = f"{phrases.ARE_YOU_THERE} " if count > 1 else ""
        return [Say(again + (self._state.question or phrases.LISTENING[count - 1]))]

    def offer_message(self) -> None:
        """The caller is being asked whether they want to leave a message."""
        self._set(open=Offered(""))

    def begin_message(self, about: str) -> list[Step]:
        """Ask for the first part of a message."""
        self._set(messages=self._state.messages + 1, open=None)
        self._set(taker=MessageTaker(about, ordinal=self._state.messages))
        return self._remember([Say(f"{phrases.WITH_PLEASURE} {self._state.question}")])

    def transfer(self) -> list[Step]:
        """To the agent's own number, never to one that was said."""
        if not self._profile.transfer_number:
            if self._state.taker:
                return [Say(f"{phrases.CANNOT_TRANSFER} {self._state.question}")]
            self._set(open=Offered(""))
            return [Say(f"{phrases.CANNOT_TRANSFER} {phrases.MESSAGE_INSTEAD}")]
        return [
            *self._keep_message(),
            Say(phrases.TRANSFER, interruptible=False),
            Transfer(self._profile.transfer_number),
        ]

    def goodbye(self) -> list[Step]:
        return [*self._keep_message(), Say(phrases.GOODBYE), HangUp()]

    # ---- state ------------------------------------------------------------------------------

    def _set(self, **changes: Any) -> None:
        self._state = replace(self._state, **changes)

    def _state_before(self, words: str) -> State:
        """A copy of the state in which this turn starts.

        A turn whose answer nobody heard comes again with more words behind: it is undone first.
        """
        if self._last_turn.comes_again(words):
            self._state = self._last_turn.taken_back()
        self._last_turn.unheard = False
        return replace(self._state, taker=copy.copy(self._state.taker))

    def _is_answered(self, words: str) -> bool:
        """Whether an answer that nobody heard was to these words, but for courtesies behind them."""
        return self._last_turn.comes_again(words) and is_courtesy(self._last_turn.behind(words))

    def _remember(self, steps: list[Step]) -> list[Step]:
        if said := " ".join(step.text for step in steps if isinstance(step, Say)):
            self._set(said=said)
        return steps

    # ---- one turn ---------------------------------------------------------------------------

    async def _answer(self, words: str) -> list[Step]:
        if not plain(words):
            return [Say(phrases.NOT_CAUGHT)]
        self._set(waiting=False)
        if self._state.taker:
            return await self._while_taking(self._state.taker, words)
        asked = self._state.open
        self._set(open=None)
        match asked:
            case Offered():
                return await self._to_offer(asked, words)
            case Choosing():
                return await self._to_choice(asked, words)
            case AnythingElse():
                return await self._to_anything_else(words)
        return await self._freely(words)

    async def _answer_exactly(self, words: str) -> list[Step]:
        if self._state.taker or not plain(words):
            return await self._answer(words)
        verdict = yes_or_no(words)
        if self._state.open and verdict and is_courtesy(verdict.rest):
            return await self._answer(words)
        self._set(open=None, waiting=False)
        match = await self._match(words)
        if match is None or not understanding.is_plain(match, words):
            return []
        target = match.best.target
        exact = target.name in _EXACT_ABILITIES if isinstance(target, Intent) else target.urgent
        return [noted(match), *self._act(match.best, words)] if exact else []

    async def _freely(self, words: str) -> list[Step]:
        verdict = yes_or_no(words)
        if not self._understanding.knows_exactly(words) and verdict and not verdict.rest:
            return self._anything_else("")
        match = await self._match(words)
        return await self._both_answers(match, words) or self._decide(match, words)

    async def _both_answers(self, match: Match | None, words: str) -> list[Step]:
        """The answers to two questions in one sentence; nothing if it asks one thing."""
        questions = await self._understanding.two_questions(match, words)
        if not questions:
            return []
        (first, fact), (last, _) = questions
        return [noted(first), Say(self._answer_of(fact, words)), noted(last), *self._act(last.best, words)]

    async def _match(self, words: str) -> Match | None:
        self._match_of_turn = await self._understanding.match(words, about_hours=self._state.about_hours)
        return self._match_of_turn

    def _decide(self, match: Match | None, words: str) -> list[Step]:
        if match is None or not understanding.is_known(match):
            return [*([noted(match)] if match else []), *self._unknown(words)]
        if understanding.has_consequences(match.best) and is_refusal(words):
            return [noted(match), *self._anything_else(phrases.ALL_RIGHT)]
        if options := understanding.to_ask_back(match):
            return [noted(match), *self._ask_back(options, words)]
        return [noted(match), *self._act(match.best, words)]

    async def _to_offer(self, offered: Offered, words: str) -> list[Step]:
        verdict = yes_or_no(words)
        rest = verdict.rest if verdict else words
        match = await self._match(rest) if rest else None
        if verdict is None or (
            match and understanding.is_clear(match) and understanding.needs_no_message(match.best)
        ):
            return self._decide(match, rest)  # "right, and where do I park?"
        if verdict.yes:
            return self.begin_message(offered.about)
        return self._decide(match, rest) if len(rest.split()) > 2 else self._anything_else(phrases.ALL_RIGHT)

    async def _to_choice(self, choosing: Choosing, words: str) -> list[Step]:
        verdict, said, options = yes_or_no(words), plain(words).split(), choosing.options
        chosen_by_place = ordinal(words)
        if chosen_by_place is not None and len(options) == 2:
            return self._act(Candidate(options[chosen_by_place], 1.0), choosing.words)
        if said[0] in ("neither", "none") or (verdict and not verdict.yes and not verdict.rest):
            denied = len(options) == 1 and isinstance(options[0], Intent)  # it was told not to do it
            return self._anything_else(phrases.ALL_RIGHT) if denied else self._unknown(choosing.words)
        if verdict and verdict.yes and len(options) == 1:
            return self._act(Candidate(options[0], 1.0), choosing.words)
        if verdict and not verdict.rest:
            self._set(open=choosing)
            return [Say(phrases.which(options))]
        refused = is_negated(words)
        if verdict and verdict.rest and not refused:
            words = verdict.rest
        match = await self._match(words)
        chosen = match.nearest(options) if match else None
        if refused and chosen and isinstance(chosen.target, Intent):
            return self._anything_else(phrases.ALL_RIGHT)
        if not match or not chosen or chosen.score < THRESHOLD or match.best.score >= CERTAIN:
            return self._decide(match, words)
        return [noted(match.led_by(chosen)), *self._act(Candidate(chosen.target, 1.0), choosing.words)]

    async def _to_anything_else(self, words: str) -> list[Step]:
        verdict = yes_or_no(words)
        if is_complaint(words):
            return [Say(phrases.SMALL_TALK["misunderstood"])]
        if not self._understanding.knows_exactly(words) and verdict and not verdict.rest:
            return [Say(phrases.GO_AHEAD)] if verdict.yes else self.goodbye()
        rest = verdict.rest if verdict and verdict.rest else words
        match = await self._match(rest)
        if match and (understanding.is_thanks(match) or (verdict and understanding.declines(verdict, match))):
            return [noted(match), *self.goodbye()]
        return await self._both_answers(match, rest) or self._decide(match, rest)

    # ---- taking a message -------------------------------------------------------------------

    async def _while_taking(self, taker: MessageTaker, words: str) -> list[Step]:
        """The message goes on unless the words are clearly meant for something else."""
        if taker.is_called_off(words):
            self._set(taker=None)
            return self._anything_else(phrases.NO_MESSAGE)
        match = None if asides.is_no_aside(taker, words) else await self._match(words)
        if match and asides.is_aside_from(taker, match, words):
            return [noted(match), *self._aside(taker, match.best, words)]
        warning = self._warning(match, words) if match and taker.stage == "words" else []
        verdict = await self._understanding.verdict(words) if taker.reads_back else None
        return [*warning, *self._after_taking(taker, taker.take(words, verdict))]

    def _warning(self, match: Match, words: str) -> list[Step]:
        """Whatever is dictated is the message; somebody in danger is told what to do besides."""
        fact = match.best.target if understanding.is_urgent(match.best) else None
        return [noted(match), Say(self._answer_of(fact, words))] if isinstance(fact, Fact) else []

    def _after_taking(self, taker: MessageTaker, steps: list[Step]) -> list[Step]:
        if taker.stage != "done":
            return steps
        self._set(taker=None)
        return [*steps, *self._anything_else("")]

    def _aside(self, taker: MessageTaker, candidate: Candidate, words: str) -> list[Step]:
        """Answer something else, then ask again for what the message lacks."""
        target = candidate.target
        if isinstance(target, Fact):
            return [Say(self._answer_of(target, words)), Say(taker.question())]
        if target.name in ("transfer", "goodbye", "wait"):
            return self._able(target.name, candidate, words)
        if target.name in ("robot", "abilities"):
            return [*self._able(target.name, candidate, words), Say(taker.question())]
        return [Say(taker.question())]

    def _keep_message(self) -> list[KeepMessage]:
        """What was already said for a message is not lost when the call ends before it is whole."""
        taker = self._state.taker
        self._set(taker=None)
        message = taker.taken(complete=False) if taker else None
        return [message] if message else []

    def _keyed(self, digits: str) -> list[Step]:
        if taker := self._state.taker:
            steps = taker.key(digits)
            return self._after_taking(taker, steps) if steps else [Say(taker.question())]
        if isinstance(self._state.open, Offered) and digits in ("1", "2"):
            return self.begin_message(self._state.open.about) if digits == "1" else self._anything_else("")
        if digits == "0":
            return self.transfer()
        return [Say(phrases.KEY_MEANS_NOTHING)]

    # ---- facts and abilities ----------------------------------------------------------------

    def _act(self, candidate: Candidate, words: str) -> list[Step]:
        target = candidate.target
        self._set(unknown=0, about_hours=isinstance(target, Fact) and target.hours is not None)
        if isinstance(target, Intent):
            return self._able(target.name, candidate, words)
        steps: list[Step] = [Say(self._answer_of(target, words))]
        if target.follow_up == "message":
            self._set(open=Offered(words.strip()))
            steps.append(Say(phrases.SHALL_I_TAKE_A_MESSAGE))
        return steps

    def _answer_of(self, fact: Fact, words: str) -> str:
        return opening_hours.answer_of(fact, words, self._now())

    def _able(self, ability: Ability, candidate: Candidate, words: str) -> list[Step]:
        match ability:
            case "goodbye":
                return self.goodbye() if understanding.is_meant(candidate, words) else self._anything_else("")
            case "transfer" | "message" if not understanding.is_meant(candidate, words):
                return self._ask_back((candidate.target,), words)
            case "transfer":
                return self.transfer()
            case "message":
                return self.begin_message("")
            case "thanks":
                return self._anything_else(phrases.WELCOME)
            case "repeat":
                return [Say(self._state.said or self._profile.greeting)]
            case "wait":
                self._set(waiting=True)
                return [Say(phrases.TAKE_YOUR_TIME)]
            case "abilities":
                topics = [fact.topic for fact in self._profile.facts]
                return [Say(phrases.abilities(topics, self._profile.can_transfer))]
            case "misunderstood" | "robot" | "hello" | "how_are_you":
                return [Say(phrases.SMALL_TALK[ability])]

    # ---- asking back ------------------------------------------------------------------------

    def _ask_back(self, options: tuple[Fact | Intent, ...], words: str) -> list[Step]:
        self._set(open=Choosing(options, words))
        return [Say(phrases.which(options))]

    def _unknown(self, words: str) -> list[Step]:
        """Say so, and offer what can be offered."""
        said = phrases.unknown_again(self._profile.can_transfer) if self._state.unknown else phrases.UNKNOWN
        self._set(open=Offered(words.strip()), unknown=self._state.unknown + 1, about_hours=False)
        return [Say(said), Say(phrases.SHALL_I_TAKE_A_MESSAGE)]

    def _anything_else(self, before: str) -> list[Step]:
        self._set(open=AnythingElse())
        return [Say(f"{before} {phrases.ANYTHING_ELSE}".strip())]
