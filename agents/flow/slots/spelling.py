"""Words that callers spell: "S M Y T H E", "s for sierra", "double t", "J-A-N-E"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_ALPHABET = (
    "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november "
    "oscar papa quebec romeo sierra tango uniform victor whiskey whisky xray yankee zulu"
)
_NATO = {word: word[0] for word in _ALPHABET.split()}
# As recognition writes the names of letters among others that are spelled.
_NAMES = {
    "bee": "b", "cee": "c", "see": "c", "sea": "c", "dee": "d", "ee": "e", "ef": "f", "eff": "f", "gee": "g",
    "aitch": "h", "haitch": "h", "jay": "j", "kay": "k", "ell": "l", "el": "l", "em": "m", "en": "n",
    "pee": "p", "pea": "p", "cue": "q", "queue": "q", "ar": "r", "are": "r", "ess": "s", "tee": "t",
    "tea": "t", "you": "u", "vee": "v", "ex": "x", "why": "y", "zee": "z", "zed": "z",
}  # fmt: skip
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|[^\w\s]|[\d_]+")
_ANNOUNCED = ("spelled", "spelt", "that's", "thats", "spelling", "spell")
_SIGNS = frozenset({"dot", "at", "underscore", "dash", "hyphen", "minus", "plus", "period", "point"})
ALIKE = 0.5  # from this share of letters on (0..1) a word may be the one that is spelled


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it was said, or put together from `spelled` letters."""

    text: str
    spelled: bool = False


def spelled_together(words: str, *, shortest: int = 3) -> list[Word]:
    """The words and signs, with letters that are spelled one by one put together; a run shorter than
    `shortest` is left as it is, unless the letters were told by words ("s for sierra").

    A word that is spelled after it was said is there once: "Smythe, S M Y T H E".
    """
    tokens = _TOKEN.findall(words.replace("\u2019", "'"))
    out: list[Word] = []
    at = 0
    while at < len(tokens):
        letters, end, by_words = _run(tokens, at)
        if len(letters) >= shortest or (by_words and len(letters) >= 2):
            _put(out, letters)
            at = end
        else:
            out.append(Word(tokens[at]))
            at += 1
    return out


def _put(out: list[Word], letters: str) -> None:
    """Append what was spelled, in place of what announced it and of the word it spells."""
    kept = len(out)
    while kept and (out[kept - 1].text.lower() in _ANNOUNCED or out[kept - 1].text in ",;:"):
        kept -= 1
    if kept and not out[kept - 1].spelled and is_alike(out[kept - 1].text, letters):
        kept -= 1
    elif kept < len(out) and all(word.text in ",;:" for word in out[kept:]):
        kept = len(out)
    del out[kept:]
    out.append(Word(letters, spelled=True))


def is_alike(said: str, spelled: str) -> bool:
    """Whether a word that was heard may be what was spelled."""
    said, spelled = said.lower(), spelled.lower()
    return len(said) > 1 and said not in _SIGNS and SequenceMatcher(None, said, spelled).ratio() >= ALIKE


def _run(tokens: list[str], at: int) -> tuple[str, int, bool]:
    """The letters spelled from a token on, where they end, and whether by words that stand for them."""
    letters, by_words = "", False
    end = at
    while end < len(tokens):
        found = _letters_at(tokens, end, begun=bool(letters))
        if found is None:
            if tokens[end] in ("-", ".", ",") and letters and _letters_at(tokens, end + 1, begun=False):
                end += 1
                continue
            break
        more, end, word = found
        letters += more
        by_words = by_words or word
    return letters, end, by_words


def _letters_at(tokens: list[str], at: int, *, begun: bool) -> tuple[str, int, bool] | None:
    """The letter or letters that a token stands for, where they end, and whether by a word."""
    token, following = _at(tokens, at), _at(tokens, at + 1)
    if token == "capital" and len(following) == 1:
        return _letters_at(tokens, at + 1, begun=begun)
    if token == "double" and following in ("u", "you"):
        return "w", at + 2, False
    if token in ("double", "triple"):
        found = _letters_at(tokens, at + 1, begun=False)
        return (found[0] * (2 if token == "double" else 3), found[1], found[2]) if found else None
    if len(token) == 1 and token.isalpha():
        example = _example_of(tokens, at)
        return token, example or at + 1, example is not None
    if begun and token in _NAMES and (not following or len(following) == 1):
        return _NAMES[token], at + 1, False
    if token in _NATO and (begun or following in _NATO or (len(following) == 1 and following.isalpha())):
        return _NATO[token], at + 1, True
    return None


def _example_of(tokens: list[str], at: int) -> int | None:
    """Where "for sierra" or "as in sierra" behind an S ends."""
    word = at + 2 if _at(tokens, at + 1) in ("for", "like") else None
    if (_at(tokens, at + 1), _at(tokens, at + 2)) == ("as", "in"):
        word = at + 3
    if word is None:
        return None
    return word + 1 if len(_at(tokens, word)) > 1 and _at(tokens, word)[0] == _at(tokens, at) else None


def _at(tokens: list[str], at: int) -> str:
    return tokens[at].lower() if at < len(tokens) else ""
