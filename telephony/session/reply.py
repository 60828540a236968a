"""One reply of the agent: a task that takes the conversation's steps, speaks them and measures itself.

When an engine fails, what was recorded beforehand is played; the failed part is tried once more; then
the reply ends with an outcome that gives the call up. It never stays silent and never makes words up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import Literal

from agents.flow.steps import (
    ForgetWords,
    HangUp,
    KeepMessage,
    Manner,
    Noted,
    Pause,
    Say,
    SendDigits,
    Step,
    Transfer,
)
from mlservices.audio import key_tones
from mlservices.errors import EngineError, EngineTimeout

from .events import EndReason, EngineFailed, MessageTaken, StepNoted, TurnMeasured, WordsForgotten
from .listener import Turn, Words
from .speaker import Speaker

logger = logging.getLogger(__name__)

Steps = Callable[[], AsyncGenerator[Step, None]]
Prompt = Literal["one_moment", "apology", "lost_thread", "goodbye"]

# A caller who has heard nothing for this long is told to wait a moment, and again after a while.
SLOW_SECONDS = 1.5
STILL_SLOW_SECONDS = 5.0
STEP_TIMEOUT_SECONDS = 6.0
PROMPT_TEXTS: Mapping[Prompt, str] = {
    "one_moment": "One moment, please.",
    "apology": "I'm sorry, I didn't catch that. Could you say it again?",
    "lost_thread": "I'm sorry, I lost my train of thought. Could you ask me that again?",
    "goodbye": "I'm sorry, something is not working on our side. Please call again later. Goodbye.",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to happen once the reply has been heard; nothing set means: listen."""

    ends: EndReason | None = None
    transfer_to: str = ""
    gives_up: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """The turn that a reply answers."""

    turn: Turn
    words: Words
    text: str  # may begin with words of an earlier turn that was not answered yet


class Reply:
    """`done(reply)` is called when it has been heard or has failed, not when it is cancelled."""

    def __init__(
        self,
        steps: Steps | None,
        *,
        speaker: Speaker,
        number: int,
        prompts: Mapping[str, bytes],
        prompt_texts: Mapping[Prompt, str],
        note: Callable[..., None],
        behave: Callable[[Manner], None],
        done: Callable[[Reply], None],
        asked: Asked | None = None,
        recorded: Prompt | None = None,
        outcome: Outcome | None = None,
        final: bool = False,
        by: str = "",
    ) -> None:
        self.number = number  # of the caller's turn it follows; 0 is the greeting
        self.asked = asked
        self.recorded = recorded
        self.final = final  # the last words of the call: nothing interrupts them
        self.by = by  # the operator whose words these are, "" for the agent's own
        self._steps = steps
        self._speaker = speaker
        self._prompts = prompts
        self._prompt_texts = prompt_texts
        self._note = note
        self._behave = behave
        self._done = done
        self._outcome = outcome or Outcome()
        self._heard_text = self._heard_answer = ""
        self._all_said = False
        self._pauses_until = 0.0  # loop time: a silence that is meant
        self._begun_at = self._now()
        self._first_text_at: float | None = None
        self._llm_queue_seconds = 0.0
        self._llm_engine, self._llm_degraded = "", False
        self._measured = asked is None
        self._silent_since = speaker.quiet_since  # the caller has heard nothing of us
        speaker.begin()
        self._task = asyncio.create_task(self._run())

    @property
    def interruptible(self) -> bool:
        return not self.final and self._speaker.interruptible

    @property
    def goes_on(self) -> bool:
        """There is more of it to be heard."""
        return not self._all_said or self._speaker.speaking

    @property
    def all_said(self) -> bool:
        """All of it has been given to the line."""
        return self._all_said

    @property
    def is_over(self) -> bool:
        return self._task.done()

    @property
    def audible(self) -> bool:
        return self._speaker.first_sound_at is not None

    @property
    def heard_text(self) -> str:
        """What of it reached the caller; final once it is done or cancelled."""
        return self._heard_text

    @property
    def heard_answer(self) -> str:
        """The same without what had been recorded beforehand ("One moment, please.")."""
        return self._heard_answer

    async def outcome(self) -> Outcome:
        return await self._task

    async def finished(self, *, within_seconds: float) -> None:
        """Wait until it was heard, has failed or was stopped, but not longer."""
        await asyncio.wait({self._task}, timeout=within_seconds)

    def stop(self) -> None:
        """Say no more; whoever holds it drops it soon."""
        self._task.cancel()

    async def cancel(self) -> None:
        """Stop at once. The speaker has been paused, so that what was heard can be told."""
        self._task.cancel()
        await asyncio.wait({self._task})
        self._settle()

    def sound_arrived(self) -> None:
        """A mark came back: the first one tells how long the line takes to be heard."""
        if not self._measured and self._speaker.first_sound_at is not None:
            self._measure(heard_seconds=self._speaker.line_delay_seconds)

    # ---- speaking ---------------------------------------------------------------------------

    async def _run(self) -> Outcome:
        company = asyncio.create_task(self._keep_company())
        try:
            if self.recorded:
                self._play(self.recorded)
            elif self._steps:
                await self._answer(self._steps)
        except Exception as error:  # a fault of ours must not leave the caller in silence
            logger.exception("A reply failed")
            self._give_up(EngineError(type(error).__name__, service="conversation"))
        finally:
            company.cancel()
        self._all_said = True
        await self._speaker.drained()
        self._settle()
        self._done(self)
        return self._outcome

    async def _answer(self, steps: Steps) -> None:
        """Speak the steps; once more from the start where nothing of them had been said."""
        try:
            await self._speak(steps)
        except EngineError as error:
            if error.service == "tts" or error.permanent:
                self._give_up(error)
            elif self._first_text_at is not None:
                self._failed(error, "apologised")
                self._play("lost_thread")
            else:
                self._failed(error, "retried")
                await self._answer_again(steps)

    async def _answer_again(self, steps: Steps) -> None:
        try:
            await self._speak(steps)
        except EngineError as error:
            self._give_up(error)

    async def _keep_company(self) -> None:
        """Tell a caller who hears nothing, because an engine is slow, that it takes a moment."""
        if "one_moment" not in self._prompts:
            return  # nobody listens who would wait
        patience = SLOW_SECONDS
        if self.asked:  # the wait began when both were silent
            patience -= min(patience, self._begun_at - self._waiting_since(self.asked.turn.decided_at))
        while True:
            await self._speaker.unpaused()
            left = max(self._speaker.quiet_since, self._pauses_until) + patience - self._now()
            if left > 0 or not self._speaker.between_sentences:
                await asyncio.sleep(max(left, 0.1))
                continue
            self._play("one_moment")
            patience = STILL_SLOW_SECONDS

    async def _speak(self, steps: Steps) -> None:
        stream = steps()
        async with aclosing(stream):
            while True:
                try:
                    async with asyncio.timeout(STEP_TIMEOUT_SECONDS):
                        step = await anext(stream, None)
                except TimeoutError:
                    raise EngineTimeout("The answer took too long.", service="conversation") from None
                if step is None:
                    return
                match step:
                    case Say():
                        self._first_text_at = self._first_text_at or self._now()
                        await self._speaker.say(step.text, interruptible=step.interruptible)
                    case Noted():
                        self._learn_who_words(step)
                        self._note(StepNoted, note=step.kind, name=step.name, data=step.data)
                    case KeepMessage():
                        self._note(MessageTaken, **asdict(step))
                    case Manner():
                        self._behave(step)
                    case ForgetWords():
                        self._note(WordsForgotten)
                    case SendDigits():
                        await self._press(step.digits)
                    case Pause():
                        await self._pause(step.seconds)
                    case Transfer():
                        self._outcome = Outcome(transfer_to=step.number)
                    case HangUp():
                        silent = step.reason == "silence"
                        self._outcome = Outcome(ends="silence" if silent else "agent_hung_up")

    async def _press(self, digits: str) -> None:
        """Keys after all that was said: as signals, with silence while they last, or as sound."""
        tones = key_tones(digits, self._speaker.rate)
        await self._speaker.drained()
        self._speaker.play("", bytes(len(tones)) if self._speaker.press(digits) else tones)

    async def _pause(self, seconds: float) -> None:
        await self._speaker.drained()
        self._pauses_until = self._now() + seconds
        await asyncio.sleep(seconds)

    # ---- when it goes wrong -----------------------------------------------------------------

    def _play(self, prompt: Prompt) -> None:
        if prompt in self._prompts:
            self._speaker.play(self._prompt_texts[prompt], self._prompts[prompt])

    def _give_up(self, error: EngineError) -> None:
        self._failed(error, "gave_up")
        self._play("goodbye")
        self._outcome = Outcome(gives_up=True)

    def _failed(self, error: EngineError, remedy: str) -> None:
        self._note(EngineFailed, engine=engine_of(error), error=str(error), remedy=remedy)

    # ---- telling ----------------------------------------------------------------------------

    def _learn_who_words(self, noted: Noted) -> None:
        self._llm_queue_seconds += float(noted.data.get("queue_seconds", 0.0))
        if noted.kind == "model":
            self._llm_engine = str(noted.data.get("engine", ""))
            self._llm_degraded = self._llm_degraded or bool(noted.data.get("degraded"))

    def _waiting_since(self, moment: float) -> float:
        """A caller waits from this moment (loop time) on, or from the end of what we were still saying."""
        return min(max(moment, self._silent_since), self._begun_at)

    def _settle(self) -> None:
        self._heard_text = self._speaker.heard_text()
        self._heard_answer = self._speaker.heard_text(recorded=False)
        if not self._measured and self._speaker.first_sound_at is not None:
            self._measure(heard_seconds=None)

    def _measure(self, *, heard_seconds: float | None) -> None:
        self._measured = True
        asked, first_sound_at = self.asked, self._speaker.first_sound_at
        if asked is None or first_sound_at is None or self._first_text_at is None:
            return
        turn, words, tts = asked.turn, asked.words, self._speaker.tts_timing
        voice, voice_degraded = self._speaker.tts_engine
        degraded = {"stt": words.degraded, "llm": self._llm_degraded, "tts": voice_degraded}
        ended_at, decided_at = self._waiting_since(turn.ended_at), self._waiting_since(turn.decided_at)
        self._note(
            TurnMeasured,
            turn=self.number,
            voice_to_voice_seconds=first_sound_at - ended_at,
            endpointing_seconds=decided_at - ended_at,
            words_seconds=self._begun_at - decided_at,
            text_seconds=self._first_text_at - self._begun_at,
            audio_seconds=first_sound_at - self._first_text_at,
            stt_queue_seconds=words.timing.queue_seconds,
            stt_compute_seconds=words.timing.compute_seconds,
            llm_queue_seconds=self._llm_queue_seconds,
            tts_queue_seconds=tts.queue_seconds,
            tts_compute_seconds=tts.compute_seconds,
            heard_seconds=heard_seconds,
            stt_engine=words.engine,
            llm_engine=self._llm_engine,
            tts_engine=voice,
            degraded=[kind for kind, is_degraded in degraded.items() if is_degraded],
        )

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def engine_of(error: EngineError) -> str:
    """The kind of engine that failed, as events tell it."""
    return error.service if error.service in ("stt", "tts", "llm") else "conversation"
