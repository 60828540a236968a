"""Who speaks: the agent's one reply, held while the caller talks over it, dropped for something newer; or a
person in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agents.flow.steps import Conversation

from .events import AgentHeard, AgentSaid, AgentState, AgentStateChanged
from .manners import Manners
from .reply import Asked, Outcome, Prompt, Reply, Steps
from .speaker import Speaker


class Floor:
    """`caller_speaking()` tells whether there is sound from the caller; `done(reply)` is called when a reply
    has been heard to its end; `note(kind of event, **fields)` is told what happens."""

    def __init__(
        self,
        *,
        speaker: Speaker,
        conversation: Conversation,
        manners: Manners,
        prompts: Mapping[str, bytes],
        prompt_texts: Mapping[Prompt, str],
        caller_speaking: Callable[[], bool],
        done: Callable[[Reply], None],
        note: Callable[..., None],
    ) -> None:
        self.reply: Reply | None = None
        self.turn = 0  # the caller's, that what is said follows
        self._speaker = speaker
        self._conversation = conversation
        self._manners = manners
        self._prompts = prompts
        self._prompt_texts = prompt_texts
        self._caller_speaking = caller_speaking
        self._done = done
        self._note = note
        self._state: AgentState | None = None
        self._taken = False  # by a person: the agent neither speaks nor listens
        self._caller_is_noise = False  # what the caller's line carries just now

    def begin(
        self,
        steps: Steps | None,
        *,
        asked: Asked | None = None,
        recorded: Prompt | None = None,
        outcome: Outcome | None = None,
        final: bool = False,
        by: str = "",
    ) -> None:
        """Start a reply, unless a person has the agent's place; what was said before it has been heard or
        dropped by now."""
        if self._taken:
            return
        assert self.reply is None
        self.set_state("thinking")
        self.reply = Reply(
            steps,
            speaker=self._speaker,
            number=self.turn,
            prompts=self._prompts,
            prompt_texts=self._prompt_texts,
            note=self._note,
            behave=self._manners.behave,
            done=self._done,
            asked=asked,
            recorded=recorded,
            outcome=outcome,
            final=final,
            by=by,
        )
        if self.caller_has_it:
            self.hold()

    def answer(self, asked: Asked) -> None:
        self.begin(lambda: self._conversation.reply(asked.text), asked=asked)

    @property
    def caller_has_it(self) -> bool:
        return self._caller_speaking() and not self._caller_is_noise

    @property
    def must_be_heard_out(self) -> bool:
        """The agent speaks and may not be interrupted."""
        if not self.reply or self._speaker.paused:
            return False
        return not (self._manners.interruptible and self.reply.interruptible)

    def caller_took_it(self) -> None:
        """The caller speaks, or is found to do so in what had been taken for noise."""
        if self._taken:
            return
        self._caller_is_noise = False
        self.hold()
        if self._speaker.paused or not self.reply:
            self.set_state("listening")

    def caller_is_noise(self) -> None:
        """Voices of a television, music: whoever is on the line did not mean the agent."""
        if self._taken:
            return
        self._caller_is_noise = True
        if self._speaker.paused:
            self._speaker.resume()
            self.set_state("speaking")

    def hold(self) -> None:
        if self.reply and not self._taken and not self.must_be_heard_out:
            self._speaker.pause()

    @property
    def is_held(self) -> bool:
        """The agent has fallen silent for the caller."""
        return self._speaker.paused

    def take(self) -> None:
        """A person takes the agent's place: it stops in the middle of a word, whatever it says."""
        self._speaker.pause()
        if self.reply:
            self.reply.stop()
        self.set_state("listening")
        self._taken = True

    def give_back(self) -> None:
        self._taken = False

    async def sentence_over(self) -> bool:
        """Wait until the sentence that is being heard is over; whether more of the reply would follow."""
        if not self.reply or not self.reply.audible or self._speaker.paused:
            return False
        reply = self.reply
        more = await self._speaker.sentence_over()
        return reply is self.reply and (more or not reply.all_said)

    def mark_played(self, name: str) -> None:
        if not self._speaker.mark_played(name) or not self.reply:
            return
        self.reply.sound_arrived()
        if self.caller_has_it and self.reply.goes_on:  # what must be heard may now have been
            self.hold()

    def go_on(self) -> bool:
        """After a false alarm; whether the agent, who was held, speaks again."""
        if self._taken:
            return False
        resumes = self._speaker.paused and self.reply is not None
        self._speaker.resume()
        if not self.reply:
            self.set_state("listening")
        elif self.reply.audible:
            self.set_state("speaking")
        return resumes

    async def drop(self) -> Reply | None:
        """Silence the reply, if there is one, and return it."""
        reply = self.reply
        if reply:
            self.reply = None
            self._speaker.pause()
            await reply.cancel()
            self._tell_heard(reply, interrupted=True)
        return reply

    async def drop_unheard(self) -> Asked | None:
        """The same; what it was to answer, if the caller has heard nothing of the answer."""
        reply = await self.drop()
        return reply.asked if reply and not reply.heard_answer else None

    def ended(self, reply: Reply) -> None:
        """It was heard to its end."""
        self.reply = None
        self._tell_heard(reply, interrupted=False)

    def set_state(self, state: AgentState) -> None:
        if state != self._state and not self._taken:
            self._state = state
            self._note(AgentStateChanged, state=state)

    def sentence_started(self, text: str, sentence: int, engine: str, degraded: bool) -> None:
        """The speaker tells so."""
        by = self.reply.by if self.reply and text not in self._prompt_texts.values() else ""
        made = {"by": by, "engine": engine, "degraded": degraded}
        self._note(AgentSaid, turn=self.turn, text=text, sentence=sentence, **made)
        self.set_state("speaking")

    def _tell_heard(self, reply: Reply, *, interrupted: bool) -> None:
        self._note(AgentHeard, turn=reply.number, text=reply.heard_text, interrupted=interrupted)
        if not reply.recorded:
            self._conversation.heard(reply.heard_answer, interrupted=interrupted)
