"""One call while it lasts: ears, brain and mouth, and the rules of who speaks when.

The line tells the session what it hears by synchronous calls (`MediaSink`); decisions go into one
inbox, which `run` works off. There is one *reply* at a time, a task that takes the conversation's
steps and speaks them. Whatever the caller does to it is one of three things: `pause` it (voice was
detected), `resume` it (the voice had no words), or cancel it and answer the new words instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from agents.flow.steps import Conversation
from mlservices.errors import EngineError
from telephony.media import MediaLine

from . import events
from .events import EndReason, Event
from .floor import Floor
from .inbox import Happening, Inbox, TimeUp
from .keypad import Keypad
from .listener import Listener, Turn
from .manners import Manners
from .operators import Direction, GiveBack, Operators, TakeOver, WordsToSay
from .parts import Ending, Engines, SessionSettings
from .reply import PROMPT_TEXTS, Reply, engine_of
from .silence import Silence
from .speaker import Speaker
from .turn_taking import TurnTaking
from .turns import TurnPolicy

# A goodbye that does not come to its end (a dead engine, a caller who talks on) is cut here.
LONGEST_FAREWELL_SECONDS = 20.0
MOST_WAITING = 50  # happenings; of more, keys are not taken

# Why a line closed -> why the call ended; for any other reason the line was lost.
_ENDS: Mapping[str, EndReason] = {"hangup": "caller_hung_up", "restart": "server_restarted"}


class CallSession:
    """A `MediaSink`. `prompts` holds what is played when engines fail: the recordings of
    `reply.PROMPT_TEXTS`, pcm at the line's rate, or none of them; `emit` is told every event and must not
    wait."""

    def __init__(
        self,
        *,
        line: MediaLine,
        engines: Engines,
        conversation: Conversation,
        settings: SessionSettings,
        prompts: Mapping[str, bytes],
        emit: Callable[[Event], None],
    ) -> None:
        self._conversation = conversation
        self._settings = settings
        self._emit = emit
        self._inbox = Inbox()
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._speaker = self._new_speaker(line, engines)
        self._listener = self._new_listener(line, engines)
        self._manners = Manners(settings, speaker=self._speaker, listener=self._listener)
        self._floor = Floor(
            speaker=self._speaker,
            conversation=conversation,
            manners=self._manners,
            prompts=prompts,
            prompt_texts={**PROMPT_TEXTS, "goodbye": settings.goodbye_text or PROMPT_TEXTS["goodbye"]},
            caller_speaking=lambda: self._paused or self._listener.caller_speaking,
            done=self._inbox.put_nowait,
            note=self._note,
        )
        self._keypad = Keypad(self._inbox.put_nowait)
        self.operators = self._new_operators(line, engines)
        self._silence = Silence()
        self._turn_taking = TurnTaking(
            conversation=conversation,
            floor=self._floor,
            speaker=self._speaker,
            listener=self._listener,
            operators=self.operators,
            silence=self._silence,
            caller_busy=self._caller_is_busy,
            note=self._note,
        )
        self._time_is_up = False
        self._paused = False  # by the caller, who wants to hear nothing

    def _new_speaker(self, line: MediaLine, engines: Engines) -> Speaker:
        return Speaker(
            line=line,
            tts=engines.tts,
            voice=self._settings.voice,
            language=self._settings.language,
            speed=self._settings.speaking_rate,
            on_sentence=lambda *told: self._floor.sentence_started(*told),
            on_retry=self.engine_retried,
        )

    def _new_listener(self, line: MediaLine, engines: Engines) -> Listener:
        return Listener(
            rate=line.rate,
            engines=engines,
            policy=TurnPolicy.for_eagerness(self._settings.eagerness),
            language=self._settings.language,
            hearer=self,
            agent_speaking=lambda: self._speaker.speaking,
            expects=lambda: self._conversation.expects,
        )

    def _new_operators(self, line: MediaLine, engines: Engines) -> Operators:
        return Operators(
            line=line,
            engines=engines,
            language=self._settings.language,
            conversation=self._conversation,
            floor=self._floor,
            media_seconds=lambda: self._listener.media_seconds,
            post=self._inbox.put_nowait,
            note=self._note,
        )

    # ---- what the line tells (MediaSink) ----------------------------------------------------

    def feed(self, pcm: bytes) -> None:
        self._listener.feed(pcm)

    def mark_played(self, name: str) -> None:
        self._floor.mark_played(name)

    def press(self, digit: str) -> None:
        if self._inbox.qsize() >= MOST_WAITING:  # no person presses so fast
            return
        self._floor.hold()
        self._keypad.press(digit)
        self._inbox.put_nowait(None)

    def hold(self, held: bool) -> None:
        self._silence.hold(held)
        self._inbox.put_nowait(None)

    def write(self, text: str) -> None:
        """A turn in writing takes the floor as digits do."""
        if self._inbox.qsize() >= MOST_WAITING:
            return
        self._floor.hold()
        self._inbox.put_nowait(self._listener.written(text))

    def pause(self, paused: bool) -> None:
        """While paused the agent stops even in the middle of what must be heard out, and goes on from there;
        whoever feeds the session gives it silence in place of the caller's sound."""
        if paused == self._paused:
            return
        self._paused = paused
        self.hold(paused)
        if paused:
            self._floor.caller_took_it()
            self._speaker.pause()
        elif not self._caller_is_busy():
            self._floor.go_on()

    def line_closed(self, reason: str) -> None:
        self.end(_ENDS.get(reason, "line_lost"))

    def transfer(self, number: str, *, by: str) -> None:
        """An operator hands the caller over to a telephone number, at once."""
        self._note(events.TransferStarted, number=number, reason="operator", by=by)
        self.end("transferred", transfer_to=number)

    def end(self, reason: EndReason, *, transfer_to: str = "") -> None:
        """End the session from outside, at once; the first reason counts."""
        if not self._ending.done():
            self._ending.set_result(Ending(reason, transfer_to))

    # ---- what the listener tells (Hearer) ---------------------------------------------------

    def caller_started(self, start_seconds: float) -> None:
        self._note(events.CallerStartedSpeaking, over_agent=self._speaker.speaking)
        self._floor.caller_took_it()
        self._inbox.put_nowait(None)  # the silence is over: look at the clock anew

    def caller_guessed(self, text: str) -> None:
        self._note(events.CallerWordsGuessed, turn=self._floor.turn + 1, text=text)

    def caller_ended(self, turn: Turn) -> None:
        if not self._floor.reply or self._speaker.paused:
            self._floor.set_state("thinking")
        self._inbox.put_nowait(turn)

    def caller_made_noise(self) -> None:
        if not (self._paused or self._keypad.pending):
            self._floor.caller_is_noise()

    def caller_has_words(self) -> None:
        self._floor.caller_took_it()

    def engine_retried(self, error: EngineError) -> None:
        self._note(events.EngineFailed, engine=engine_of(error), error=str(error), remedy="retried")

    def concerns_agent(self) -> bool:
        return not self.operators.holder and (self._speaker.paused or self._speaker.speaking)

    # ---- the call ---------------------------------------------------------------------------

    async def run(self) -> Ending:
        """Speak first, then take turns until somebody ends the call. Frees all it holds."""
        talk = asyncio.create_task(self._talk())
        unanswered = ""
        try:
            await asyncio.wait({talk, self._ending}, return_when=asyncio.FIRST_COMPLETED)
            ending = self._ending.result() if self._ending.done() else await talk
            if ending.reason in ("caller_hung_up", "line_lost"):
                unanswered = await self._unanswered(talk)
            return ending
        finally:
            self._keypad.close()
            talk.cancel()
            await asyncio.gather(talk, self._listener.close(), self.operators.close(), return_exceptions=True)
            await self._floor.drop()
            if dropped := self._listener.dropped_frames:
                self._note(events.FramesDropped, leg="caller", count=dropped)
            for message in self._conversation.ended(unanswered):
                self._note(events.MessageTaken, **asdict(message))

    async def _unanswered(self, talk: asyncio.Task[Ending]) -> str:
        """What a caller who is gone said last, and nobody took up, if it is known soon."""
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)
        if self.operators.holder:
            return ""
        heard = self._speaker.heard_text()
        said = [asked.text] if (asked := await self._floor.drop_unheard()) else []
        self._listener.finish()
        said += await self._turn_taking.last_words(self._inbox.turns_left(), heard)
        return " ".join(said)

    async def _talk(self) -> Ending:
        longest = self._settings.max_call_seconds
        timer = asyncio.get_running_loop().call_later(longest, self._inbox.put_nowait, TimeUp())
        try:
            if self._settings.held_by:
                self.operators.ask(TakeOver(self._settings.held_by))
            else:
                self._floor.begin(self._conversation.greet)
            while True:
                ending = await self._happened(await self._next())
                if ending:
                    return ending
        finally:
            timer.cancel()

    async def _next(self) -> Happening:
        """The next happening; None is a caller who has been silent for too long, or nothing new."""
        try:
            async with asyncio.timeout_at(self._silence_deadline()):
                return await self._inbox.get()
        except TimeoutError:
            self._prompt_the_silent()
            return None

    def _silence_deadline(self) -> float | None:
        if self.operators.holder or self._floor.reply or self._listener.caller_speaking:
            return None
        if self._keypad.pending or not self._inbox.empty():
            return None
        return self._silence.deadline(self._manners.silence_seconds, self._conversation.expects)

    def _caller_is_busy(self) -> bool:
        return self._paused or self._listener.caller_speaking or self._keypad.pending

    async def _happened(self, happening: Happening) -> Ending | None:
        match happening:
            case Turn() | str() | WordsToSay() | Direction() if self._floor.must_be_heard_out:
                self._inbox.put_aside(happening)
            case Turn():
                self._inbox.awaited = happening
                await self._turn_taking.take(happening)
                self._inbox.awaited = None
            case str():
                await self._digits_pressed(happening)
            case WordsToSay() | Direction() | TakeOver() | GiveBack():
                self._silence.reset()  # somebody looks after the caller
                await self.operators.happened(happening)
                self._take_up_again()
                if self._time_is_up and not self.operators.holder:
                    return await self._say_goodbye()
            case Reply():
                return await self._replied(happening)
            case TimeUp():
                return await self._say_goodbye()
        return None

    def _take_up_again(self) -> bool:
        """What was put aside until the agent had been heard out, once that is so; whether there was any."""
        return not self._floor.must_be_heard_out and self._inbox.take_up_again()

    async def _digits_pressed(self, digits: str) -> None:
        await self._floor.drop()
        self._silence.reset()
        self._note(events.DigitsPressed, digits=digits)
        self._floor.begin(lambda: self._conversation.digits(digits))

    def _prompt_the_silent(self) -> None:
        count = self._silence.prompt()
        self._note(events.SilencePrompted, count=count)
        self._floor.begin(lambda: self._conversation.silence(count))

    async def _replied(self, reply: Reply) -> Ending | None:
        """A reply came to its end: it was heard, or an engine failed it."""
        if reply is not self._floor.reply:
            return None  # dropped in the meantime
        self._floor.ended(reply)
        if self.operators.holder:
            return None  # a person goes on in its place
        put_aside = self._take_up_again()
        outcome = await reply.outcome()
        if outcome.gives_up:
            return self._give_up()
        if outcome.transfer_to:
            self._note(events.TransferStarted, number=outcome.transfer_to, reason="agent")
            return Ending("transferred", outcome.transfer_to)
        ends = outcome.ends or ("silence" if self._silence.is_for_good else None)
        speaks_over_it = put_aside or self._floor.caller_has_it
        if ends and not (ends == "silence" and speaks_over_it):
            return Ending(ends)
        self._silence.begin()
        if not self.operators.say_owed():
            self._floor.set_state("listening")
        return None

    def _give_up(self) -> Ending:
        if not self._settings.fallback_number:
            return Ending("engine_failure")
        self._note(events.TransferStarted, number=self._settings.fallback_number, reason="engine_failure")
        return Ending("transferred", self._settings.fallback_number)

    async def _say_goodbye(self) -> Ending | None:
        """The last words of a call that has lasted too long; it ends even if they cannot be said, but not if
        an operator takes it over meanwhile."""
        await self._floor.drop()
        self._floor.begin(lambda: self._conversation.farewell("max_duration"), final=True)
        if reply := self._floor.reply:
            await reply.finished(within_seconds=LONGEST_FAREWELL_SECONDS)
        if self.operators.holder:
            self._time_is_up = True
            return None
        if reply and reply.is_over:
            self._floor.ended(reply)
        return Ending("max_duration")

    # ---- telling ----------------------------------------------------------------------------

    def _note(self, event: type[Event], **fields: Any) -> None:
        self._emit(event(at_seconds=self._listener.media_seconds, **fields))
