"""A language model's answer as it comes in pieces: sentences to speak, and tags that are never spoken."""

from __future__ import annotations

import re
from itertools import takewhile

from mlservices.text import SentenceSplitter

from .confidential import Confidential

MOST_SENTENCES = 3
MOST_UNSPOKEN = 400  # characters that are read behind the last sentence, for the tag that may end them

_TAG = re.compile(r"\[\s*(message|transfer|goodbye)\s*\]", re.I)
_BEGUN = re.compile(r"[\[<][^\]>]{0,30}$")  # a tag or markup that what comes next may close
_MARKUP = re.compile(r"<[^<>]*>|\[[^\]]*\]|[*_`#]+")
_ENDED = re.compile(r"""[.!?…]["')]*$""")


class Answer:
    """Feed it the pieces, then `finish`; it gives out at most `MOST_SENTENCES`, and nothing any more once one
    would have told what is `confidential`."""

    def __init__(self, confidential: Confidential) -> None:
        self._confidential = confidential
        self._said = ""
        self.is_withheld = False
        self._splitter = SentenceSplitter()
        self._held = ""
        self.tags: set[str] = set()
        self.count = 0  # sentences given out
        self.last = ""  # the latest of them
        self._unspoken = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing that comes now is spoken, or is a tag that is still to be waited for."""
        full = self.count >= MOST_SENTENCES
        return self.is_withheld or (full and (bool(self.tags) or self._unspoken >= MOST_UNSPOKEN))

    def feed(self, piece: str) -> list[str]:
        """The sentences that are whole by now."""
        if self.count >= MOST_SENTENCES:
            self._unspoken += len(piece)
        text = self._held + piece
        begun = _BEGUN.search(text)
        self._held = text[begun.start() :] if begun else ""
        return self._give_out(self._splitter.feed(self._plain(text[: begun.start()] if begun else text)))

    def finish(self) -> list[str]:
        """What is left; half a sentence, cut off by the limit of tokens, only if nothing else was said."""
        given = self._give_out(self._splitter.feed(self._plain(self._held)))
        rest = [sentence for sentence in self._splitter.flush() if _ENDED.search(sentence) or not self.count]
        return [*given, *self._give_out(rest)]

    def _plain(self, text: str) -> str:
        self.tags.update(tag.lower() for tag in _TAG.findall(text))
        return _MARKUP.sub("", text)

    def _give_out(self, sentences: list[str]) -> list[str]:
        given = [sentence for sentence in sentences if re.search(r"\w", sentence)]
        given = list(takewhile(self._may_be_said, given[: MOST_SENTENCES - self.count]))
        self.count += len(given)
        self.last = given[-1] if given else self.last
        return given

    def _may_be_said(self, sentence: str) -> bool:
        if self.is_withheld or self._confidential.is_in(sentence, self._said):
            self.is_withheld = True
            self.tags.clear()  # what instructions say of tags asks for none
        self._said = f"{self._said} {sentence}"
        return not self.is_withheld
