"""Words on their way to the ear: where a sentence ends, and how a number is said.

`speakable` writes English numbers out; for other languages it only takes the markup away, since their
voices read digits themselves.
"""

# ruff: noqa: RUF001 (typographic quotes, dashes and full-width stops are what this file is about)

from __future__ import annotations

import re
import unicodedata

LONGEST_SENTENCE = 240
"""Characters; longer ones are cut at a comma or a space, so that the first sound does not wait for all."""

LONG_SENTENCE = 60
"""Characters, about four seconds; a longer sentence is worth starting by its first clause."""

SHORTEST_CLAUSE = 20
_CLAUSE_END = re.compile(r"[,;:]\s")

_ABBREVIATION = re.compile(
    r"\b(?:dr|mr|mrs|ms|prof|sr|jr|st|ave|blvd|rd|no|vs|etc|inc|ltd|co|corp|approx|dept|est|tel|ext)$"
    r"|\b(?:e\.g|i\.e|a\.m|p\.m|u\.s|u\.k)$|\b(?-i:[A-HJ-Z])$",
    re.I,
)
_END = re.compile(r"""(?:[.!?…]+["'”’)\]]*(?=\s)|[。！？।]+["'”’)\]]*|\n\s*)""")


def _split(text: str) -> tuple[list[str], str]:
    """The sentences of `text` that are certainly whole, and the rest."""
    whole, start = [], 0
    for match in _END.finditer(text):
        ends_in_stop = match[0].rstrip("\"'”’)]") == "."
        # "at 9 a.m. Tomorrow ..." does end: an abbreviated time before a capital is taken for an end.
        if ends_in_stop and _ABBREVIATION.search(text[start : match.start()]):
            following = text[match.end() :].lstrip()
            time_before_capital = text[start : match.start()].lower().endswith((".m", "etc")) and (
                following[:1].isupper()
            )
            if not time_before_capital:
                continue
        sentence = text[start : match.end()].strip()
        if sentence:
            whole.append(sentence)
        start = match.end()
    return whole, text[start:]


def _cut(sentence: str) -> list[str]:
    """A sentence in pieces of at most `LONGEST_SENTENCE` characters."""
    pieces = []
    while len(sentence) > LONGEST_SENTENCE:
        head = sentence[:LONGEST_SENTENCE]
        at = max(head.rfind(mark) + 1 for mark in (", ", "; ", ": ", " - "))
        at = at if at > LONGEST_SENTENCE // 3 else head.rfind(" ")
        at = at if at > 0 else LONGEST_SENTENCE
        pieces.append(sentence[:at].strip())
        sentence = sentence[at:].strip()
    return [*pieces, sentence] if sentence else pieces


def sentences(text: str) -> list[str]:
    """The sentences of a finished text, none of them empty or longer than `LONGEST_SENTENCE`."""
    splitter = SentenceSplitter()
    return [*splitter.feed(text), *splitter.flush()]


def first_clause(sentence: str) -> tuple[str, str]:
    """A long sentence as (what comes before its first comma, the rest), a short one as (all, "").

    A voice makes no sound before it has read what it is given to the end; the clause is sooner read.
    """
    if len(sentence) <= LONG_SENTENCE:
        return sentence, ""
    match = _CLAUSE_END.search(sentence, SHORTEST_CLAUSE)
    if not match or len(sentence) - match.end() < SHORTEST_CLAUSE:
        return sentence, ""
    return sentence[: match.end()].rstrip(), sentence[match.end() :].lstrip()


class SentenceSplitter:
    """Sentences out of a text that arrives in pieces.

    A sentence is given out as soon as what follows shows that it is whole: a stop alone is not enough
    ("3." may become "3.5"), a stop and a space is.
    """

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, delta: str) -> list[str]:
        whole, self._rest = _split(self._rest + delta)
        return [piece for sentence in whole for piece in _cut(sentence)]

    def flush(self) -> list[str]:
        """What is left, at the end of the text."""
        whole, rest = _split(self._rest)
        self._rest = ""
        return [piece for sentence in [*whole, rest.strip()] if sentence for piece in _cut(sentence)]


# --- Numbers for the ear ---

# fmt: off
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)
# fmt: on
_SCALES = ((1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand"), (100, "hundred"))
_IRREGULAR_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_CURRENCIES = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny")}
_PLURALS = {"penny": "pence"}


def number_words(value: int) -> str:
    """A whole number below a trillion: 120 -> "one hundred twenty"."""
    if value < 0:
        return "minus " + number_words(-value)
    if value < 20:
        return _ONES[value]
    if value < 100:
        tens, ones = divmod(value, 10)
        return _TENS[tens] + (f" {_ONES[ones]}" if ones else "")
    for scale, name in _SCALES:
        if value >= scale:
            head, rest = divmod(value, scale)
            return f"{number_words(head)} {name}" + (f" {number_words(rest)}" if rest else "")
    raise AssertionError("unreachable")


def digit_words(digits: str) -> str:
    """One by one: "407" -> "four zero seven"; whatever is no digit is left out."""
    return " ".join(_ONES[int(digit)] for digit in digits if digit.isascii() and digit.isdigit())


def ordinal_words(value: int) -> str:
    """21 -> "twenty first"."""
    *head, last = number_words(value).split()
    if last in _IRREGULAR_ORDINALS:
        last = _IRREGULAR_ORDINALS[last]
    else:
        last = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return " ".join([*head, last])


def year_words(year: int) -> str:
    """1985 -> "nineteen eighty five"."""
    century, rest = divmod(year, 100)
    if 2000 <= year < 2010:
        return number_words(year)
    tail = "hundred" if rest == 0 else (f"oh {_ONES[rest]}" if rest < 10 else number_words(rest))
    return f"{number_words(century)} {tail}"


def _say_phone(match: re.Match[str]) -> str:
    """Digits in the groups they are written in, so that a listener can follow."""
    groups = [digit_words(group) for group in re.findall(r"\d+", match[0])]
    return ("plus " if match[0].startswith("+") else "") + ", ".join(groups)


def _say_time(match: re.Match[str]) -> str:
    hour, minute, half = int(match["hour"]), int(match["minute"]), (match["half"] or "")
    words = number_words(hour)
    if minute:
        words += f" oh {_ONES[minute]}" if minute < 10 else f" {number_words(minute)}"
    elif not half:
        words += " o'clock" if 1 <= hour <= 12 else " hundred"
    return words + (" a m" if half.lower().startswith("a") else " p m" if half else "")


def _say_hour(match: re.Match[str]) -> str:
    return f"{number_words(int(match[1]))} {match[2].lower()} m"


def _say_money(match: re.Match[str]) -> str:
    major, minor = _CURRENCIES[match[1]]
    whole, cents = int(match[2].replace(",", "")), int(match[3] or 0)
    words = f"{number_words(whole)} {major if whole == 1 else major + 's'}"
    if cents:
        words += f" and {number_words(cents)} {minor if cents == 1 else _PLURALS.get(minor, minor + 's')}"
    return words


def _say_large_money(match: re.Match[str]) -> str:
    major, _ = _CURRENCIES[match[1]]
    whole, _, decimals = match[2].replace(",", "").partition(".")
    words = number_words(int(whole)) + (f" point {digit_words(decimals)}" if decimals else "")
    return f"{words} {match[3].lower()} {major}s"


def _say_iso_date(match: re.Match[str]) -> str:
    year, month, day = (int(part) for part in match.groups())
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return f"{MONTHS[month - 1]} {ordinal_words(day)}, {year_words(year)}"


def _say_decimal(match: re.Match[str]) -> str:
    return f"{number_words(int(match[1].replace(',', '')))} point {digit_words(match[2])}"


def _say_number(match: re.Match[str]) -> str:
    digits = match[0].replace(",", "")
    if (len(digits) > 6 and "," not in match[0]) or (len(digits) > 1 and digits[0] == "0"):
        return digit_words(digits)
    return number_words(int(digits)) if int(digits) < 10**12 else digit_words(digits)


_NUMBERS = (
    (re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b"), _say_iso_date),
    (re.compile(r"\+?\(?\d{1,4}\)?(?:[ .-]\(?\d{2,4}\)?){2,4}\b|\+\d{7,15}\b"), _say_phone),
    (re.compile(r"\b\d{3}-\d{4}\b"), _say_phone),
    (
        re.compile(
            r"\b(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)\b(?:\s?(?P<half>[ap]\.?\s?m\b\.?(?!\w)))?", re.I
        ),
        _say_time,
    ),
    (re.compile(r"\b(1[0-2]|0?[1-9])\s?([ap])\.?m\b\.?(?!\w)", re.I), _say_hour),
    (
        re.compile(
            r"([$€£])\s?((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s?(thousand|million|billion|trillion)\b", re.I
        ),
        _say_large_money,
    ),
    (re.compile(r"([$€£])\s?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d\d))?\b"), _say_money),
    # Short numbers that are called, not counted.
    (re.compile(r"(?<=\b(?:call|dial|ring|text) )\d{2,6}\b(?![.,:]?\d)", re.I), _say_phone),
    (re.compile(r"(?<![\d.,])(?:911|988)\b(?![.,:]?\d)"), _say_phone),
    (re.compile(r"\b(\d+)(?:st|nd|rd|th)\b"), lambda match: ordinal_words(int(match[1]))),
    (
        re.compile(r"(?<=\b(?:in|of) )((?:19|20)\d\d)\b|(?<=\d, )((?:19|20)\d\d)\b"),
        lambda match: year_words(int(match[0])),
    ),
    (re.compile(r"\b(\d{1,3}(?:,\d{3})+|\d+)\.(\d+)\b"), _say_decimal),
    (re.compile(r"\d{1,3}(?:,\d{3})+|\d+"), _say_number),
)
_MARKUP = (
    (re.compile(r"```.*?```", re.S), " "),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"<[^>\n]{1,200}>"), " "),
    (re.compile(r"^\s{0,3}(?:#{1,6}\s+|>\s+|[-*+•]\s+)", re.M), ""),
    (re.compile(r"(\*\*|__|~~|`)"), ""),
    (re.compile(r"(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)"), ""),
)
_SYMBOLS = (
    (re.compile(r"\bhttps?://(?:www\.)?([^\s/?#]+)\S*"), r"\1"),
    (re.compile(r"(?<=\w)@(?=\w)"), " at "),
    (
        re.compile(r"(?<=[A-Za-z0-9])\.(?=(?:com|org|net|edu|gov|io|co|example|test|uk|de|fr|info)\b)"),
        " dot ",
    ),
    (re.compile(r"\s*&\s*"), " and "),
    (re.compile(r"(?<=\d)\s?%"), " percent"),
    (re.compile(r"(?<=\d)\s?°\s?([CF])\b"), r" degrees \1"),
    (re.compile(r"#(?=\d)"), "number "),
    (re.compile(r"(?<![\w.,-])(\d{1,2})-(\d{1,2})(?![\w-]|[.,]\d)"), r"\1 to \2"),
    (re.compile(r"(?<=\d)\s?[–—]\s?(?=\d)|(?<=\d[ap]m)\s?[-–—]\s?(?=\d)"), " to "),
    (re.compile(r"\s+[–—]\s+|\s*—\s*"), ", "),
)


def _is_speakable(character: str) -> bool:
    """Letters, marks, numbers, punctuation and money: no emoji, arrows or box lines."""
    return character.isspace() or unicodedata.category(character)[0] in "LMNP" or character in "+$€£%°'"


def speakable(text: str, language: str = "en") -> str:
    """`text` as a voice should read it: no markup, and in English numbers, times and addresses in words."""
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    if language.lower().startswith("en"):
        for pattern, replacement in _SYMBOLS:
            text = pattern.sub(replacement, text)
        for pattern, say in _NUMBERS:
            text = pattern.sub(say, text)
    text = "".join(character if _is_speakable(character) else " " for character in text)
    return re.sub(r"\s+([,.!?;:])", r"\1", re.sub(r"\s+", " ", text)).strip()
