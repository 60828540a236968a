"""Blocks -> passages: as long as one thought, never across headings or pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from textwrap import wrap

from mlservices.text import sentences

from .reading import Block, Unreadable

LONGEST = 700  # characters: what a small model of meaning takes in, and a caller in one answer
MOST = 10_000  # of one source


def passages_of(blocks: Iterable[Block]) -> list[Block]:
    """In their order; the same for the same blocks. Raises Unreadable where there are too many."""
    found: list[Block] = []
    for answered, run in groupby(blocks, key=lambda block: (block.heading, block.page, bool(block.answer))):
        if answered[2]:
            found += run
        else:
            found += _gathered(list(run))
    if len(found) > MOST:
        raise Unreadable(f"It has {len(found):,} passages; {MOST:,} are allowed. Divide it.")
    return found


def _gathered(blocks: list[Block]) -> Iterator[Block]:
    """Of one heading and page."""
    first, text = blocks[0], ""
    for piece in (piece for block in blocks for piece in _pieces(block.text)):
        if text and len(text) + 1 + len(piece) > LONGEST:
            yield Block(text, first.heading, first.page)
            text = ""
        text = f"{text} {piece}".strip()
    if text:
        yield Block(text, first.heading, first.page)


def _pieces(text: str) -> Iterator[str]:
    """A paragraph that is short enough, else its sentences; one that is none is cut."""
    for piece in [text] if len(text) <= LONGEST else sentences(text):
        yield from wrap(piece, LONGEST, break_on_hyphens=False)


def embedded(block: Block) -> str:
    """What a passage is found by."""
    return f"{block.heading}. {block.text}" if block.heading else block.text
