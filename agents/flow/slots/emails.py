"""E-mail addresses: "jane underscore doe at gmail dot com", with parts of them spelled."""

from __future__ import annotations

import re

from mlservices.text import digit_words

from ..hearing import spoken_digits
from . import phrases
from .courtesies import bare
from .kinds import Reading, Refusal, Value
from .numbers import SMALL, TENS
from .spelling import is_alike, spelled_together

LONGEST = 254
_SIGNS = {
    "dot": ".", "period": ".", "point": ".", "underscore": "_", "dash": "-", "hyphen": "-", "minus": "-",
    "plus": "+", "at": "@",
}  # fmt: skip
_SPOKEN = {".": "dot", "_": "underscore", "-": "dash", "+": "plus", "@": "at"}
_MISHEARD = {"calm": "com", "come": "com", "kom": "com", "comm": "com"}
# Said without their ending.
_PROVIDERS = ("gmail", "googlemail", "hotmail", "outlook", "yahoo", "icloud", "aol", "gmx", "live")
_ADDRESS = re.compile(
    r"[a-z0-9_+-]{1,64}(?:\.[a-z0-9_+-]{1,64}){0,9}"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}"
)
_LOCAL = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*")
_AFTERWARDS = re.compile(
    r"[\s,.;]*(?:\b(?:that's|that is|thats|spelled|spelt|and it's|it's|with)\b[\s,:]*)+(?P<spelled>.*)$", re.I
)
# "It's rather long, it's jane at ...": what stands before the last such words is no part of it.
_INTRODUCTION = re.compile(r"^.*\b(?:it's|it is|mail is|address is)\s+(?=.*(?:@|\bat\b))", re.I | re.S)
_COURTESY = re.compile(
    r"[\s,.;!]*\b(?:please|thanks|thank you|all lower ?case|in lower ?case|all one word)\b", re.I
)
_DIGIT_WORDS = SMALL.keys() | TENS.keys()


def read_email(words: str, so_far: str = "") -> Reading:
    """`so_far` is the part before the at sign, told before."""
    address, spelled, sure = _address_in(words)
    if so_far and not _ADDRESS.fullmatch(address):
        local, _, domain = address.rpartition("@")
        address, spelled, sure = f"{so_far}@{_with_ending(domain)[0]}", spelled, not local and sure
    sure = sure and address.startswith(so_far)
    if _ADDRESS.fullmatch(address) and len(address) <= LONGEST:
        return Value(address, spoken_email(address, spelled), sure=sure)
    local, at, domain = address.rpartition("@")
    if not at and domain and _LOCAL.fullmatch(domain) and _may_begin(words):
        return Refusal("incomplete", phrases.AFTER_THE_AT, domain)
    return Refusal("not_understood", phrases.NO_ADDRESS if at else phrases.NO_AT_SIGN)


def corrected_email(address: str, words: str) -> Value | None:
    """The address with a part that is spelled in the place of the one it may be: "that's J A Y N E"; or with
    another side: "at outlook dot com"."""
    local, _, domain = address.partition("@")
    if re.match(r"at\b|@", bare(words), re.I):
        reading = read_email(words, local)
        return reading if isinstance(reading, Value) else None
    letters = [word.text.lower() for word in spelled_together(words) if word.spelled]
    for spelled in letters:
        if (replaced := _replaced(local, spelled)) is None:
            return None
        local = replaced
    right = f"{local}@{domain}"
    return Value(right, spoken_email(right, letters)) if letters and _ADDRESS.fullmatch(right) else None


def spoken_email(address: str, spelled: list[str] | None = None) -> str:
    """ "jane dot doe at example dot com"; the parts that were spelled are spelled, digits said one by one."""
    said = []
    for piece in re.findall(r"[a-z]+|\d|[._+@-]", address):
        if piece in _SPOKEN:
            said.append(_SPOKEN[piece])
        elif piece.isdigit():
            said.append(digit_words(piece))
        else:
            said.append(" ".join(piece.upper()) if spelled and piece in spelled else piece)
    return " ".join(said)


def _address_in(words: str) -> tuple[str, list[str], bool]:
    """What the words write, signs for their names; the parts that were spelled; whether that is sure, which
    it is only if it was spelled or written with its signs."""
    text = _INTRODUCTION.sub("", _COURTESY.sub(" ", bare(words)).strip(" ,.;!?"))
    if written := re.search(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", text, re.ASCII):
        address, rest = written[0].lower(), text[written.end() :]
        letters = [word.text.lower() for word in spelled_together(rest) if word.spelled]
        return _with_spelled(address, letters), letters, bool(letters)
    letters = []
    if (after := _AFTERWARDS.search(text, max(text.lower().rfind(" at "), 0))) and after["spelled"]:
        letters = [word.text.lower() for word in spelled_together(after["spelled"]) if word.spelled]
        text = text[: after.start()] if letters else text
    parts, spelled = _parts(text)
    local, at, domain = re.sub("@+", "@", "".join(parts)).rpartition("@")
    local = local.replace("@", "at")
    domain, whole = _with_ending(domain) if at else (domain, True)
    sure = bool(spelled or letters) and whole
    address = _with_spelled(f"{local}@{domain}", letters) if at else domain
    return address, [*spelled, *letters], sure


def _parts(text: str) -> tuple[list[str], list[str]]:
    """The pieces of an address that words make up, and those of them that were spelled."""
    parts, spelled = [], []
    numbers: list[str] = []
    words = spelled_together(text, shortest=2)
    for word in words:
        piece = word.text.lower()
        if piece in _DIGIT_WORDS or piece in ("double", "triple") or (numbers and piece in ("oh", "o")):
            numbers.append(piece)
            continue
        parts.append(spoken_digits(" ".join(numbers)))
        numbers = []
        piece = _MISHEARD.get(piece, piece) if parts[-2:-1] == ["."] else piece
        piece = _SIGNS.get(piece, piece)
        if piece not in ",;:!?'\"()":
            parts.append(piece.replace("'", ""))
        if word.spelled:
            spelled.append(piece)
    return [*parts, spoken_digits(" ".join(numbers))], spelled


def _with_ending(domain: str) -> tuple[str, bool]:
    """ "gmail" is gmail.com, though it was not said."""
    domain = domain.strip(".")
    return (f"{domain}.com", False) if domain in _PROVIDERS else (domain, True)


def _with_spelled(address: str, letters: list[str]) -> str:
    local, at, domain = address.rpartition("@")
    for spelled in letters:
        local = _replaced(local, spelled) or local
    return f"{local}{at}{domain}"


def _replaced(local: str, spelled: str) -> str | None:
    """The part before the at sign with the piece in it that is most like what was spelled replaced."""
    pieces = re.split(r"([._+-]|\d+)", local)
    alike = [at for at, piece in enumerate(pieces) if piece and is_alike(piece, spelled)]
    if not alike:
        return None
    pieces[alike[0]] = spelled
    return "".join(pieces)


def _may_begin(words: str) -> bool:
    """Whether words without an at sign are likely the part before it, and not a sentence."""
    count = len(bare(words).split())
    return count <= 2 or bool(re.search(r"\b(?:dot|underscore|dash|hyphen|[a-z] [a-z] [a-z])\b", words, re.I))
