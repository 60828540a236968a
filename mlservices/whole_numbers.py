"""Whole numbers as they stand in addresses, forms and headers that others write."""

from __future__ import annotations

_MOST_DIGITS = 18  # of what fits into a column of any database


def whole_number(text: str) -> int | None:
    """Of "42". None for anything else: signs, other scripts' digits, and what no column could hold."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
