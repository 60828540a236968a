"""One slot being filled, turn by turn: asked for, read, asked again, read back, put right."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from datetime import datetime

from ..corrections import objects
from ..hearing import Verdict, is_courtesy
from ..steps import Expectation, Say, Step
from . import phrases
from .agreement import agreement
from .courtesies import wants_it_again
from .kinds import Kind, Moment, Reading, Reason, Refusal, Slot, SoFar, Value
from .reading import corrected, read, read_keys

_EXPECTS: dict[Kind, Expectation] = {
    "digits": "number",
    "phone": "number",
    "name": "name",
    "email": "spelling",
    "yes_no": "yes_no",
}


@dataclass(frozen=True, slots=True)
class _State:
    asked: str = ""  # the question, where it is not the slot's own
    so_far: SoFar | None = None
    to_confirm: Value | None = None
    denied: Value | None = None  # it was read back, and was not right; the caller was asked for what is
    failures: int = 0
    done: Value | None = None
    failed: bool = False
    reason: Reason | None = None


class Gatherer:
    """Says nothing once it is `done` or `failed`; what comes then is for the flow to say. A copy goes on from
    the same point, so that a turn can be undone. `now` is on the caller's clock."""

    def __init__(self, slot: Slot, now: datetime) -> None:
        self._slot = slot
        self._now = now
        self._state = _State()

    def copy(self) -> Gatherer:
        return copy.copy(self)

    @property
    def done(self) -> Value | None:
        return self._state.done

    @property
    def failed(self) -> bool:
        return self._state.failed

    @property
    def reason(self) -> Reason | None:
        """Why the last try did not succeed; None if it did."""
        return self._state.reason

    @property
    def reads_back(self) -> bool:
        """Whether the caller is asked if something that was read back is right."""
        return self._state.to_confirm is not None

    @property
    def takes_any_words(self) -> bool:
        return self._slot.kind in ("name", "text") and not self.reads_back

    @property
    def takes_keys(self) -> bool:
        """Whether keys can answer it, or agree to what is read back."""
        return self.reads_back or self._slot.kind not in ("name", "text", "email")

    def is_agreed_by(self, words: str) -> bool:
        """Whether they say that what is read back is right."""
        verdict = agreement(words) if self.reads_back else None
        return verdict is not None and verdict.yes

    def is_answered_by(self, words: str) -> bool:
        """Whether the words can hardly be meant for anything else."""
        if self.reads_back:
            return agreement(words) is not None
        reading = read(self._slot, words, self._now, self._state.so_far)
        return isinstance(reading, Value) and reading.sure and not self.takes_any_words

    @property
    def expects(self) -> Expectation:
        if self.reads_back:
            return "yes_no"
        return _EXPECTS.get(self._slot.kind, "anything")

    def question(self) -> str:
        """What is being asked, to be said first, and again after an aside; "" at the end."""
        state = self._state
        if state.done or state.failed:
            return ""
        if state.to_confirm:
            return phrases.is_that_right(self._slot.kind, state.to_confirm.spoken)
        return state.asked or self._slot.prompt

    def take(self, words: str) -> list[Step]:
        """The answer to words that were meant for the slot."""
        if not self.question():
            return []
        if wants_it_again(words):
            return [Say(self.question())]
        if self.reads_back:
            return self._take_confirmation(words)
        state = self._state
        if state.denied and state.so_far is None:
            verdict = agreement(words)
            reading = corrected(self._slot, state.denied, words, verdict, self._now, asked=True)
            if reading is not None and not _is_same(reading, state.denied):
                return self._take(reading)
        return self._take(read(self._slot, words, self._now, state.so_far))

    def offer(self, words: str) -> None:
        """Words from before it was asked: the value, to be read back where it asks for that, or a part of
        it. What does not fit is as if it had not been said."""
        reading = read(self._slot, words, self._now)
        if isinstance(reading, Value):
            self._take_value(reading)
        elif isinstance(reading.so_far, Moment):
            self._take(reading)

    def key(self, digits: str) -> list[Step]:
        """The answer to an entry on the keys: the value, or 1 for yes and 2 for no; * asks again."""
        if not self.question():
            return []
        if digits.strip("#") == "*":
            return [Say(self.question())]
        entry = digits.partition("#")[0]
        if self.reads_back and entry in ("1", "2"):
            return self._agreed() if entry == "1" else self._denied()
        if value := self._state.to_confirm:
            reading = read_keys(self._slot, digits, self._now)
            if not isinstance(reading, Value):
                return self._unclear()
            return self._agreed() if _is_same(reading, value) else self._take_correction(reading)
        return self._take(read_keys(self._slot, digits, self._now, self._state.so_far))

    # ---- a reading --------------------------------------------------------------------------

    def _take(self, reading: Reading) -> list[Step]:
        if isinstance(reading, Value):
            return self._take_value(reading)
        if reading.so_far is not None and _amount(reading.so_far) > _amount(self._state.so_far):
            self._state = replace(
                self._state, asked=reading.hint, so_far=reading.so_far, reason=reading.reason
            )
            return [Say(reading.hint)]
        return self._take_refusal(reading)

    def _take_value(self, value: Value) -> list[Step]:
        confirm = self._slot.confirm
        doubtful = not value.sure or self._state.denied is not None
        self._state = replace(self._state, so_far=None, denied=None, reason=None, asked="")
        if confirm == "always" or (confirm == "unsure" and doubtful):
            self._state = replace(self._state, to_confirm=value)
            return [Say(self.question())]
        self._state = replace(self._state, done=value)
        return []

    def _take_refusal(self, refusal: Refusal) -> list[Step]:
        """Asked again, with what helps."""
        if self._fails(refusal.reason):
            return []
        if refusal.so_far is not None:  # a question of its own, that was not answered
            before = "" if refusal.so_far != self._state.so_far else f"{phrases.NOT_UNDERSTOOD} "
            self._state = replace(self._state, asked=refusal.hint, so_far=refusal.so_far)
            return [Say(f"{before}{refusal.hint}")]
        if self._state.so_far is not None and refusal.reason == "not_understood":
            return [Say(f"{refusal.hint} {self.question()}")]
        if refusal.hint.endswith("?"):  # "Do you mean ... or ...?"
            self._state = replace(self._state, asked=refusal.hint, so_far=None)
            return [Say(refusal.hint)]
        return [Say(self._again(refusal.hint))]

    def _again(self, hint: str) -> str:
        """The question once more, without anything known; in its own words if it has some for that."""
        advice = "" if hint.startswith("Please") else phrases.ADVICE.get(self._slot.kind, "")
        asked = self._slot.retry_prompt or f"{self._slot.prompt} {advice}".strip()
        self._state = replace(self._state, asked=asked, so_far=None)
        return f"{hint} {asked}"

    def _fails(self, reason: Reason, *, tries: int | None = None) -> bool:
        """Count a failure; whether that was the last one allowed."""
        failures = self._state.failures + 1
        failed = failures >= (self._slot.attempts if tries is None else tries)
        self._state = replace(self._state, failures=failures, failed=failed, reason=reason)
        return failed

    # ---- read back --------------------------------------------------------------------------

    def _take_confirmation(self, words: str) -> list[Step]:
        value = self._state.to_confirm
        assert value
        verdict = agreement(words)
        if verdict and verdict.yes and not objects(verdict.rest):
            return self._agreed()
        reading = None if _is_plain(verdict) else corrected(self._slot, value, words, verdict, self._now)
        if reading is None:
            return self._unclear() if verdict is None or verdict.yes else self._denied()
        if _is_same(reading, value):
            return self._denied() if verdict and not verdict.yes else self._agreed()
        return self._take_correction(reading)

    def _take_correction(self, reading: Reading) -> list[Step]:
        """Another value than the one read back; heard and read back once more than what merely failed."""
        denied = self._state.to_confirm
        goes_on = isinstance(reading, Value) or reading.so_far is not None
        if goes_on and self._fails("denied", tries=self._slot.attempts + 1):
            return []
        self._state = replace(self._state, to_confirm=None, denied=denied, so_far=None)
        return self._take(reading)

    def _agreed(self) -> list[Step]:
        self._state = replace(self._state, done=self._state.to_confirm, to_confirm=None, reason=None)
        return []

    def _denied(self) -> list[Step]:
        denied = self._state.to_confirm
        if self._fails("denied"):
            return []
        self._state = replace(self._state, to_confirm=None, denied=denied)
        return [Say(self._again(phrases.SORRY))]

    def _unclear(self) -> list[Step]:
        if self._fails("not_understood"):
            return []
        return [Say(f"{self.question()} {phrases.YES_OR_NO}")]


def _is_plain(verdict: Verdict | None) -> bool:
    """Whether it is a yes or no, and nothing else."""
    return verdict is not None and is_courtesy(verdict.rest)


def _is_same(reading: Reading, value: Value) -> bool:
    return isinstance(reading, Value) and reading.value == value.value


def _amount(so_far: SoFar | None) -> int:
    """How much is known; what grows is no failure, and cannot grow for ever."""
    if isinstance(so_far, Moment):
        known = (so_far.day is not None, so_far.hour is not None, so_far.settled, so_far.part != "")
        return 1 + sum(known)
    return len(so_far or "")
