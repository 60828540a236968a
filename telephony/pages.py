"""Lists too long to be counted to their end: how many there are up to a bound, and one page of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

PAGE_SIZE = 50
MOST_COUNTED = 3_000  # rows; beyond that a list says "more than", and its pages end


@dataclass(frozen=True, slots=True)
class BoundedPage:
    """As templates ask a Page of Django's; `number` counts from 1."""

    object_list: list[Any]
    number: int
    count: int  # at most MOST_COUNTED
    more: bool  # than were counted

    @classmethod
    def of(cls, rows: QuerySet[Any], asked: str | None) -> BoundedPage:
        """Two queries, or one where there is nothing. A page that is not there is the nearest that is."""
        counted = rows.order_by().values("pk")[: MOST_COUNTED + 1].count()
        return cls.cut(counted, asked, lambda start, end: list(rows[start:end]))

    @classmethod
    def cut(cls, counted: int, asked: str | None, fetch: Callable[[int, int], list[Any]]) -> BoundedPage:
        """Of rows counted to MOST_COUNTED + 1; `fetch` gets those from a number to before another."""
        count = min(counted, MOST_COUNTED)
        last = max(1, -(-count // PAGE_SIZE))
        number = min(max(1, int(asked[:9])), last) if asked and asked.isascii() and asked.isdigit() else 1
        shown = fetch((number - 1) * PAGE_SIZE, number * PAGE_SIZE) if counted else []
        return cls(shown, number, count, counted > MOST_COUNTED)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.object_list)

    @property
    def num_pages(self) -> int:
        return max(1, -(-self.count // PAGE_SIZE))

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_next(self) -> bool:
        return self.number < self.num_pages

    @property
    def has_other_pages(self) -> bool:
        return self.num_pages > 1

    @property
    def previous_page_number(self) -> int:
        return self.number - 1

    @property
    def next_page_number(self) -> int:
        return self.number + 1

    @property
    def paginator(self) -> BoundedPage:
        """The pager's template asks it for `num_pages`."""
        return self
