"""What people do to a call while it lasts: have words said, direct the agent, take over and give back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from agents.flow.steps import Conversation, Say, Step
from mlservices.errors import EngineError
from telephony.media import MediaLine

from .events import OperatorGaveBack, OperatorSaid, OperatorTookOver, OperatorWhispered
from .floor import Floor
from .listener import Listener, Turn
from .parts import Engines
from .reply import Reply
from .turns import TurnPolicy

# A microphone's clock is not the line's: sound that waits longer than this is left out.
LONGEST_WAIT_SECONDS = 0.4
# Where no sound came for longer than this, the transcript's clock is put right.
LONGEST_HOLE_SECONDS = 0.3
PAUSE_SECONDS = 2.0  # of silence, which ends a turn that was begun before the hole
LAST_WORDS_SECONDS = 5.0
HEARD_OUT_SECONDS = 1.0  # for the last mark of a reply that is over by the clock


@dataclass(frozen=True, slots=True)
class WordsToSay:
    """To be spoken by the agent, next."""

    text: str
    by: str


@dataclass(frozen=True, slots=True)
class Direction:
    """To be followed by the agent, unheard by the caller."""

    text: str
    by: str


@dataclass(frozen=True, slots=True)
class TakeOver:
    """`window`: of the browser whose microphone it is, as its page names itself."""

    by: str
    window: str = ""


@dataclass(frozen=True, slots=True)
class GiveBack:
    by: str
    note: str
    lost: bool


Request = WordsToSay | Direction | TakeOver | GiveBack


class Microphone:
    """Of the person who has the call, in one of their windows: their sound goes to the line in the agent's
    place, and is transcribed like the caller's, so that the transcript goes on. Nothing here waits.

    `note(kind of event, **fields)` is told what is said, `said(words)` gets the words alone.
    """

    def __init__(
        self,
        by: str,
        window: str,
        *,
        line: MediaLine,
        engines: Engines,
        language: str,
        media_seconds: Callable[[], float],
        note: Callable[..., None],
        said: Callable[[str], None],
    ) -> None:
        self.by = by
        self.window = window
        self._line = line
        self._media_seconds = media_seconds
        self._began = media_seconds()  # on the call's clock, of the sound that the listener has
        self._note = note
        self._said = said
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener = Listener(
            rate=line.rate,
            engines=engines,
            policy=TurnPolicy(),
            language=language,
            hearer=self,
            agent_speaking=lambda: False,
            expects=lambda: "anything",
        )

    def feed(self, pcm: bytes) -> None:
        """Their next piece of sound, at the line's rate."""
        if self._line.queued_seconds <= LONGEST_WAIT_SECONDS:
            self._line.send(pcm)
        self._fill_hole()
        self._listener.feed(pcm)

    def _fill_hole(self) -> None:
        hole = self._media_seconds() - self._began - self._listener.media_seconds
        if hole > LONGEST_HOLE_SECONDS:
            silence = min(hole, PAUSE_SECONDS)
            self._listener.feed(bytes(2 * int(silence * self._line.rate)))
            self._began += hole - silence

    async def close(self) -> None:
        """Their last words are still told, if they are known soon."""
        self._listener.finish()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_WORDS_SECONDS)
        for task in self._tasks:
            task.cancel()
        await self._listener.close()

    # ---- what the listener tells (Hearer) ---------------------------------------------------

    def caller_started(self, start_seconds: float) -> None: ...
    def caller_guessed(self, text: str) -> None: ...
    def caller_made_noise(self) -> None: ...
    def caller_has_words(self) -> None: ...
    def engine_retried(self, error: EngineError) -> None: ...
    def concerns_agent(self) -> bool:
        return False

    def caller_ended(self, turn: Turn) -> None:
        self._spawn(self._tell(turn))

    async def _tell(self, turn: Turn) -> None:
        try:
            words = await turn.words
        except EngineError:
            return  # what a person says does not wait for its transcript
        if words.text:
            self._said(words.text)
            self._note(
                OperatorSaid,
                by=self.by,
                text=words.text,
                start_seconds=self._began + turn.start_seconds,
                end_seconds=self._began + turn.end_seconds,
            )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Operators:
    """The operators of one session. `post(request)` puts a request into the session's inbox, from where it
    comes back to `happened` in its turn."""

    def __init__(
        self,
        *,
        line: MediaLine,
        engines: Engines,
        language: str,
        conversation: Conversation,
        floor: Floor,
        media_seconds: Callable[[], float],
        post: Callable[[Request], None],
        note: Callable[..., None],
    ) -> None:
        self._line = line
        self._engines = engines
        self._language = language
        self._conversation = conversation
        self._floor = floor
        self._media_seconds = media_seconds
        self._post = post
        self._note = note
        self._microphone: Microphone | None = None
        self._owed: tuple[WordsToSay, Reply] | None = None  # words that the caller has not heard yet
        self._closing: set[asyncio.Task[None]] = set()  # microphones whose last words are still to be told

    # ---- what is going on -------------------------------------------------------------------

    @property
    def holder(self) -> str:
        """Who has the call, "" for the agent."""
        return self._microphone.by if self._microphone else ""

    @property
    def holder_window(self) -> str:
        return self._microphone.window if self._microphone else ""

    def take_answer(self, text: str) -> bool:
        """Whether the caller's words are answered by a person, in place of the conversation."""
        if not self._microphone and not self._still_owed():
            return False
        self._conversation.overheard("caller", text)
        self.say_owed()
        return True

    def say_owed(self) -> bool:
        """Once the floor is free: words that the caller, or a key, came before."""
        if self._microphone or not self._still_owed():
            return False
        assert self._owed
        self._speak(self._owed[0])
        return True

    def _still_owed(self) -> bool:
        if self._owed and self._owed[1].heard_text:
            self._owed = None
        return self._owed is not None

    # ---- from outside, at any moment ----------------------------------------------------------

    def ask(self, request: Request) -> None:
        if isinstance(request, TakeOver):
            self._take(request)
        self._post(request)

    def hear(self, by: str, pcm: bytes, window: str = "") -> None:
        """Sound of an operator; only of the one who has the call, from where they have it."""
        if self._microphone and (self._microphone.by, self._microphone.window) == (by, window):
            self._microphone.feed(pcm)

    async def close(self) -> None:
        if self._microphone:
            self._let_go(self._microphone)
        await asyncio.gather(*self._closing, return_exceptions=True)

    # ---- in the session's turn ------------------------------------------------------------------

    async def happened(self, request: Request) -> None:
        match request:
            case WordsToSay():
                await self._say(request)
            case Direction():
                await self._direct(request)
            case TakeOver():
                await self._floor.drop()
            case GiveBack():
                self._give_back(request)

    def _take(self, request: TakeOver) -> None:
        """At once: whatever the session is about, the agent falls silent. Who has the call moves it to
        another of their windows by taking it over there."""
        if self._microphone:
            self._move(self._microphone, request)
            return
        self._owed = None
        self._floor.take()
        self._microphone = Microphone(
            request.by,
            request.window,
            line=self._line,
            engines=self._engines,
            language=self._language,
            media_seconds=self._media_seconds,
            note=self._note,
            said=lambda words: self._conversation.overheard("operator", words),
        )
        self._note(OperatorTookOver, by=request.by, window=request.window)

    def _move(self, microphone: Microphone, request: TakeOver) -> None:
        if microphone.by != request.by or microphone.window == request.window:
            return
        microphone.window = request.window
        self._note(OperatorTookOver, by=request.by, window=request.window)

    def _give_back(self, request: GiveBack) -> None:
        microphone = self._microphone
        if microphone is None or microphone.by != request.by:
            return
        self._note(OperatorGaveBack, by=microphone.by, note=request.note, lost=request.lost)
        self._let_go(microphone)
        self._floor.give_back()
        self._floor.begin(lambda: self._conversation.resume(request.note))

    def _let_go(self, microphone: Microphone) -> None:
        self._microphone = None
        task = asyncio.get_running_loop().create_task(microphone.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _say(self, words: WordsToSay) -> None:
        reply = self._floor.reply
        more = await self._floor.sentence_over()
        if reply and reply is self._floor.reply and reply.all_said and not more and not self._floor.is_held:
            await reply.finished(within_seconds=HEARD_OUT_SECONDS)  # whatever it was to lead to comes first
            if reply.is_over:
                self._post(words)
                return
        await self._floor.drop()
        self._speak(words)

    def _speak(self, words: WordsToSay) -> None:
        if self._microphone:
            return
        self._floor.begin(lambda: _spoken(words.text), by=words.by)
        assert self._floor.reply
        self._owed = (words, self._floor.reply)

    async def _direct(self, direction: Direction) -> None:
        try:
            followed = await self._conversation.direct(direction.text)
        except EngineError:
            followed = False
        self._note(OperatorWhispered, by=direction.by, text=direction.text, followed=followed)
        reply = self._floor.reply
        if not followed or self._microphone or not reply or reply.by or reply.recorded or self._floor.is_held:
            return  # what is said next will follow it
        if not reply.audible:
            unanswered = await self._floor.drop_unheard()
            if unanswered:
                self._floor.answer(unanswered)
            else:
                self._floor.begin(self._conversation.go_on)
        elif await self._floor.sentence_over():
            await self._floor.drop()
            self._floor.begin(self._conversation.go_on)


async def _spoken(text: str) -> AsyncGenerator[Step, None]:
    yield Say(text)
