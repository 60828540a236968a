"""Taking a message: a name, a number to call back on, what to pass on. The number is read back as it is
told, all of it at the end.

The taker knows only what callers say while it asks; whoever holds it decides whether the words were
meant for it at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from .corrections import (
    SHORTEST_NUMBER,
    Change,
    Told,
    change_in,
    change_of_name,
    corrects,
    is_nothing,
    names_another_number,
    objects,
)
from .hearing import (
    Verdict,
    before_number,
    dictated_digits,
    gist,
    is_courtesy,
    plain,
    spoken_digits,
    spoken_name,
    yes_or_no,
)
from .steps import Expectation, KeepMessage, Noted, Say, Step
from .wording import read_back

Stage = Literal["name", "number", "confirm", "words", "check", "done"]
_IN_ORDER: tuple[Stage, ...] = ("name", "number", "confirm", "words", "check", "done")

LONGEST_NUMBER = 15
ATTEMPTS = 3  # at one thing, before the message goes on without it
CHECKS = 2  # unclear answers to the whole message, before it is kept unconfirmed

_REFUSES = re.compile(
    r"\b(?:rather not|prefer not|(?:don't|do not) (?:want|wish|like) to|(?:don't|do not) have (?:a|one|any)"
    r"|no (?:name|number|phone)|skip (?:that|it|this))\b"
)

_CALLED_OFF = re.compile(
    r"(?:never ?mind|forget (?:it|the message|about it)|no message|cancel (?:that|the message)|don't bother)"
    r"(?: (?:then|that|it|the message|about (?:it|that)|anymore))*\b"
)

_EXPECTS: dict[Stage, Expectation] = {
    "name": "name",
    "number": "number",
    "confirm": "yes_no",
    "check": "yes_no",
}


@dataclass(frozen=True, slots=True)
class _State:
    name: str | None = None  # None is not asked yet, "" was asked in vain
    digits: str = ""
    number: str | None = None
    confirmed: bool | None = None  # False: the caller said neither yes nor no
    words: str | None = None
    checked: bool | None = None  # the whole of it; False: the caller did not say yes
    denied: bool = False  # the caller was asked what is wrong with it
    failures: int = 0  # at the present stage


class MessageTaker:
    """`about` is what the caller had asked for before; then the message needs no words of its own.
    `ordinal` counts the messages of one call."""

    def __init__(self, about: str = "", *, ordinal: int = 1) -> None:
        self._about = about
        self._ordinal = ordinal
        self._state = _State()

    @property
    def stage(self) -> Stage:
        state = self._state
        if state.name is None:
            return "name"
        if state.number is None:
            return "number"
        if state.number and state.confirmed is None:
            return "confirm"
        if state.words is None and not self._about:
            return "words"
        if self._words and state.checked is None:
            return "check"
        return "done"

    @property
    def expects(self) -> Expectation:
        return "anything" if self._state.denied else _EXPECTS.get(self.stage, "anything")

    @property
    def reads_back(self) -> bool:
        """Whether the caller is asked if something that was read back is right."""
        return self.stage in ("confirm", "check")

    @property
    def _words(self) -> str:
        return self._about if self._state.words is None else self._state.words

    @property
    def _told(self) -> Told:
        return Told(self._state.name or "", self._state.number or "", self._words)

    def question(self) -> str:
        """What is being asked for, to be said again after an aside."""
        state = self._state
        match self.stage:
            case "name":
                return "May I have your name, please?"
            case "number" if state.digits:
                return f"I have {read_back(state.digits)} so far. What comes next?"
            case "number":
                return "What number can we call you back on?"
            case "confirm":
                number = state.number or ""
                unusual = len(number) in (8, 9) and number.isdigit()
                count = f", which is {len(number)} digits" if unusual else ""
                return f"I have {read_back(number)}{count}. Is that right?"
            case "words":
                return "What would you like me to pass on?"
            case "check" if state.denied:
                return "What should I change?"
            case "check":
                whom = f" from {state.name}" if state.name else ""
                end = "" if self._words[-1:] in tuple(".!?") else "."
                return f"Here is your message{whom}: {self._words}{end} Is that right?"
            case "done":
                return ""

    def is_called_off(self, words: str) -> bool:
        """Whether the caller wants no message after all.

        More words behind it are a number, or the message itself: "cancel that appointment of mine".
        """
        text, verdict = gist(words), yes_or_no(words)
        if self.stage == "name" and verdict and not verdict.yes and is_courtesy(verdict.rest):
            return True
        if self.reads_back:
            text = text.removeprefix("no ")
        if self.stage in ("words", "check") or spoken_digits(words):
            return _CALLED_OFF.fullmatch(text) is not None
        return _CALLED_OFF.match(text) is not None

    def is_sure_of(self, words: str) -> bool:
        """Whether the words answer the question beyond doubt, whatever else they may resemble."""
        match self.stage:
            case "name":
                name = spoken_name(words)
                return bool(name and name.introduced) or len(spoken_digits(words)) >= SHORTEST_NUMBER
            case "number":
                return len(spoken_digits(words)) >= 3
            case "confirm" | "check":
                says_so = yes_or_no(words) is not None or len(spoken_digits(words)) >= 3
                return says_so or self._state.denied or corrects(words, self._told)
            case _:
                return False

    def may_be_answered_by(self, words: str) -> bool:
        """Whether the words make sense as an answer to the question, also where they do as something else."""
        return self.stage == "name" and spoken_name(words) is not None

    def take(self, words: str, verdict: Verdict | None) -> list[Step]:
        """The answer to words that were meant for the message; `verdict` is the yes or no in them."""
        match self.stage:
            case "name":
                return self._take_name(words)
            case "number":
                return self._take_number(words)
            case "confirm":
                return self._take_confirmation(words, verdict)
            case "check":
                return self._take_check(words, verdict)
            case _:
                return self._take_words(words)

    def key(self, digits: str) -> list[Step] | None:
        """The answer to keys: the number, or 1 for yes and 2 for no. None if they mean nothing here."""
        if self.reads_back and digits in ("1", "2"):
            return self.take("", Verdict(yes=digits == "1", rest=""))
        figures = "".join(digit for digit in digits.rpartition("*")[2] if digit.isdigit())
        if self.stage in ("words", "check") or (len(figures) < 3 and self.stage != "number"):
            return None
        if "*" in digits or self.stage == "confirm":
            self._set(digits="", number=None)
        return self._add_digits(figures) if figures else None

    def taken(self, *, complete: bool = True) -> KeepMessage | None:
        """The message as it stands; None if nothing was told of an incomplete one."""
        state = self._state
        number = state.number or state.digits
        if not complete and not (state.name or number or self._words):
            return None
        return KeepMessage(
            name=state.name or "",
            number=number,
            number_confirmed=bool(state.confirmed),
            words=self._words,
            complete=complete or self.stage in ("check", "done"),
            confirmed=bool(state.checked) or not self._words,
            ordinal=self._ordinal,
        )

    # ---- one stage each ---------------------------------------------------------------------

    def _take_name(self, words: str) -> list[Step]:
        if _REFUSES.search(plain(words)):
            self._set(name="")
            return self._next("That's fine.")
        if told := self._number_told_already(words):
            words = before_number(words)
        name = spoken_name(words)
        if name:
            self._set(name=name.name)
            return [_filled("name", name.name), *self._next(f"Thank you, {name.name}.")]
        if told:
            return [Say("Thank you. And may I have your name, please?")]
        if self._failed():
            self._set(name="")
            return self._next("Never mind the name.")
        return [Say("I'm sorry, I didn't get your name. Could you say just your name, or spell it?")]

    def _number_told_already(self, words: str) -> bool:
        """Whether a whole number came with the name, or in its place; it is kept, to be read back."""
        digits = dictated_digits(words)
        whole = SHORTEST_NUMBER <= len(digits.lstrip("+")) <= LONGEST_NUMBER
        if whole:
            self._set(number=digits, digits=digits)
        return whole

    def _take_number(self, words: str) -> list[Step]:
        digits = dictated_digits(words)
        if not digits and _REFUSES.search(plain(words)):
            self._set(number="")
            return self._next("That's fine.")
        if not digits and (corrected := self._corrected_name(words)):
            return corrected
        if not digits:
            return self._number_failed("I'm sorry, I didn't get the number.")
        return self._add_digits(digits)

    def _corrected_name(self, words: str) -> list[Step] | None:
        """ "No, it's Alex": the name that was just read back is put right."""
        verdict, name = yes_or_no(words), spoken_name(words)
        if verdict and not verdict.yes and name:
            self._set(name=name.name)
            return [_filled("name", name.name), *self._next(f"Sorry, {name.name}.")]
        if verdict and not verdict.yes and (not verdict.rest or "name" in verdict.rest.split()):
            self._set(name=None)
            return [Say("I'm sorry. What is your name, then?")]
        return None

    def _add_digits(self, digits: str) -> list[Step]:
        together = digits if digits.startswith("+") else self._state.digits + digits
        count = len(together.lstrip("+"))
        if count > LONGEST_NUMBER:
            self._set(digits="")
            return self._number_failed("I'm sorry, that was more digits than a telephone number has.")
        self._set(digits=together)
        if count < SHORTEST_NUMBER:
            return [Say(f"{read_back(together).capitalize()}. And the rest?")]
        self._set(number=together)
        return self._next("")

    def _number_failed(self, apology: str) -> list[Step]:
        if not self._failed():
            return [Say(f"{apology} Please say it digit by digit, or key it in on your telephone.")]
        self._set(digits="", number="")
        return self._next("I'm sorry, I can't make out the number. I'll leave it out.")

    def _take_confirmation(self, words: str, verdict: Verdict | None) -> list[Step]:
        digits = "" if names_another_number(words) else dictated_digits(words)
        number = self._state.number or ""
        if renamed := change_of_name(words, verdict, self._told):
            self._set(confirmed=True if verdict and verdict.yes else None)
            return self._change(renamed)
        agrees = verdict and verdict.yes and not objects(verdict.rest)
        if digits == number or (agrees and number.endswith(digits)):
            self._set(confirmed=True)
            return [_filled("number", number), *self._next("")]
        if len(digits.lstrip("+")) >= SHORTEST_NUMBER:
            return self._corrected_number(digits)
        if digits and (not verdict or verdict.yes):  # it went on after the pause that we took for its end
            self._set(number=None)
            return self._add_digits(digits)
        if verdict:
            self._set(digits="", number=None)
            return self._number_failed("Sorry about that. What is the number?")
        if not self._failed():
            return [Say(f"{self.question()} Please say yes or no.")]
        self._set(confirmed=False)
        return [_filled("number", self._state.number or ""), *self._next("I'll note that number, then.")]

    def _corrected_number(self, digits: str) -> list[Step]:
        """Another number than the one read back; read back in its turn, but not for ever."""
        given_up = self._failed()
        self._set(digits="", number=None)
        steps = self._add_digits(digits)
        if not given_up or self.stage != "confirm":
            return steps
        self._set(confirmed=False)
        return [_filled("number", digits), *self._next("I'll note that number, then.")]

    def _take_words(self, words: str) -> list[Step]:
        if not self._state.number and self._number_told_already(words):
            self._set(confirmed=None)  # it had been given up, and comes after all
            return [Say(self.question())]
        verdict = yes_or_no(words)
        if (
            verdict and not verdict.yes and is_courtesy(verdict.rest)
        ):  # "nothing, thanks": the number alone will do
            self._set(words="")
            return self._next("")
        if len(plain(words).split()) < 2 and yes_or_no(words) and not self._failed():
            return [Say(self.question())]
        self._set(words=words.strip())
        return [_filled("words", words.strip()), *self._next("")]

    # ---- the whole of it, read back -----------------------------------------------------------

    def _take_check(self, words: str, verdict: Verdict | None) -> list[Step]:
        asked = self._state.denied
        if change := change_in(words, verdict, self._told, asked=asked):
            return self._change(change)
        if (verdict and verdict.yes) or (asked and is_nothing(words)):
            self._set(checked=True, denied=False)
            return self._next("")
        if verdict:
            self._set(denied=True)
            return [Say(f"I'm sorry. {self.question()}")]
        if not self._failed(CHECKS):
            return [Say(f"{self.question()} Please say yes, or tell me what to change.")]
        self._set(checked=False, denied=False)
        return self._next("I'll pass it on as I heard it, then.")

    def _change(self, change: Change) -> list[Step]:
        """A part that is put right, or asked for again; all is read back once more."""
        value = change.value
        self._set(denied=False, failures=0)
        match change.part:
            case "number" if value:
                self._set(confirmed=None)
                return self._corrected_number(value)
            case "number":
                self._set(number=None, digits="", confirmed=None)
            case "name":
                self._set(name=value)
            case "words":
                self._about = ""
                self._set(words=value)
        if value is None:
            return [Say(f"I'm sorry. {self.question()}")]
        return [
            _filled(change.part, value),
            *self._next(f"Sorry, {value}." if change.part == "name" else "All right."),
        ]

    # ---- going on ---------------------------------------------------------------------------

    def _next(self, before: str) -> list[Step]:
        """The next question, or the end of the message."""
        if question := self.question():
            return [Say(f"{before} {question}".strip())]
        state = self._state
        whom = f", {state.name}" if state.name else ""
        what = "your message and your number" if state.number else "your message"
        message = self.taken()
        assert message
        return [message, Say(f"{before} Thank you{whom}. I've noted {what} for the team.".strip())]

    def _failed(self, attempts: int = ATTEMPTS) -> bool:
        """Count a failure; whether that was the last one allowed here."""
        failures = self._state.failures + 1
        self._state = replace(self._state, failures=failures)
        return failures >= attempts

    def _set(self, **changes: str | int | bool | None) -> None:
        before = self.stage
        self._state = replace(self._state, **changes)  # type: ignore[arg-type]
        if _IN_ORDER.index(self.stage) > _IN_ORDER.index(before) and self.stage != "confirm":
            self._state = replace(self._state, failures=0)


def _filled(name: str, value: str) -> Noted:
    return Noted("variable", name, {"value": value})
