"""What to try where a search of calls has found nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from .filters import Filters
from .search import Search, find

MOST_WORDS = 8  # of a search that are looked at
SHORTEST = 3  # letters of a beginning that is offered
MOST_STEPS = 4


@dataclass(frozen=True, slots=True)
class Step:
    """Another list, which has calls: what a link to it says, and its address after the question mark."""

    text: str
    query: str


def unsaid_in(filters: Filters) -> list[str]:
    """The words with which no word of any call begins."""
    return [word for word in filters.words.split()[:MOST_WORDS] if not _is_said(word)]


def steps(filters: Filters, unsaid: list[str], finds: Callable[[Filters], bool]) -> list[Step]:
    """Lists near to what was asked that are not empty, as `finds` knows; the nearest first."""
    found = (step for step, asked in _near(filters, unsaid) if finds(asked))
    return [step for step, _number in zip(found, range(MOST_STEPS), strict=False)]


def _near(filters: Filters, unsaid: list[str]) -> Iterator[tuple[Step, Filters]]:
    words = filters.words.split()
    beginnings = {word: _beginning_of(word) for word in unsaid}
    if unsaid and all(beginnings.values()):
        yield _other_words(filters, [beginnings.get(word) or word for word in words])
    for dropped in [unsaid] if unsaid else [[word] for word in words[:MOST_WORDS]]:
        rest = [word for word in words if word not in dropped]
        if rest:
            yield _other_words(filters, rest)
    alone = Filters(words=filters.words, number=filters.number)
    if filters.asks_words and alone != filters.without("sort"):
        yield Step(_("Search all calls for these words"), alone.as_query()), alone


def _other_words(filters: Filters, words: list[str]) -> tuple[Step, Filters]:
    asked = replace(filters, words=" ".join(words))
    return Step(_("Search for “%(words)s”") % {"words": asked.words}, asked.as_query()), asked


def _beginning_of(word: str) -> str:
    """The longest beginning of the word that was said, of half of it at least: "park" for "parking"."""
    shortest = max(SHORTEST, len(word) // 2)
    lengths = range(shortest, len(word))
    # A beginning of what was said was said too, so the longest is found by halving.
    unsaid = bisect_left(lengths, True, key=lambda length: not _is_said(word[:length]))
    return word[: shortest + unsaid - 1] if unsaid else ""


def _is_said(word: str) -> bool:
    return bool(find(Search(words=word), limit=1))
