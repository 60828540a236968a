"""What can be read in a caller's words without weighing their meaning: yes or no, digits, a name.

The words come from speech recognition: any case, with or without punctuation, digits as words or as
figures, now and then a homophone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPELLINGS = {"wanna": "want to", "gonna": "going to", "gotta": "have to"}
_FILLERS = re.compile(r"\b(?:um+|uh+|er+|erm+|hm+|ah+|you know|i mean)\b")
_COURTESIES_BEFORE = re.compile(
    r"^(?:(?:hello|hi|hey|good (?:morning|afternoon|evening|day)|there|yes|yeah|ok|okay|well|so|oh|sorry"
    r"|excuse me|i think|i guess|thanks|thank you|great|right|alright|all right|actually|please|and|but"
    r"|then)\b\s*)+"
)
_COURTESIES_AFTER = re.compile(
    r"(?:\s*\b(?:please|thanks|thank you(?: very much| so much)?|if you can|if possible))+$"
)


def plain(words: str) -> str:
    """Lower case, without punctuation or fillers: the form in which words are compared."""
    text = words.lower().replace("\u2019", "'")
    text = re.sub(r"[^a-z0-9+' ]+", " ", text)
    return " ".join(_SPELLINGS.get(word, word) for word in _FILLERS.sub(" ", text).split())


def gist(words: str) -> str:
    """The plain words without the courtesies around them, unless they were hardly more than courtesies."""
    text = plain(words)
    bare = _COURTESIES_AFTER.sub("", _COURTESIES_BEFORE.sub("", text))
    return bare if len(bare.split()) > 1 else text


# --- yes or no ---------------------------------------------------------------------------------

_NO = re.compile(
    r"^(?:(?:i |we )?don't think so|(?:i |we )?don't (?:need|have|want) anything(?: else| more)?"
    r"|(?:i |we )?don't have any (?:(?:more|other|further) )?questions"
    r"|(?:i have |we have )?no (?:more|other|further) questions|nothing(?: else| more)?"
    r"|(?:i'm |we're )?all set|(?:i'm|we're) (?:fine|good|okay|happy)"
    r"|not (?:really|that i (?:can think|know) of|(?:right )?now|at the moment|at this time|today)|not$"
    r"|no|nope|nah|negative|wrong|incorrect|don't (?:bother|worry)(?: about (?:it|that))?|don't$|never mind"
    r"|that's (?:wrong|incorrect)"
    r"|that's not(?! (?:all|it|everything)\b)|that is (?:not|wrong|incorrect)|it's (?:not|wrong)|it isn't)\b"
)
_YES = re.compile(
    r"^(?:yes|yeah|yep|yup|ya|yah|sure|correct|right|exactly|absolutely|definitely|certainly|indeed|perfect"
    r"|ok|okay|fine|of course|go ahead|please(?: do)?|uh huh|mm hm+|mhm|aha|affirmative|i would|i do"
    r"|i'd like that"
    r"|you got it|all (?:right|correct|good)"
    r"|(?:that's|that is|it's|it is|this is|sounds)"
    r" (?:right|correct|good|fine|perfect|great|it|the one|my number))\b"
)
_LEADING = re.compile(r"^(?:oh|well|so|and|er|hi|hello|i think|i guess|thank you|thanks|great)\b\s*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A yes or a no, and the plain words that came with it."""

    yes: bool
    rest: str


def yes_or_no(words: str) -> Verdict | None:
    """None when the words begin with neither."""
    raw = " ".join(re.sub(r"[^a-z0-9' ]+", " ", words.lower().replace("\u2019", "'")).split())
    text = _LEADING.sub("", raw) or raw
    if match := _NO.match(text):
        return Verdict(yes=False, rest=_more(text[match.end() :]))
    if match := _YES.match(text):
        rest = text[match.end() :].strip()
        # "yes no that's wrong": the last word counts.
        if rest and (second := _NO.match(rest)):
            return Verdict(yes=False, rest=_more(rest[second.end() :]))
        return Verdict(yes=True, rest=_more(rest))
    return None


def _more(rest: str) -> str:
    """What follows a yes or no, without what only repeats it."""
    rest = rest.strip()
    while match := _YES.match(rest) or _NO.match(rest):
        rest = rest[match.end() :].strip()
    return rest


# --- what is meant by it ----------------------------------------------------------------------

_CLOSING_WORDS = (
    "thanks thank you and cheers very so much for now today at the moment your help have a nice good great "
    "lovely day one evening weekend bye goodbye okay ok alright all right fine well it's that's it that "
    "will do i'm done then sorry worry problem ma'am madam sir dear please"
)
_COURTESIES = frozenset(_CLOSING_WORDS.split())


def is_courtesy(words: str) -> bool:
    """Whether the words, if any, hold nothing beside thanks, good wishes and a goodbye."""
    return set(plain(words).split()) <= _COURTESIES


# A "no" in front of a sentence answers what was asked, and denies nothing in it: "no that's all".
_NEGATION = re.compile(
    r"\b(?:not|never|nobody|cannot|without|\w+n't"
    r"|no(?! (?:that|it|this|i|we|you|thank|thanks|bye|goodbye)\b))\b"
)
_NO_MACHINE = re.compile(
    r"\b(?:no|not|\w+n't)(?: (?!human|person|people|some|any)[\w']+){0,6}?"
    r" (?:machines?|robots?|computers?|bots?|recordings?)\b"
)
_REQUEST = re.compile(
    r"\b(?:can|could|may|might|would|will|shall) (?:i|we|you|they|the|some\w+|any\w+)\b"
    r"|\b(?:i|we)(?:'d| would| want| need| can| could)\b|\b(?:trying|hoping|like|love) to\b"
    r"|\bplease\b|\bis there (?:some|any)\w+"
    r"|\b(?:let|give|get|put|connect|transfer|pass|switch) (?:me|us)\b"
    r"|^(?:have|ask|tell|take|leave|pass|(?:speak|talk) (?:to|with)|(?:call|ring|phone) (?:me|us)) "
)


def is_negated(words: str) -> bool:
    """Whether something is denied or refused; "no robots" and "not a machine" ask for a person."""
    return bool(_NEGATION.search(_NO_MACHINE.sub(" ", plain(words))))


_REFUSAL = re.compile(
    r"^(?:(?:no|oh|well|but|please)\b\s*)*(?:do not|don't|never|not)\b(?! (?:you|we|they)\b)"
)
_COMPLAINT = re.compile(
    r"(?:(?:no|oh|well|but|sorry)\b\s*)*(?:(?:that's|that is|that was|it's|it is|this is)\s+)?"
    r"(?:wrong|incorrect|not (?:right|correct|true|what i (?:said|meant|asked|wanted)(?: for)?))"
)


_NO_EMERGENCY = re.compile(r"\b(?:not|isn't|no|wasn't|ain't)(?: \w+){0,2} emergency\b")


def denies_emergency(words: str) -> bool:
    return bool(_NO_EMERGENCY.search(plain(words)))


def is_refusal(words: str) -> bool:
    """Whether the words tell not to do something: "no, don't transfer me"."""
    return bool(_REFUSAL.match(plain(words)))


def is_complaint(words: str) -> bool:
    """Whether the words only say that the agent got it wrong."""
    return bool(_COMPLAINT.fullmatch(plain(words)))


_ORDINAL = re.compile(r"(?:the )?(first|second)(?: one)?")


def ordinal(words: str) -> int | None:
    """0 for "the first one, please", 1 for the second; None of "just a second"."""
    match = _ORDINAL.fullmatch(gist(words))
    return ("first", "second").index(match[1]) if match else None


def is_request(words: str) -> bool:
    """Whether something is asked for: "can I ...", "put me ...", not "I was ..." or "who is ..."."""
    return bool(_REQUEST.search(plain(words)) or _REQUEST.search(gist(words)))


# --- numbers -----------------------------------------------------------------------------------

# fmt: off
_UNITS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "oh": "0", "o": "0", "nought": "0", "naught": "0", "niner": "9",
}
_TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
}
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fifty": "5", "sixty": "6", "seventy": "7", "eighty": "8",
    "ninety": "9",
}
# fmt: on
# Heard for a digit between two others: "five for five" is 545, "call me for help" has no digit.
_HOMOPHONES = {
    "to": "2",
    "too": "2",
    "for": "4",
    "fore": "4",
    "won": "1",
    "ate": "8",
    "tree": "3",
    "free": "3",
}  # fmt: skip
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
_ROUND = {"hundred": "00", "thousand": "000"}


_CORRECTION = re.compile(r"\b(?:sorry|no wait|i mean|correction|scratch that|start (?:again|over))\b")


def spoken_digits(words: str) -> str:
    """All digits said, in order, after a "+" if one was said: "double one twenty three" is "1123".

    Of a number that was begun again ("sorry, ...") the second saying counts, if it is as long as the first.
    """
    before, *after = (_digits_in(part) for part in _CORRECTION.split(words.lower()))
    again = next((digits for digits in reversed(after) if digits), "")
    return again if len(again) >= max(len(before), 1) else _digits_in(words)


def dictated_digits(words: str) -> str:
    """The digits of words that are a number or a part of one; "" of others: "that's the right one"."""
    digits = spoken_digits(words)
    count = len(digits.lstrip("+"))
    others = [token for token in plain(words).split() if not _digits_in(token)]
    return digits if count >= 3 or count >= len(others) else ""


_DIGIT = rf"(?:\d|\b(?:{'|'.join([*_UNITS, *_TEENS, *_TENS, *_REPEATS, 'plus'])})\b)"
_NUMBER_BEGINS = re.compile(
    r"(?:\band\b\W*)?(?:\b(?:(?:my|the)\s+)?(?:(?:tele)?phone\s+)?number(?:'s|\s+is)?\W*|\b(?:on|at)\W+)?"
    rf"{_DIGIT}(?:\W*{_DIGIT}){{2}}",
    re.I,
)


def before_number(words: str) -> str:
    """What was said before a number was dictated: "David" of "David, and my number is 415 ..."."""
    begins = _NUMBER_BEGINS.search(words)
    return words[: begins.start()].strip(" ,.+") if begins else words


def _digits_in(words: str) -> str:
    tokens = re.findall(r"\d|[a-z]+|\+", words.lower())
    if _is_dictation(tokens):
        tokens = [_HOMOPHONES.get(token, token) for token in tokens]
    digits: list[str] = []
    times = 1
    for at, token in enumerate(tokens):
        if token in _REPEATS:
            times = _REPEATS[token]
            continue
        found = _digits_of(
            token, tokens[at - 1] if at else "", tokens[at + 1] if at + 1 < len(tokens) else ""
        )
        if found is not None:
            digits.append(found * times)
        times = 1
    number = "".join(digits)
    plus = bool(re.search(r"(?:\+|\bplus\b)\W*(?:\d|[a-z])", words.lower()))
    return f"+{number}" if plus and number else number


def _is_dictation(tokens: list[str]) -> bool:
    """Whether nothing but digits was said, so that "for 15 555" begins with a four."""
    digits = sum(map(_is_digit, tokens))
    others = set(tokens) - _HOMOPHONES.keys() - _REPEATS.keys() - _ROUND.keys() - {"and", "plus", "+"}
    return digits >= 3 and all(map(_is_digit, others))


def _is_digit(token: str) -> bool:
    return token.isdigit() or token in _UNITS or token in _TEENS or token in _TENS


def _digits_of(token: str, before: str, after: str) -> str | None:
    """The digits that a token stands for, between its neighbours; None if it stands for none."""
    if token.isdigit():
        return token
    if token in _UNITS:
        if token in ("oh", "o") and not (_is_digit(before) or _is_digit(after) or before in _REPEATS):
            return None
        return _UNITS[token]
    if token in _TEENS:
        return _TEENS[token]
    if token in _TENS:
        return _TENS[token] if after in _UNITS and _UNITS[after] != "0" else _TENS[token] + "0"
    if token in _ROUND and before in _UNITS:
        return _ROUND[token]
    if token in _HOMOPHONES and _is_digit(before) and (_is_digit(after) or after in _REPEATS):
        return _HOMOPHONES[token]
    return None


# --- names -------------------------------------------------------------------------------------

_INTRODUCTION = re.compile(
    r"\b(?:(?:my|the) (?:full |first |last )?name(?:'s| is| would be)|name's|name is|you can call me|call me"
    r"|(?:you're|you are) (?:speaking|talking) (?:with|to))\s+",
    re.I,
)
_SOFT_INTRODUCTION = re.compile(
    r"^(?:(?:it's|it is|it would be|this is|that's|that is|that would be|i'm|i am|im|its|thats|make it"
    r"|put down|say)\s+)+",
    re.I,
)
_DOING = re.compile(r"[a-z]{3,}ing", re.I)  # "I'm having trouble" tells no name
_BEFORE_NAME = re.compile(
    r"^(?:(?:yes|yeah|yep|sure|ok|okay|of course|certainly|well|so|hi|hello|hey|um+|uh+|er+|oh|no|sorry"
    r"|thanks|thank you|please|and|right|actually|not [a-z]+|my name|the name|name)\b\s*)+",
    re.I,
)
_AFTER_NAME = re.compile(
    r"\s+(?:speaking|here|please|thanks|thank you|actually|and|from|spelled|spelt|with|that's)\b.*$", re.I
)
_TITLE = re.compile(r"(doctor|dr|mr|mrs|ms|miss|professor|sister|father)\b\.?\s+", re.I)
# fmt: off
_NO_NAME = frozenset({
    "a", "about", "again", "all", "an", "any", "anything", "appointment", "are", "ask", "at", "book",
    "but", "bye", "call", "calling", "can", "can't", "cancel", "cannot", "closed", "come", "could",
    "did", "do", "doctor", "does", "don't", "for", "from", "get", "give", "good", "goodbye", "got",
    "have", "hello", "help", "hi", "hold", "hours", "how", "human", "i", "i'm", "in", "incorrect", "is", "it",
    "it's",
    "know", "later", "leave", "like", "looking", "maybe", "me", "message", "mind", "minute",
    "moment", "much", "my", "name", "need", "never", "no", "nobody", "not", "nothing", "number", "of",
    "okay", "on", "open", "or", "pardon", "person", "please", "question", "quick", "real", "repeat",
    "robot", "say", "second", "should", "some", "somebody", "someone", "speak", "sure", "talk", "tell",
    "that", "that's", "the", "there", "they", "this", "time", "to", "today", "tomorrow", "wait", "want",
    "was", "we", "what", "what's", "when", "where", "where's", "which", "who", "why", "would", "wrong",
    "yes", "you", "your", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class SpokenName:
    name: str
    introduced: bool  # said with "my name is" or the like: it cannot be anything else


def spoken_name(words: str) -> SpokenName | None:
    """The name in an answer to "who is calling", or None if the words hold no plausible one."""
    text = " ".join(re.sub(r"[^\w'. -]+", " ", words.replace("\u2019", "'")).split())
    introduction = _INTRODUCTION.search(text)
    text = text[introduction.end() :] if introduction else _BEFORE_NAME.sub("", text + " ").strip()
    softly = _SOFT_INTRODUCTION.match(text)
    text = _BEFORE_NAME.sub("", _SOFT_INTRODUCTION.sub("", text) + " ").strip()
    text = _join_spelled(_AFTER_NAME.sub("", text)).strip(" .-'")
    title = _TITLE.match(text)
    parts = text[title.end() if title else 0 :].replace(".", " ").split()
    if not parts or len(parts) > 4 or not all(_is_name_part(part) for part in parts):
        return None
    if softly and _DOING.fullmatch(parts[0]):
        return None
    name = " ".join(map(_capital, [*([title[1]] if title else []), *parts]))
    return SpokenName(name, introduced=bool(introduction or softly))


def _is_name_part(part: str) -> bool:
    return bool(re.fullmatch(r"[^\W\d_]+(?:['-][^\W\d_]+)*", part)) and part.lower() not in _NO_NAME


def _join_spelled(text: str) -> str:
    """ "Smith S M I T H" or "S-M-I-T-H": letters spelled out replace the word they spell."""
    match = re.search(r"\b[a-z](?:[ .-]+[a-z]\b){2,}", text, re.I)
    if not match:
        return text
    spelled = re.sub(r"[^a-z]", "", match[0], flags=re.I)
    said = text[: match.start()].split()
    if said and said[-1][0].lower() == spelled[0].lower():
        said.pop()
    return " ".join([*said, spelled.capitalize()])


def _capital(part: str) -> str:
    """STT writes "alice" and "ALICE"; "McDonald" stays."""
    return "-".join(
        piece.capitalize() if piece.islower() or piece.isupper() else piece for piece in part.split("-")
    )
