"""When the caller's turn begins, pauses, goes on and ends. Pure: probabilities in, decisions out.

The clock is the caller's own sound: each window of voice activity moves it on by `WINDOW_SECONDS`.
A pause is first a chance to begin transcribing (`Paused`); only a longer one ends the turn
(`TurnEnded`). How much longer is a matter of `patience`: what was said so far, how it sounded and
what the agent had asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agents.flow.steps import Expectation
from mlservices.interfaces import WINDOW_SECONDS


@dataclass(frozen=True, slots=True)
class TurnPolicy:
    """All times in seconds; probabilities 0..1."""

    speech_probability: float = 0.5
    silence_probability: float = 0.35
    onset_seconds: float = 0.096  # voice before a turn begins
    interrupt_seconds: float = 0.16  # voice before the agent, who is speaking, is stopped
    draft_seconds: float = 0.16  # pause before transcription begins
    complete_pause_seconds: float = 0.30  # pause that ends a turn which sounds and reads finished
    pause_seconds: float = 0.55  # pause that ends a turn of which nothing is known
    incomplete_pause_seconds: float = 1.2  # pause granted to somebody who is searching for words
    dictation_pause_seconds: float = 1.8  # pause between the groups of a number
    longest_turn_seconds: float = 60.0

    @classmethod
    def for_eagerness(cls, eagerness: float) -> TurnPolicy:
        """Eagerness 0 doubles the pauses that end a turn, 0.5 leaves them, 1 takes a third off."""
        patience = 2.0 - 2.0 * eagerness if eagerness < 0.5 else 1.0 - (eagerness - 0.5) * 2 / 3
        default = cls()
        return cls(
            complete_pause_seconds=default.complete_pause_seconds * patience,
            pause_seconds=default.pause_seconds * patience,
            incomplete_pause_seconds=default.incomplete_pause_seconds * patience,
            dictation_pause_seconds=default.dictation_pause_seconds * patience,
        )


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    start_seconds: float


@dataclass(frozen=True, slots=True)
class Paused:
    """The caller may be done: transcribe from the turn's start to here."""

    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Resumed:
    """The caller was not done: the transcription begun at the pause is void."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    start_seconds: float
    end_seconds: float  # the last window with voice in it, not the moment of the decision


Decision = SpeechStarted | Paused | Resumed | TurnEnded


class Endpointer:
    """Follows one caller's voice, window by window."""

    RESUME_SECONDS = 2 * WINDOW_SECONDS  # one window of voice in a pause may be a click

    def __init__(self, policy: TurnPolicy) -> None:
        self.policy = policy
        self.now = 0.0
        self._start: float | None = None  # of the turn in progress
        self._end = 0.0  # of the last voice in it
        self._voice_seconds = 0.0  # unbroken voice up to now
        self._drafted = False
        self._patience = policy.pause_seconds

    @property
    def in_turn(self) -> bool:
        return self._start is not None

    def be_patient(self, seconds: float) -> None:
        """Set the pause that ends the turn in progress, once more is known about it."""
        self._patience = seconds

    def window(self, probability: float, *, agent_speaking: bool) -> Decision | None:
        self.now += WINDOW_SECONDS
        policy = self.policy
        threshold = policy.silence_probability if self._voice_seconds else policy.speech_probability
        self._voice_seconds = self._voice_seconds + WINDOW_SECONDS if probability >= threshold else 0.0
        if self._start is None:
            return self._outside_turn(agent_speaking)
        return self._voice() if self._voice_seconds else self._silence()

    def _outside_turn(self, agent_speaking: bool) -> Decision | None:
        policy = self.policy
        needed = policy.interrupt_seconds if agent_speaking else policy.onset_seconds
        # Half a window of tolerance keeps the sums of 0.032 from missing the mark by rounding.
        if self._voice_seconds < needed - WINDOW_SECONDS / 2:
            return None
        self._start = self.now - self._voice_seconds
        self._end = self.now
        self._drafted = False
        self._patience = policy.pause_seconds
        return SpeechStarted(self._start)

    def _voice(self) -> Decision | None:
        assert self._start is not None
        if self._drafted and self._voice_seconds < self.RESUME_SECONDS:
            return None
        self._end = self.now
        if self.now - self._start >= self.policy.longest_turn_seconds:
            return self._ended()
        if self._drafted:
            self._drafted = False
            self._patience = self.policy.pause_seconds
            return Resumed()
        return None

    def _silence(self) -> Decision | None:
        assert self._start is not None
        pause = self.now - self._end
        if not self._drafted and pause >= self.policy.draft_seconds - WINDOW_SECONDS / 2:
            self._drafted = True
            return Paused(self._start, self._end)
        if self._drafted and pause >= self._patience - WINDOW_SECONDS / 2:
            return self._ended()
        return None

    def _ended(self) -> TurnEnded:
        assert self._start is not None
        ended = TurnEnded(self._start, self._end)
        self._start = None
        self._voice_seconds = 0.0
        return ended


# Words after which nobody stops of their own will.
_UNFINISHED_TEXT = """
    a an and are as at because but for from i i'd i'm if in is it's its like my of on or our so that the
    then to uh um er was we'd we're were with your
"""
_BACKCHANNEL_TEXT = """
    mm mmm mhm hm hmm mm-hm mm-hmm mhmm uh-huh uhhuh uh huh ah aha oh yeah yep yes ok okay right sure
    alright cool got it i see go on all
"""
_UNFINISHED = frozenset(_UNFINISHED_TEXT.split())
_BACKCHANNELS = frozenset(_BACKCHANNEL_TEXT.split())
_LONGEST_BACKCHANNEL = 3  # words
_WORD = re.compile(r"[\w']+(?:-[\w']+)*")
_ENDS_ADDRESS = re.compile(r"(?:@|\bat\b).*(?:\.|\bdot) ?[a-z]{2,}\W*$", re.I)  # "... at example dot com"
_STAGE_DIRECTION = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|♪[^♪]*♪?")


# What Whisper, taught by captioned videos, hears in a cough or a breath.
_ARTEFACTS = frozenset({"you", "thanks for watching"})


def spoken_words(text: str) -> str:
    """The text without what a transcriber writes for noise: "(coughs)", "[BLANK_AUDIO]", "..."."""
    text = " ".join(_STAGE_DIRECTION.sub(" ", text).split())
    words = " ".join(_WORD.findall(text.lower()))
    return "" if not words or words in _ARTEFACTS else text


def is_backchannel(text: str) -> bool:
    """ "mm-hm", "yeah", "okay": said while listening, not to take the turn."""
    words = [word.lower() for word in _WORD.findall(text)]
    return 0 < len(words) <= _LONGEST_BACKCHANNEL and _BACKCHANNELS.issuperset(words)


def reads_complete(text: str) -> bool | None:
    """True or False where the wording tells, None where it does not."""
    words = [word.lower() for word in _WORD.findall(text)]
    if not words:
        return None
    if text.rstrip().endswith(("...", "…", ",", "-")) or words[-1] in _UNFINISHED:
        return False
    return True if text.rstrip().endswith((".", "?", "!")) else None


def patience(policy: TurnPolicy, *, text: str, completeness: float | None, expects: Expectation) -> float:
    """Seconds of pause that end a turn of which `text` has been heard so far.

    `completeness` is the turn judge's probability, None where no judge was asked or it failed; it is
    a hint that can shorten or lengthen a pause but never decides alone (it is right 7 times in 10).
    """
    if not text:
        return policy.pause_seconds
    if expects == "number":
        digits = sum(character.isdigit() for character in text)
        return policy.pause_seconds if digits >= 10 else policy.dictation_pause_seconds
    if expects == "spelling":
        return policy.pause_seconds if _ENDS_ADDRESS.search(text) else policy.dictation_pause_seconds
    if expects == "yes_no" and len(text.split()) <= 3:
        return policy.complete_pause_seconds
    complete = reads_complete(text)
    if complete is False:
        return policy.incomplete_pause_seconds
    if complete and (completeness is None or completeness >= 0.5):
        return policy.complete_pause_seconds
    if completeness is not None and completeness < 0.1 and not complete:
        return policy.incomplete_pause_seconds
    return policy.pause_seconds
