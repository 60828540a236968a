"""What a turn of the caller comes to: an answer, or the agent goes on after a cough and an "mm-hm", or it
says that it did not catch the words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agents.flow.steps import Conversation
from mlservices.errors import EngineError

from .events import CallerSaid, CallerSaidNothing, EngineFailed
from .floor import Floor
from .listener import Listener, Turn, Words
from .operators import Operators
from .reply import SLOW_SECONDS, Asked, Outcome
from .silence import Silence
from .speaker import Speaker

GIVE_UP_AFTER_UNHEARD_TURNS = 2
LAST_WORDS_SECONDS = 4.0  # that the end of a call waits for them


class TurnTaking:
    """`caller_busy()` tells whether the caller speaks, presses keys or pauses the agent: then they are not
    spoken to."""

    def __init__(
        self,
        *,
        conversation: Conversation,
        floor: Floor,
        speaker: Speaker,
        listener: Listener,
        operators: Operators,
        silence: Silence,
        caller_busy: Callable[[], bool],
        note: Callable[..., None],
    ) -> None:
        self._conversation = conversation
        self._floor = floor
        self._speaker = speaker
        self._listener = listener
        self._operators = operators
        self._silence = silence
        self._caller_busy = caller_busy
        self._note = note
        self._unheard_turns = 0  # in a row that could not be transcribed

    async def take(self, turn: Turn) -> None:
        try:
            words = await self._words_of(turn)
        except EngineError as error:
            await self._not_understood(error)
            return
        if not words.text or self._is_listening(turn, words, self._speaker.heard_text()):
            agent_resumed = await self._go_on()
            span = {"start_seconds": turn.start_seconds, "end_seconds": turn.end_seconds}
            self._note(CallerSaidNothing, **span, text=words.text, agent_resumed=agent_resumed)
            return
        self._unheard_turns = 0
        self._silence.reset()
        before = await self._floor.drop_unheard()
        # Words that went on after a pause belong to those before, if the answer was not heard yet.
        text = f"{before.text} {words.text}" if before else words.text
        self._tell(turn, words, text)
        if not self._operators.take_answer(text):
            self._floor.answer(Asked(turn, words, text))

    async def last_words(self, turns: Sequence[Turn], heard: str) -> list[str]:
        """What a caller who is gone said in these turns, if it is known soon; `heard` is what of the agent's
        last words had reached them."""
        if turns:
            await asyncio.wait({turn.words for turn in turns}, timeout=LAST_WORDS_SECONDS)
        said = []
        for turn in turns:
            if not turn.words.done() or turn.words.cancelled() or turn.words.exception():
                continue
            words = turn.words.result()
            if words.text and not self._is_listening(turn, words, heard):
                self._tell(turn, words, words.text)
                said.append(words.text)
        return said

    def _is_listening(self, turn: Turn, words: Words, heard: str) -> bool:
        return turn.is_listening(words, heard, self._conversation.expects)

    async def _words_of(self, turn: Turn) -> Words:
        """The turn's words; a caller who waits long for them is told so."""
        await asyncio.wait({turn.words}, timeout=SLOW_SECONDS)
        nobody_speaks = not (
            self._operators.holder or self._speaker.speaking or self._listener.caller_speaking
        )
        if not turn.words.done() and nobody_speaks:
            unanswered = await self._floor.drop_unheard()
            self._floor.begin(None, asked=unanswered, recorded="one_moment")
        return await asyncio.shield(turn.words)  # which `last_words` waits for when the call ends meanwhile

    async def _not_understood(self, error: EngineError) -> None:
        if self._operators.holder:  # whom the caller heard as well
            self._note(EngineFailed, engine="stt", error=str(error), remedy="left_out")
            return
        self._unheard_turns += 1
        self._silence.reset()
        await self._floor.drop()
        gives_up = self._unheard_turns >= GIVE_UP_AFTER_UNHEARD_TURNS
        remedy = "gave_up" if gives_up else "apologised"
        self._note(EngineFailed, engine="stt", error=str(error), remedy=remedy)
        outcome = Outcome(gives_up=gives_up)
        self._floor.begin(None, recorded="goodbye" if gives_up else "apology", outcome=outcome)

    async def _go_on(self) -> bool:
        """After a false alarm; whether the agent, who was held, speaks again."""
        if self._caller_busy():
            return False  # the end of the pause, that turn, or those digits, will tell
        if self._floor.reply and self._floor.reply.recorded == "one_moment":  # what was held is gone
            unanswered = await self._floor.drop_unheard()
            if unanswered:
                self._floor.answer(unanswered)
            else:
                self._floor.begin(None, recorded="apology")
            return False
        return self._floor.go_on()

    def _tell(self, turn: Turn, words: Words, text: str) -> None:
        """That the caller said `text`, which may begin with words of an earlier turn."""
        self._floor.turn += 1
        self._note(
            CallerSaid,
            turn=self._floor.turn,
            text=text,
            start_seconds=turn.start_seconds,
            end_seconds=turn.end_seconds,
            confidence=words.confidence,
            language=words.language,
            engine=words.engine,
            degraded=words.degraded,
        )
