"""Lists whose order and place are kept in the address: `?sort=-name`, `?per=100`, `?page=2`, `?after=...`.

    sort = sorting(request, {"name": "name", "calls": "calls_count"}, default="name")
    page = numbered_page(request, agents.order_by(*sort.order()))      # partials/_pager.html
    page = newest_page(request, calls, by="created_at")                # partials/_cursor_pager.html

Headers: {% sort_header "name" _("Agent") %} of the template library `shell`, with `sort` and `page` in the
context. The filter form takes the rest of the state along: see partials/_list_state.html.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme

PER_PAGE = (25, 50, 100)
_MARK = "~"  # between the two parts of a cursor


@dataclass(frozen=True, slots=True)
class Sorting:
    """`key` is the column's name in the address; `default` the whole word, with its minus."""

    key: str
    descending: bool
    field: str
    nullable: bool
    default: str

    @property
    def word(self) -> str:
        return f"-{self.key}" if self.descending else self.key

    def order(self) -> tuple[OrderBy | str, ...]:
        """For `order_by`; rows that are alike keep their order from page to page."""
        last = {"nulls_last": True} if self.nullable else {}  # a plain index serves the others
        field = F(self.field)
        return (field.desc(**last) if self.descending else field.asc(**last), "pk")


def sorting(
    request: HttpRequest, columns: Mapping[str, str], *, default: str, nullable: Collection[str] = ()
) -> Sorting:
    """The order asked for. `columns` are the names in the address with their fields; a word that is none of
    them means the default. Rows without a value in one of the `nullable` columns come last."""
    asked = request.GET.get("sort", "")
    word = asked if asked.removeprefix("-") in columns else default
    key = word.removeprefix("-")
    return Sorting(key, word.startswith("-"), columns[key], key in nullable, default)


def per_page(request: HttpRequest, default: int = 50) -> int:
    asked = request.GET.get("per", "")
    return int(asked) if asked in map(str, PER_PAGE) else default


def numbered_page(request: HttpRequest, rows: QuerySet[Any]) -> Page[Any]:
    return Paginator(rows, per_page(request)).get_page(request.GET.get("page"))


@dataclass(frozen=True, slots=True)
class CursorPage:
    """A part of a list too long to be counted. `older` and `newer` are cursors for the address, or ""."""

    rows: list[Any]
    older: str
    newer: str

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def newest_page(request: HttpRequest, rows: QuerySet[Any], *, by: str = "created_at") -> CursorPage:
    """Newest first; `?after=` goes on with older rows, `?before=` goes back. As fast on page 1000 as on page
    1, and nothing is shown twice when rows come in meanwhile. `by` needs an index."""
    size = per_page(request)
    after = _read(rows.model, request.GET.get("after", ""))
    before = None if after else _read(rows.model, request.GET.get("before", ""))
    if before:
        at, key = before
        newer = rows.filter(Q(**{f"{by}__gt": at}) | Q(**{by: at, "pk__gt": key}))
        found = list(newer.order_by(by, "pk")[: size + 1])
        shown = found[:size][::-1]
        return CursorPage(shown, _cursor(shown[-1:], by), _cursor(shown[:1], by) if found[size:] else "")
    if after:
        at, key = after
        rows = rows.filter(Q(**{f"{by}__lt": at}) | Q(**{by: at, "pk__lt": key}))
    found = list(rows.order_by(f"-{by}", "-pk")[: size + 1])
    shown = found[:size]
    return CursorPage(shown, _cursor(shown[-1:], by) if found[size:] else "", _cursor(shown[:1], by, after))


def _cursor(row: list[Any], by: str, wanted: object = True) -> str:
    return f"{getattr(row[0], by).isoformat()}{_MARK}{row[0].pk}" if row and wanted else ""


def _read(model: type[Model], cursor: str) -> tuple[datetime, Any] | None:
    """The row's time and key; None where somebody has written the address by hand, and wrongly."""
    moment, mark, key = cursor.partition(_MARK)
    try:
        at = parse_datetime(moment)
        return (at, model._meta.pk.to_python(key)) if at and mark else None
    except (ValueError, ValidationError):
        return None


def way_back(request: HttpRequest, *, otherwise: str) -> str:
    """The address of this site that a form names in `next`, for after what it does to rows of a list."""
    address = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()})
    return address if safe else otherwise
