"""Finding passages by meaning: the vectors of a base as one matrix in memory, read anew when they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from asgiref.sync import sync_to_async
from django.db import DatabaseError
from numpy.typing import NDArray

from mlservices.errors import EngineError
from mlservices.interfaces import Embedder

from ..flow.looking_up import Found, Lookup
from .models import KnowledgeBase, Passage

MOST = 5


@dataclass(frozen=True, slots=True)
class Shelf:
    """The passages of one base by the length of their vectors, which one model of meaning shares: a matrix of
    the shape (passages, dimensions) with rows of unit length, and what its rows are."""

    stamp: tuple[object, ...]
    rows: Mapping[int, tuple[NDArray[np.float32], Sequence[Found]]]

    def nearest(self, vector: NDArray[np.float32], most: int = MOST) -> list[Found]:
        """Raises EngineError where all of them were embedded by another model."""
        if not self.rows:
            return []
        if len(vector) not in self.rows:
            raise EngineError(
                "The sources were read with another model of meaning: read them again.", service="embed"
            )
        matrix, passages = self.rows[len(vector)]
        scores = matrix @ vector
        few = np.argpartition(scores, -min(most, len(scores)))[-most:]
        return [replace(passages[i], score=float(scores[i])) for i in few[np.argsort(-scores[few])]]


_shelves: dict[str, Shelf] = {}
_reading = Lock()


def shelf_of(slug: str) -> Shelf | None:
    """As the base is now; None where there is none. Asks the database, for one number if nothing changed."""
    bases = KnowledgeBase.objects.filter(slug=slug)
    stamp = bases.values_list("pk", "created_at", "stamp").first()  # another base may have had the address
    if stamp is None:
        _shelves.pop(slug, None)
        return None
    with _reading:
        known = _shelves.get(slug)
        if known is None or known.stamp != stamp:
            known = _shelves[slug] = _read(slug, stamp)
    return known


def lookup_in(slug: str, embedder: Embedder) -> Lookup:
    """For a call; safe on the event loop."""

    async def lookup(words: str) -> Sequence[Found]:
        try:
            shelf = await sync_to_async(shelf_of)(slug)
        except DatabaseError as error:
            raise EngineError(f"The knowledge base cannot be read: {error}", service="embed") from error
        if shelf is None or not shelf.rows:
            return []
        (vector,) = await embedder.embed([words])
        return shelf.nearest(vector)

    return lookup


def _read(slug: str, stamp: tuple[object, ...]) -> Shelf:
    rows = Passage.objects.filter(source__base__slug=slug).order_by("source_id", "place")
    fields = ("vector", "text", "source__name", "heading", "page", "answer")
    sorted_out: dict[int, tuple[list[NDArray[np.float32]], list[Found]]] = {}
    for vector, text, source, heading, page, answer in rows.values_list(*fields):
        vectors, found = sorted_out.setdefault(len(vector) // 4, ([], []))
        vectors.append(np.frombuffer(vector, np.float32))
        found.append(Found(text, source, 0.0, heading, page, answer))
    return Shelf(stamp, {size: (np.stack(vectors), found) for size, (vectors, found) in sorted_out.items()})
