"""What a language model is shown of a call: what each side said, and what of it was really heard."""

from __future__ import annotations

import re
import unicodedata

from mlservices.types import ChatMessage

from .steps import Say, Step

LONGEST_WORDS = 1000

_INTERRUPTED = "(You were interrupted: the caller heard only what stands above, not the rest.)"
_NOT_HEARD = "(You were interrupted: the caller heard nothing of your last answer.)"


def quoted(words: str, mark: str = "caller", *, most: int = LONGEST_WORDS) -> str:
    """A stranger's words as data: between marks that they cannot contain, on one line, `most` long."""
    seen = "".join(letter for letter in unicodedata.normalize("NFKC", words) if _is_shown(letter))
    inner = " ".join(re.sub(r"<\|[^|]*\|>|[<>\[\]]", " ", seen).split())
    return f"<{mark}>{inner[:most]}</{mark}>"


def _is_shown(letter: str) -> bool:
    """Neither invisible nor a command to whoever shows it; joiners within words are no loss."""
    return letter.isspace() or unicodedata.category(letter) not in ("Cf", "Cc", "Co", "Cn")


class Memory:
    """The turns of one call, in which an agent's message holds only what reached the caller."""

    def __init__(self) -> None:
        self._turns: list[ChatMessage] = []
        self._heard = ""  # of the agent since the caller's last words, settled by `heard`
        self._saying = ""  # said since, not settled yet
        self._remark = ""  # what the model is to know before the caller's next words
        self._done = ""  # what the model had done since the caller's last words
        self._last: tuple[str, str, str] = ("", "", "")  # the caller's last words, what was before them

    def noticed(self, step: Step) -> Step:
        """Remember what the agent is about to say."""
        if isinstance(step, Say):
            self._saying = f"{self._saying} {step.text}".strip()
        return step

    def heard(self, text: str, *, interrupted: bool) -> None:
        said = text if interrupted else self._saying or text  # an operator's words were never `noticed`
        self._heard = f"{self._heard} {said}".strip()
        self._saying = ""
        if interrupted:
            self._remark = _INTERRUPTED if text else _NOT_HEARD

    def done(self, what: str) -> None:
        """The model used a tool; that is so whether the caller heard of it or not."""
        self._done = f"{self._done}\n{what}".strip()

    def operator_said(self, words: str) -> None:
        """A person of the company has the call; the model is not the one who speaks."""
        self._heard = f"{self._heard} (A colleague said in your place: {words})".strip()

    def caller_said(self, words: str, message: str) -> None:
        """The next turn, `message` being its `words` as the model sees them.

        A turn that was never answered (the model failed, or nobody heard the answer) and comes again,
        perhaps with more words behind, takes the place of the first.
        """
        last_words, last_remark, last_done = self._last
        answered = self._heard or self._saying
        if not answered and last_words and words.startswith(last_words):
            self._turns.pop()
            self._remark = last_remark
            self._done = f"{last_done}\n{self._done}".strip()
        if answered:
            self._turns.append(ChatMessage("assistant", answered))
        self._last = (words, self._remark, self._done)
        before = "\n".join(filter(None, (self._done, self._remark)))
        self._turns.append(ChatMessage("user", f"{before}\n{message}".strip()))
        self._heard = self._saying = self._remark = self._done = ""

    def last(self, count: int) -> list[ChatMessage]:
        """The last messages, caller and agent in turn, the caller first: many models refuse another order."""
        messages: list[ChatMessage] = []
        for turn in self._turns:
            if messages and messages[-1].role == turn.role:
                turn = ChatMessage(turn.role, f"{messages.pop().content}\n{turn.content}")
            messages.append(turn)
        messages = messages[-count:]
        return messages[1:] if messages[0].role == "assistant" else messages
