"""The ChatML prompt, and text out of tokens as they come."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ...types import ChatMessage, Tool
from .refusals import refuse_tools

END = "<|im_end|>"


class ChatMl(ABC):
    """What engines of ChatML models have in common."""

    _name: str
    _tokenizer: Any  # of the tokenizers library

    def warm(self) -> None:
        for _ in self.reply([ChatMessage("user", "Hello")], max_tokens=4, temperature=0.0):
            pass

    def count(self, text: str) -> int:
        return len(self._tokenizer.encode(text).ids)

    def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        tools: Sequence[Tool] = (),
    ) -> Iterator[str | None]:
        refuse_tools(self._name, messages, tools)
        shared, rest = prompt(messages)
        yield from text_pieces(self._ids(shared, rest, max_tokens, temperature), self._tokenizer.decode)

    @abstractmethod
    def _ids(self, shared: str, rest: str, max_tokens: int, temperature: float) -> Iterator[int | None]:
        """The tokens of the answer, without its end, and None where it can be stopped before the first."""


def prompt(messages: Sequence[ChatMessage]) -> tuple[str, str]:
    """(what the next call shares with this one: the system prompt, the rest up to the answer)."""
    shared, rest = "", list(messages)
    if rest and rest[0].role == "system":
        shared, rest = _turn(rest[0]), rest[1:]
    return shared, "".join(map(_turn, rest)) + "<|im_start|>assistant\n"


def _turn(message: ChatMessage) -> str:
    """One message; what a caller says cannot end it or begin another."""
    content = message.content.replace("<|", "< |")  # taking markers out can make one of two halves
    return f"<|im_start|>{message.role}\n{content}{END}\n"


def text_pieces(ids: Iterable[int | None], decode: Callable[[list[int]], str]) -> Iterator[str | None]:
    """The text of a growing list of tokens, a piece a token; half a character waits for its other half.

    None stays None.
    """
    seen: list[int] = []
    told = ""
    for token in ids:
        if token is None:
            yield None
            continue
        seen.append(token)
        text = decode(seen)
        if len(text) > len(told) and not text.endswith("\ufffd"):
            yield text[len(told) :]
            told = text
        else:
            yield ""
