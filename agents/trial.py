"""Trying an agent by text, over plain HTTP requests, with the same conversation code as a call."""

from __future__ import annotations

from dataclasses import dataclass

from mlservices import registry
from mlservices.interfaces import ChatModel, Embedder

from .conversations import chat_model_for, conversation_for
from .flow.steps import Conversation, Expectation, HangUp, KeepMessage, Noted, Say, Step, Transfer
from .models import Agent
from .replayed import Recording, ReplayedModel

MOST_TURNS = 60
LONGEST_WORDS = 1000


@dataclass(frozen=True, slots=True)
class TrialReply:
    """What the agent did with the tried words.

    `transcript` is the whole trial so far, to be handed back unchanged with the next words. It holds
    no secret, is not trusted, and may be kept in the page.
    """

    texts: list[str]
    notes: list[Noted]
    messages: list[KeepMessage]
    ended: bool  # the agent hung up
    transferred_to: str  # the number that a call would have been transferred to; "" if it was not
    expects: Expectation
    transcript: list[str]


async def try_words(
    agent: Agent,
    transcript: list[str],
    words: str,
    *,
    embedder: Embedder | None = None,
    chat_model: ChatModel | None = None,
) -> TrialReply:
    """The agent's answer to `words`; no `transcript` and no words answer with its greeting.

    For the page `agents:try`: keep `reply.transcript` (a hidden field, JSON) and pass it with the
    caller's next words. Nothing is kept here between two requests: the earlier turns are played
    again, in which a language model's answers come out of the transcript and are not asked anew.
    Raises EngineError when the ML service does not answer, ValueError on a transcript that this
    module did not make.
    """
    turns = _turns(transcript)
    if len(words) > LONGEST_WORDS:
        raise ValueError(f"words: at most {LONGEST_WORDS} characters.")
    chat_model = chat_model or chat_model_for(agent)
    recording = Recording([[answer] if answer else [] for _words, answer in turns])
    model = ReplayedModel(chat_model, recording) if chat_model else None
    conversation = conversation_for(agent, embedder=embedder or registry.embedder(), chat_model=model)
    steps = [step async for step in conversation.greet()]
    for earlier, _answer in turns:
        await _turn(conversation, earlier)
        recording.next_turn()
    if words:
        steps = await _turn(conversation, words)
        transcript = [*transcript, words, recording.answers[-1] if recording.answers else ""]
    return TrialReply(
        texts=[step.text for step in steps if isinstance(step, Say)],
        notes=[step for step in steps if isinstance(step, Noted)],
        messages=[step for step in steps if isinstance(step, KeepMessage)],
        ended=any(isinstance(step, HangUp) for step in steps),
        transferred_to=next((step.number for step in steps if isinstance(step, Transfer)), ""),
        expects=conversation.expects,
        transcript=list(transcript),
    )


def _turns(transcript: object) -> list[tuple[str, str]]:
    """Pairs of the caller's words and what a language model answered to them ("" if it was not asked)."""
    if not isinstance(transcript, list) or not all(isinstance(entry, str) for entry in transcript):
        raise ValueError("transcript: a list of texts.")
    if len(transcript) % 2 or len(transcript) > 2 * MOST_TURNS:
        raise ValueError(f"transcript: pairs of words and answer, at most {MOST_TURNS}.")
    return list(zip(transcript[::2], transcript[1::2], strict=True))


async def _turn(conversation: Conversation, words: str) -> list[Step]:
    steps = [step async for step in conversation.reply(words)]
    conversation.heard(" ".join(step.text for step in steps if isinstance(step, Say)), interrupted=False)
    return steps
