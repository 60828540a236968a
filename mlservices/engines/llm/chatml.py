"""The ChatML prompt, and text out of tokens as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ...types import ChatMessage

END = "<|im_end|>"


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


def text_pieces(ids: Iterable[int], decode: Callable[[list[int]], str]) -> Iterator[str]:
    """The text of a growing list of tokens, a piece a token; half a character waits for its other half."""
    seen: list[int] = []
    told = ""
    for token in ids:
        seen.append(token)
        text = decode(seen)
        if len(text) > len(told) and not text.endswith("\ufffd"):
            yield text[len(told) :]
            told = text
        else:
            yield ""
