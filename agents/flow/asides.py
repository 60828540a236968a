"""Asides: words in the middle of a message, or in place of an answer, that are meant for something else."""

from __future__ import annotations

from .hearing import is_courtesy, plain, yes_or_no
from .knowledge import Fact
from .matching import Match
from .message import MessageTaker
from .understanding import UNMISTAKABLE, is_plain, is_urgent


def is_aside(match: Match, words: str, *, may_answer: bool) -> bool:
    """Whether words that come in place of an answer are clearly meant for something else; less so where they
    may answer what was asked: "May Park" is a name, and near to parking."""
    if may_answer and isinstance(match.best.target, Fact):
        return match.best.score >= UNMISTAKABLE
    return is_plain(match, words)


def is_aside_from(taker: MessageTaker, match: Match, words: str) -> bool:
    """The same in the middle of a message. What is dictated, or put right, may well resemble what could also
    be asked."""
    if taker.stage == "words":
        return _ends_dictation(match)
    if taker.reads_back:
        return _is_aside_to_read_back(match, words, corrects=taker.is_sure_of(words))
    if taker.is_sure_of(words) and not is_urgent(match.best):
        return False
    return is_aside(match, words, may_answer=taker.may_be_answered_by(words))


def is_no_aside(taker: MessageTaker, words: str) -> bool:
    """Whether the words, a bare yes or no to what was asked, need no look at what else they may mean."""
    verdict = yes_or_no(words)
    if verdict is None or taker.stage == "words":
        return False
    return is_courtesy(verdict.rest) if taker.reads_back else not verdict.rest


def _is_aside_to_read_back(match: Match, words: str, *, corrects: bool) -> bool:
    """Of words that come instead of a yes or no; "that's all" is one."""
    if is_urgent(match.best):
        return True
    if not is_plain(match, words):
        return False
    match match.best.name:
        case "goodbye":
            return not {"goodbye", "bye"}.isdisjoint(plain(words).split())
        case "transfer" | "wait" | "repeat":
            return True
        case "thanks" | "misunderstood" | "message":
            return False
    return not corrects


def _ends_dictation(match: Match) -> bool:
    """Whether words are no part of a message that is being dictated: "tell them to call me back" is."""
    return match.best.score == 1.0 and match.best.name in ("transfer", "goodbye")
