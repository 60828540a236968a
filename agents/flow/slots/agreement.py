"""Yes or no, with the ways to say it that answer a question of the flow: "I do", "we haven't"."""

from __future__ import annotations

import re

from ..hearing import Verdict, gist, plain, yes_or_no

_INTRODUCTION = re.compile(
    r"^\W*(?:(?:um+|uh+|i(?:'d| would) say|i (?:think|guess|believe)|let's say)\b\W*)+", re.I
)
_WHO = r"(?:i|we|he|she|it|they|there|you)"
_DOES = r"(?:do|does|did|am|are|is|was|have|has|had|can|will|would)"
_YES = re.compile(
    rf"i (?:think|believe|guess|hope|suppose) so|{_WHO} {_DOES}"
    r"|why not|please do|very much(?: so)?|that would be (?:great|good|nice|lovely|fine)"
)
_NO = re.compile(
    rf"{_WHO} (?:\w+n't|{_DOES} not|cannot|never (?:did|have))"
    rf"|{_WHO}(?:'m|'re|'s|'ve) not|not yet|never|not at all|absolutely not|certainly not|of course not"
)


def agreement(words: str) -> Verdict | None:
    """The yes or no that words are, or begin with."""
    for text in (words, _INTRODUCTION.sub("", words)):
        said = {plain(text), gist(text)}
        if any(map(_NO.fullmatch, said)):
            return Verdict(yes=False, rest="")
        if any(map(_YES.fullmatch, said)):
            return Verdict(yes=True, rest="")
        if verdict := yes_or_no(text):
            return verdict
    return None
