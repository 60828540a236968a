"""Which of the known meanings a caller's words are nearest to, by sentence embedding."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlservices.interfaces import Embedder

from .hearing import gist, plain
from .intents import Intent
from .knowledge import Fact

logger = logging.getLogger(__name__)

Vector = NDArray[np.float32]

# Texts in one request while examples are learnt: small enough that the turns of other calls get
# between two of them.
BATCH = 64
LONGEST_QUERY_SENTENCES = 4


class Meanings:
    """The vectors of texts that come again and again. `known` may be shared by all calls of a process."""

    def __init__(self, embedder: Embedder, known: MutableMapping[str, Vector]) -> None:
        self._embedder = embedder
        self._known = known
        self._learning: asyncio.Task[None] | None = None

    def learn_soon(self, texts: Iterable[str]) -> None:
        """Begin to learn without waiting; a failure is met again, and told, by `learn`."""
        missing = self._missing(texts)
        if missing and (self._learning is None or self._learning.done()):
            self._learning = asyncio.create_task(self._learn(missing))
            self._learning.add_done_callback(_log_failure)

    async def learn(self, texts: Iterable[str]) -> None:
        """Learn what is not known yet. Giving up the wait does not stop the learning. Raises EngineError."""
        texts = list(texts)
        if self._learning:
            await asyncio.wait({self._learning})  # whether it failed shows in what is missing
        self.learn_soon(texts)
        if self._learning and not self._learning.done():
            await asyncio.shield(self._learning)

    async def embed(self, texts: Sequence[str]) -> Vector:
        """The vectors of a caller's words, which are not kept; shape (len(texts), dimensions)."""
        return await self._embedder.embed(texts)

    def matrix(self, texts: Sequence[str]) -> Vector:
        """The vectors of texts that have been learnt."""
        return np.stack([self._known[text] for text in texts])

    def _missing(self, texts: Iterable[str]) -> list[str]:
        return [text for text in dict.fromkeys(texts) if text not in self._known]

    async def _learn(self, texts: Sequence[str]) -> None:
        for start in range(0, len(texts), BATCH):
            batch = texts[start : start + BATCH]
            self._known.update(zip(batch, await self._embedder.embed(batch), strict=True))


def _log_failure(learning: asyncio.Task[None]) -> None:
    if not learning.cancelled() and (error := learning.exception()):
        logger.warning("The examples could not be learnt yet: %s", error)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fact or an ability, and how near the words came to it (cosine, at most 1)."""

    target: Fact | Intent
    score: float

    @property
    def name(self) -> str:
        return self.target.name if isinstance(self.target, Intent) else self.target.topic


@dataclass(frozen=True, slots=True)
class Match:
    """All meanings, the nearest first."""

    ranking: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        return self.ranking[0]

    @property
    def runner_up(self) -> Candidate | None:
        return self.ranking[1] if len(self.ranking) > 1 else None

    @property
    def margin(self) -> float:
        return self.best.score - self.runner_up.score if self.runner_up else 1.0

    def nearest(self, targets: Sequence[Fact | Intent]) -> Candidate | None:
        """The nearest of these only."""
        return next((candidate for candidate in self.ranking if candidate.target in targets), None)

    def led_by(self, candidate: Candidate) -> Match:
        """The same with a candidate moved to the front."""
        return Match((candidate, *(other for other in self.ranking if other.target is not candidate.target)))


class Matcher:
    """Facts and abilities, each by its examples."""

    def __init__(self, meanings: Meanings, targets: Sequence[Fact | Intent]) -> None:
        self._meanings = meanings
        self._targets = list(targets)
        self._examples: list[str] = []
        owners: list[int] = []
        for index, target in enumerate(self._targets):
            texts = target.examples if isinstance(target, Intent) else (target.topic, *target.questions)
            self._examples += map(plain, texts)
            owners += [index] * len(texts)
        self._owners = np.array(owners)
        self._exact = {
            text: self._targets[owner] for text, owner in zip(self._examples, owners, strict=True) if text
        }

    @property
    def examples(self) -> Sequence[str]:
        return self._examples

    def exact(self, words: str) -> Match | None:
        """A match without an embedding: the words are one of the examples."""
        target = self._exact.get(plain(words)) or self._exact.get(gist(words))
        return Match((Candidate(target, 1.0),)) if target else None

    async def match(self, words: str) -> Match | None:
        """The meanings ranked, however far, by at most one embedding request; None without words.

        Raises EngineError when the words could not be embedded.
        """
        if exact := self.exact(words):
            return exact
        whole, sentences = _queries(words)
        if not whole or not self._examples:
            return None
        await self._meanings.learn(self._examples)
        queries = await self._meanings.embed([*whole, *sentences])
        scores = queries @ self._meanings.matrix(self._examples).T  # (queries, examples)
        ranking = [
            Candidate(target, self._score(index, scores, len(whole)))
            for index, target in enumerate(self._targets)
        ]
        ranking.sort(key=lambda candidate: candidate.score, reverse=True)
        return Match(tuple(ranking))

    def _score(self, index: int, scores: Vector, whole: int) -> float:
        """An ability is meant by all of the words, a fact may be asked for in one of their sentences."""
        mine = scores[:whole] if isinstance(self._targets[index], Intent) else scores
        return float(mine[:, self._owners == index].max())


def _queries(words: str) -> tuple[list[str], list[str]]:
    """All the words and their gist; then the gist of each sentence, if there are several."""
    whole = [text for text in dict.fromkeys((plain(words), gist(words))) if text]
    sentences = [gist(part) for part in re.split(r"[.?!]+", words) if len(plain(part).split()) > 1]
    return whole, sentences[-LONGEST_QUERY_SENTENCES:] if len(sentences) > 1 else []
