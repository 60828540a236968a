"""Trying an agent by text, over plain HTTP requests, with the same conversation code as a call."""

from __future__ import annotations

from dataclasses import dataclass

from mlservices.interfaces import Embedder

from .flow.steps import Expectation, Noted
from .models import Agent


@dataclass(frozen=True, slots=True)
class TrialReply:
    """What the agent did with the tried words.

    `transcript` is the whole trial so far, to be handed back unchanged with the next words. It holds
    no secret, is not trusted, and may be kept in the page.
    """

    texts: list[str]
    notes: list[Noted]
    ended: bool  # the agent hung up
    transferred_to: str  # the number that a call would have been transferred to; "" if it was not
    expects: Expectation
    transcript: list[str]


async def try_words(
    agent: Agent, transcript: list[str], words: str, *, embedder: Embedder | None = None
) -> TrialReply:
    """The agent's answer to `words`; no `transcript` and no words answer with its greeting.

    For the page `agents:try`: keep `reply.transcript` (a hidden field, JSON) and pass it with the
    caller's next words. Nothing is kept here between two requests: the earlier turns are played
    again, in which a language model's answers come out of the transcript and are not asked anew.
    Raises EngineError when the ML service does not answer, ValueError on a transcript that this
    module did not make.
    """
    raise NotImplementedError
