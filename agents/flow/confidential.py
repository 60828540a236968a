"""What an agent may not say: its own instructions, read out because a caller asked for them.

Told by runs of words, whatever stands between them. What an instruction puts in quotation marks is there to
be said, and so is a plain fact of a few words; what tells the agent what to do is not.
"""

from __future__ import annotations

import re

_TOLD = 7  # words in a row that only a sentence read out has in common with what tells the agent what to do
_SHORTEST = 3  # words of an instruction that is known as a whole
_ANY = 20  # words in a row of anything written there

_MARKUP = re.compile(r"<[^<>]*>|\[[^\]]*\]|\{\w*\}")  # never spoken
_SAYABLE = re.compile(r'"[^"]*"|“[^”]*”|„[^“”]*[“”]|«[^»]*»')
_SENTENCE = re.compile(r"[^.!?\n:;]+")
_TELLS = re.compile(
    r"(?:(?:please|then|first|also|but|and) )*"
    r"(?:you (?!can|could|may|will|get)|your (?:name|job|task|role|aim|goal)\b"
    r"|(?:act|answer|ask|avoid|be|collect|confirm|do not|don t|explain|greet|introduce|keep|never|offer|reply"
    r"|respond|say|speak|tell|write)\b)"
)
_OF_CALLERS = re.compile(r"\b(?:callers?|customers?|users?)\b")


class Confidential:
    """`texts` are the instructions, as a model is shown them."""

    def __init__(self, *texts: str) -> None:
        written = [_SAYABLE.sub(" . ", _MARKUP.sub(" ", text)) for text in texts]
        sentences = [_words(each) for text in written for each in _SENTENCE.findall(text)]
        telling = [words for words in sentences if _tells(words)]
        self._whole = {tuple(words) for words in telling if len(words) >= _SHORTEST}
        self._told = {run for words in telling for run in _runs(words, _TOLD)}
        self._any = {run for text in written for run in _runs(_words(text), _ANY)}

    def is_in(self, sentence: str, before: str = "") -> bool:
        """Whether it reads them out; `before` is what was said just before it."""
        if any(tuple(_words(each)) in self._whole for each in _SENTENCE.findall(sentence)):
            return True
        words = [*_words(before)[1 - _ANY :], *_words(sentence)]
        return not self._told.isdisjoint(_runs(words, _TOLD)) or not self._any.isdisjoint(_runs(words, _ANY))


def _tells(words: list[str]) -> bool:
    sentence = " ".join(words)
    return bool(_TELLS.match(sentence) or _OF_CALLERS.search(sentence))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _runs(words: list[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]
