"""What a caller hears last when engines fail: as the agent was set up."""

from __future__ import annotations

from dataclasses import dataclass

from agents.models import Agent
from agents.sentences import recorded_sentence
from mlservices.audio import read_wav, resample

from . import prompts
from .session.reply import PROMPT_TEXTS, Prompt


@dataclass(frozen=True, slots=True)
class LastWords:
    text: str
    pcm: bytes  # at the line's rate


def last_words(agent: Agent, rate: int) -> LastWords:
    """A caller who is put through is told to wait, one who is not hears a goodbye: the agent's own sentence,
    if that was recorded."""
    if own := recorded_sentence(agent):
        return LastWords(own.text, resample(*read_wav(bytes(own.wav)), rate))
    name: Prompt = "one_moment" if agent.failure_number else "goodbye"
    return LastWords(PROMPT_TEXTS[name], prompts.load(agent.language, rate)[name])
