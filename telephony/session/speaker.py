"""The mouth of one call: sentences in, sound on the line, and the knowledge of what was heard.

All that the agent says between two turns of the caller is one *utterance*: its sound is kept until
the next begins, so that it can be cut at any moment (`pause`) and go on from there (`resume`) when the
interruption turns out to be a cough. What was heard is told by the line's marks and, between them, by
the clock: sound plays as long as it lasts.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import aclosing

from mlservices.audio import without_leading_silence
from mlservices.errors import EngineError, EngineTimeout
from mlservices.interfaces import TextToSpeech
from mlservices.text import first_clause, sentences, speakable
from mlservices.types import SpeechChunk, Timing
from telephony.media import MediaLine

from .utterance import Sentence, Utterance

FIRST_SOUND_TIMEOUT_SECONDS = 2.5
NEXT_SOUND_TIMEOUT_SECONDS = 2.5
# Sound made ahead of the caller's ear: enough to bridge a slow sentence, not so much that a long
# answer, which may be interrupted, keeps the engine from other calls.
LOOKAHEAD_SECONDS = 4.0
# A mark that stays away this long after its sound must have been played is not waited for.
MARK_GRACE_SECONDS = 2.0
# Going on after a false alarm starts a little before the cut, as a person would.
BACKTRACK_SECONDS = 0.25
CLOCK_BLUR_SECONDS = 0.05  # by which the clock may be behind a mark
_LOOK_SECONDS = 0.02
_WORD = re.compile(r"\w")


class Speaker:
    """`on_sentence(text, index, engine, degraded)` is called when the sound of a sentence begins to go to
    the line, `on_retry(error)` when an engine's failure is answered by a second try."""

    def __init__(
        self,
        *,
        line: MediaLine,
        tts: TextToSpeech,
        voice: str,
        language: str,
        speed: float,
        on_sentence: Callable[[str, int, str, bool], None],
        on_retry: Callable[[EngineError], None],
    ) -> None:
        self.rate = line.rate  # Hz, of the sound that it sends
        self._line = line
        self._tts = tts
        self._voice = voice
        self._language = language
        self.speed = speed
        self._on_sentence = on_sentence
        self._on_retry = on_retry
        self._bytes_per_second = 2 * line.rate
        self._blur_bytes = int(CLOCK_BLUR_SECONDS * self._bytes_per_second)
        self._utterance = Utterance(self._bytes_per_second)
        self._line_delay = 0.0  # seconds from sending to playing, learnt from marks
        self._marks: dict[str, float] = {}  # outstanding: name -> when its sound must have played
        self._marks_sent = 0
        self._quiet_since = 0.0
        self._changed = asyncio.Event()
        self._unpaused = asyncio.Event()
        self._unpaused.set()

    # ---- what is going on -------------------------------------------------------------------

    @property
    def speaking(self) -> bool:
        """Sound is on its way to the caller's ear."""
        return bool(self._marks) or self._now() < self._utterance.plays_until

    @property
    def paused(self) -> bool:
        return not self._unpaused.is_set()

    @property
    def interruptible(self) -> bool:
        """Nothing that must be heard to its end still is to be."""
        return self._utterance.owes_nothing(self._heard_bytes() + self._blur_bytes)

    @property
    def quiet_since(self) -> float:
        """Loop time from which on the caller has heard nothing, in the future while sound is played."""
        return max(self._quiet_since, self._utterance.plays_until)

    @property
    def between_sentences(self) -> bool:
        return self._utterance.between_sentences

    @property
    def first_sound_at(self) -> float | None:
        """Loop time at which the first sound made for the utterance is played by a line without delay;
        recorded prompts do not count, but it waits for their end."""
        return self._utterance.first_sound_at

    @property
    def tts_timing(self) -> Timing:
        """Of the utterance's first sentence."""
        first = self._utterance.first
        return first.timing if first else Timing()

    @property
    def tts_engine(self) -> tuple[str, bool]:
        """Who made that sentence, and whether it was not the first choice."""
        first = self._utterance.first
        return (first.engine, first.degraded) if first else ("", False)

    @property
    def line_delay_seconds(self) -> float | None:
        """From sending to playing; None where the line does not tell."""
        return self._line_delay if self._line.tells_played else None

    def heard_text(self, *, recorded: bool = True) -> str:
        """What of the utterance has reached the caller, to the word as well as the clock can tell; with
        `recorded` false only what was made for it."""
        return self._utterance.text_within(self._heard_bytes(), recorded=recorded)

    # ---- speaking ---------------------------------------------------------------------------

    def begin(self) -> None:
        """A new utterance; the sound of the last one is forgotten."""
        self._utterance = Utterance(self._bytes_per_second)
        self._marks.clear()
        self._quiet_since = self._now()
        self._unpaused.set()

    async def say(self, text: str, *, interruptible: bool = True) -> None:
        """Make and send the sound of `text`; returns once it is sent, not yet heard.

        Raises EngineError, of the service "tts", when the engine failed twice.
        """
        entries = [Sentence(piece) for piece in self._pieces(text)]
        if not interruptible:
            self._utterance.owed += entries
        for entry in entries:
            await self._until_near_the_end()
            await self._say_sentence(entry)

    def _pieces(self, text: str) -> list[str]:
        """What is spoken one after the other; nothing of what holds no word, as an emoji."""
        first, *others = sentences(text) or [""]
        clauses = first_clause(first) if not self._utterance.sound else (first, "")
        pieces = (*clauses, *others)
        return [piece for piece in pieces if _WORD.search(speakable(piece, self._language))]

    def play(self, text: str, pcm: bytes) -> None:
        """Send sound that was recorded beforehand."""
        utterance = self._utterance
        start = len(utterance.sound)
        utterance.sentences.append(Sentence(text, recorded=True, start=start, end=start + len(pcm)))
        utterance.sound += pcm
        if not self.paused:
            self._send_made()
            self._mark()

    def press(self, digits: str) -> bool:
        return self._line.press(digits)

    async def unpaused(self) -> None:
        await self._unpaused.wait()

    async def drained(self) -> None:
        """Wait until all that was said has been heard; while paused that does not come true."""
        while True:
            await self._unpaused.wait()
            if not self.speaking and self._utterance.sent == len(self._utterance.sound):
                return
            last = self._utterance.plays_until
            if self._marks:
                last += self._line_delay + MARK_GRACE_SECONDS
            try:
                async with asyncio.timeout_at(last):
                    await self._wait_for_change()
            except TimeoutError:
                self._marks.clear()  # the line lost them; the clock says that all was played

    def pause(self) -> None:
        """Fall silent at once; sound that is still being made is kept back."""
        if self.paused:
            return
        utterance = self._utterance
        utterance.sent = self._heard_bytes()
        utterance.plays_until = self._now()
        self._unpaused.clear()
        self._marks.clear()
        self._line.clear()
        self._notify()

    def resume(self) -> None:
        """Go on from where `pause` cut, a touch earlier."""
        if not self.paused:
            return
        utterance = self._utterance
        back = int(BACKTRACK_SECONDS * self._bytes_per_second) // 2 * 2
        utterance.sent = max(0, utterance.sent - back)
        self._quiet_since = self._now()
        self._unpaused.set()
        self._send_made()
        if utterance.sound:
            self._mark()
        self._notify()

    async def sentence_over(self) -> bool:
        """Wait until the sentence that is being heard has been heard to its end, or is cut; whether others
        have been made behind it."""
        made = self._utterance.sentences
        at = self._utterance.sentence_at(self._heard_bytes())
        while at is not None and self.speaking and not self.paused:
            current = made[at]
            if current.end is None or self._heard_bytes() < current.end:
                await asyncio.sleep(_LOOK_SECONDS)
            elif current.is_finished or at + 1 == len(made):
                break
            else:
                at += 1  # that was a clause
        return not self.paused and self._heard_bytes() < len(self._utterance.sound)

    def mark_played(self, name: str) -> bool:
        """False for a mark of sound that was cleared; it tells nothing."""
        due = self._marks.pop(name, None)
        if due is None:
            return False
        self._line_delay = min(max(self._now() - due, 0.0), 1.0)
        self._notify()
        return True

    # ---- inside -----------------------------------------------------------------------------

    async def _say_sentence(self, entry: Sentence) -> None:
        try:
            try:
                await self._make(entry)
            except EngineError as error:
                if error.permanent:
                    raise
                self._on_retry(error)
                await self._make(entry)
        finally:
            if entry.start >= 0:
                entry.end = len(self._utterance.sound)
                if not self.paused:
                    self._mark()

    async def _make(self, entry: Sentence) -> None:
        """The sound of one sentence; on a second try what was made before is not sent again."""
        if entry.start < 0:
            entry.trimmed = 0
        skip = entry.trimmed + len(self._utterance.sound) - entry.start if entry.start >= 0 else 0
        timeout = FIRST_SOUND_TIMEOUT_SECONDS
        stream = self._tts.speak(
            speakable(entry.text, self._language), rate=self._line.rate, voice=self._voice, speed=self.speed
        )
        try:
            async with aclosing(stream):
                while True:
                    async with asyncio.timeout(timeout):
                        chunk = await anext(stream, None)
                    if chunk is None:
                        break
                    timeout = NEXT_SOUND_TIMEOUT_SECONDS
                    fresh, skip = chunk.pcm[skip:], max(0, skip - len(chunk.pcm))
                    if fresh:
                        self._sound_made(entry, fresh, chunk)
        except TimeoutError:
            raise EngineTimeout("The voice took too long.", service="tts") from None
        except EngineError as error:
            error.service = "tts"
            raise
        if entry.start < 0:
            raise EngineError("The voice made no sound.", service="tts")

    def _sound_made(self, entry: Sentence, pcm: bytes, chunk: SpeechChunk) -> None:
        utterance = self._utterance
        if not utterance.sound:
            made = len(pcm)
            pcm = without_leading_silence(pcm, self._line.rate)
            entry.trimmed += made - len(pcm)
        if entry.start < 0:
            entry.start, entry.timing = len(utterance.sound), chunk.timing
            entry.engine, entry.degraded = chunk.engine, chunk.degraded
            utterance.sentences.append(entry)
        utterance.sound += pcm
        if not self.paused:
            self._send_made()

    def _send_made(self) -> None:
        utterance = self._utterance
        pcm = bytes(memoryview(utterance.sound)[utterance.sent :])
        if not pcm:
            return
        # Behind what is still being played: when the byte at offset 0 would have begun to play.
        origin = max(self._now(), utterance.plays_until) - utterance.sent / self._bytes_per_second
        utterance.sent += len(pcm)
        utterance.plays_until = origin + utterance.sent / self._bytes_per_second
        self._line.send(pcm)
        for number, entry in enumerate(utterance.sentences):
            if not entry.told:
                self._tell(number, entry, origin + entry.start / self._bytes_per_second)
        self._notify()

    def _tell(self, number: int, entry: Sentence, plays_at: float) -> None:
        """The sentence's first sound has gone to the line."""
        entry.told = True
        if self._utterance.first_sound_at is None and not entry.recorded:
            self._utterance.first_sound_at, self._utterance.first = plays_at, entry
            self._mark()  # its return tells the line's delay
        self._on_sentence(entry.text, number, entry.engine, entry.degraded)

    def _mark(self) -> None:
        self._marks_sent += 1
        name = str(self._marks_sent)
        self._marks[name] = max(self._now(), self._utterance.plays_until)
        self._line.mark(name)

    async def _until_near_the_end(self) -> None:
        """Wait while more than the lookahead is still to be played (for ever while paused)."""
        while True:
            await self._unpaused.wait()
            ahead = self._utterance.plays_until - self._now() - LOOKAHEAD_SECONDS
            if ahead <= 0:
                return
            try:
                async with asyncio.timeout(ahead):
                    await self._wait_for_change()
            except TimeoutError:
                return

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()

    def _heard_bytes(self) -> int:
        utterance = self._utterance
        if not self.speaking:
            return utterance.sent
        unheard = utterance.plays_until + self._line_delay - self._now()
        heard = utterance.sent - int(max(0.0, unheard) * self._bytes_per_second)
        return max(0, heard) // 2 * 2

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
