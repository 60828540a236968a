"""What callers say around an answer: "uh, that would be ...", "I don't know", "say that again"."""

from __future__ import annotations

import re

from ..hearing import gist, plain

_THING = (
    r"(?:(?:full|first|last|phone|telephone|mobile|cell|home|work|e-?mail|email|mail|account|customer|order"
    r"|date of|best) )*(?:number|name|address|e-?mail|code|pin|birth(?:day|date)?|date|time|answer|zip)"
    r"(?: address| code)?(?: (?:at|for) (?:work|home))?"
)
_LEAD = re.compile(
    r"^(?:\W*(?:um+|uh+|er+|erm|hm+|ah+|oh|yes|yeah|yep|sure|ok|okay|well|so|right|of course|certainly|hi"
    r"|hello|please|and|actually|sorry|no|i (?:think|guess|believe|mean|said|meant)|let me see|let's see"
    rf"|(?:my|the|our|your|his|her) {_THING}(?:'s| is| would be| was)?"
    r"|(?:it|that|this|there|he|she)(?:'s|'d be| is| would be| will be| was| should be)|its|thats"
    r"|make (?:it|that)|(?:you can )?put(?: down)?|you can (?:use|reach me at|write to)|use"
    r"|i(?:'d| would) (?:like|say|prefer)|i(?:'ll| will) (?:take|have|go (?:with|for))"
    r"|i want|let's (?:say|do)|say|how about|what about|maybe|perhaps)(?![\w'@._+-]|\s*@))+[\s,.:;]*",
    re.I,
)
_NOT_TOLD = re.compile(
    r"(?:(?:no|well|oh|sorry|i'm sorry|but|actually) )*"
    r"(?:i (?:do not|don't|really don't|honestly don't|can't|cannot) "
    r"(?:know|remember|recall|have (?:it|that|one|any|an? [\w-]+|the [\w-]+)|say|tell)"
    r"|(?:i )?(?:do not|don't) (?:want|wish|like) to(?: (?:say|tell|give|share))?"
    r"|(?:i'd |i would )?(?:rather not|prefer not(?: to)?)(?: say| tell| give| share| answer)?"
    r"|(?:i have )?no (?:idea|clue)"
    r"|i'm not (?:sure|certain)|not sure|i (?:have )?forgot(?:ten)?|it doesn't matter|whatever"
    r"|skip (?:it|that|this)|pass|none of your business|that's private)"
    r"(?: (?:it|that|this|right now|off ?hand|by heart|exactly|really|to be honest|with me|here|at the moment"
    r"|about that|you|(?:what|where) (?:it|that) is|my \w+(?: \w+)?))*"
)
_NOTHING = re.compile(r"(?:(?:i have|i've got|there is|there's) )?(?:none|nothing|no|no one|nope|not any)")
_AGAIN = re.compile(
    r"(?:(?:i'm|i am) )?(?:sorry |excuse me |i didn't (?:catch|get|hear|understand) (?:that|you|it) ?|what )*"
    r"(?:pardon(?: me)?|come again|what(?: was (?:that|the question))?|what did you (?:say|ask)|again"
    r"|(?:can|could|would|will) you (?:please )?(?:say|repeat|ask)(?: (?:that|it|the question|this|me))?"
    r"(?: (?:again|once more|one more time|more slowly))?"
    r"|(?:please )?(?:say|ask)(?: (?:that|it|me))?(?: (?:again|once more|one more time))"
    r"|(?:please )?repeat(?: (?:that|it|the question|please))*"
    r"|i (?:didn't|did not|couldn't|can't) (?:catch|get|hear|understand)(?: (?:that|you|it|the question))?)"
    r"(?: (?:please|sorry|again))*"
)


def bare(words: str) -> str:
    """The answer without what leads up to it."""
    text = words.replace("\u2019", "'").strip()
    return text[match.end() :].strip() if (match := _LEAD.match(text)) else text


def is_not_told(words: str) -> bool:
    """Whether the words only say that there will be no answer: "I don't know"."""
    return _NOT_TOLD.fullmatch(gist(words)) is not None or _NOT_TOLD.fullmatch(plain(words)) is not None


def is_nothing(words: str) -> bool:
    return _NOTHING.fullmatch(plain(words)) is not None


def wants_it_again(words: str) -> bool:
    """Whether the words ask for the question once more."""
    return _AGAIN.fullmatch(plain(words)) is not None
