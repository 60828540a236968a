"""The list of calls: searched, filtered, sorted; and what is done to many of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from agents.models import Agent

from . import advice, pages
from .annotation_actions import tag_calls
from .annotations import tag_names, tag_problem
from .deleting import CannotDelete, delete_calls
from .filter_words import contradiction, explained, told
from .filters import NEWEST, OUTCOMES, Filters, among, misread
from .models import Call, ProviderRecording, Tag
from .pages import BoundedPage
from .search import digits_asked, find, passages

COLUMNS_COOKIE = "history_columns"
COOKIE_SECONDS = 365 * 24 * 3600
# Column: (its name, the orders that a click on it leads to in turn, shown unless somebody chose)
COLUMNS: dict[str, tuple[Any, tuple[str, ...], bool]] = {
    "outcome": (gettext_lazy("Outcome"), (), True),
    "agent": (gettext_lazy("Agent"), (), True),
    "line": (gettext_lazy("Line"), (), True),
    "callee": (gettext_lazy("Number called"), (), False),
    "direction": (gettext_lazy("Direction"), (), False),
    "tags": (gettext_lazy("Tags"), (), True),
    "turns": (gettext_lazy("Turns"), (), True),
    "slow": (gettext_lazy("Slow turns"), (), False),
    "response": (gettext_lazy("Response"), ("response", "fastest"), True),
    "duration": (gettext_lazy("Duration"), ("duration", "shortest"), True),
    "started": (gettext_lazy("Started"), ("started", "oldest"), True),
}
SORT_NAMES = {
    "started": gettext_lazy("Newest first"),
    "oldest": gettext_lazy("Oldest first"),
    "duration": gettext_lazy("Longest first"),
    "shortest": gettext_lazy("Shortest first"),
    "response": gettext_lazy("Slowest answers first"),
    "fastest": gettext_lazy("Fastest answers first"),
}
MOST_CHOSEN = 200  # calls that one request does something to


@require_safe
@vary_on_headers("HX-Request")
def history(request: HttpRequest) -> HttpResponse:
    """Calls as the address asks for them (see `filters`); `columns` chooses what is told of each."""
    agents, tags = list(Agent.objects.order_by("name").only("slug", "name")), list(Tag.objects.all())
    unclear = misread(request.GET, {agent.slug for agent in agents}, {tag.name for tag in tags})
    filters = Filters.read(request.GET).without(*(each.name for each in unclear))
    page, narrowed = _page(filters, request.GET.get("page"))
    columns = _columns(request)
    context = {
        "filters": filters,
        "unclear": explained(unclear),
        "typed": {each.name: each.value for each in unclear},
        "back": filters.as_query(page=page.number if page.number > 1 else ""),
        "page": page,
        "rows": _with_passages(page, filters),
        "columns": columns,
        "all_columns": [(key, label, key in columns) for key, (label, _sorts, _shown) in COLUMNS.items()],
        "heads": [_head(key, filters) for key in COLUMNS if key in columns],
        "chips": _chips(filters, {agent.slug: agent.name for agent in agents}),
        "older": _older(page, filters),
        "narrowed": narrowed,
        "most_counted": pages.MOST_COUNTED,
        "sorts": SORT_NAMES.items(),
        "agents": agents,
        "outcomes": OUTCOMES.items(),
        "directions": Call.Direction.choices,
        "tags": tags,
    }
    if filters.asks and not page.object_list:
        context.update(_nothing_found(filters))
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    answer = render(request, "calls/_history_table.html" if partial else "calls/history.html", context)
    if "columns" in request.GET:
        answer.set_cookie(
            COLUMNS_COOKIE, ".".join(columns), COOKIE_SECONDS, samesite="Lax", secure=request.is_secure()
        )
    return answer


def selected(filters: Filters) -> QuerySet[Call]:
    """The calls that are asked for; of those found by words the newest, one more than are counted."""
    calls = _with_rows_of_others(filters.calls())
    return among(calls, [*_found(filters), *_live(filters)]) if filters.asks_words else calls


def _with_rows_of_others(calls: QuerySet[Call]) -> QuerySet[Call]:
    return calls.select_related("agent", "phone_number").prefetch_related("tags").defer("card")


def _found(filters: Filters) -> list[UUID]:
    return [hit.call_id for hit in find(filters.search, limit=pages.MOST_COUNTED + 1)]


def _page(filters: Filters, asked: str | None) -> tuple[BoundedPage, bool]:
    """And whether other filters choose among the newest calls with a common word, and not among all."""
    if not filters.asks_words:
        return BoundedPage.of(selected(filters), asked), False
    found, live = _found(filters), _live(filters)
    if live or filters.sort != NEWEST or not filters.asks_words_alone:
        calls = among(_with_rows_of_others(filters.calls()), [*found, *live])
        return BoundedPage.of(calls, asked), len(found) > pages.MOST_COUNTED

    def fetch(start: int, end: int) -> list[Call]:
        calls = _with_rows_of_others(Call.objects.filter(pk__in=found[start:end]))
        return list(calls.order_by("-created_at"))

    return BoundedPage.cut(len(found), asked, fetch), False


def _nothing_found(filters: Filters) -> dict[str, Any]:
    """Why it may be so, and what to try."""
    unsaid = advice.unsaid_in(filters)
    return {
        "contradiction": contradiction(filters),
        "unsaid": unsaid,
        "steps": advice.steps(filters, unsaid, _finds),
    }


def _finds(filters: Filters) -> bool:
    if filters.asks_words_alone:
        return bool(find(filters.search, limit=1))
    return selected(filters).exists()


def _live(filters: Filters) -> list[UUID]:
    """What is said in a call is found once it is over; who calls is known from the first moment."""
    digits = digits_asked(filters.number or filters.words)
    if not digits or (filters.number and filters.words):
        return []
    live = Call.objects.filter(status__in=Call.LIVE, caller__contains=digits).order_by()
    return list(live.values_list("pk", flat=True)[:100])


def _with_passages(page: BoundedPage, filters: Filters) -> list[tuple[Call, Any]]:
    found = passages(filters.words, [call.pk for call in page]) if filters.words else {}
    return [(call, found.get(call.pk)) for call in page]


def _columns(request: HttpRequest) -> list[str]:
    """Those of the address, else those last chosen in this browser, else the usual ones."""
    chosen = request.GET.getlist("columns") or request.COOKIES.get(COLUMNS_COOKIE, "").split(".")
    return [key for key in COLUMNS if key in chosen] or [key for key, column in COLUMNS.items() if column[2]]


@dataclass(frozen=True, slots=True)
class Head:
    key: str
    label: Any
    to_right: bool
    sort: str  # where a click leads; empty where the column has no order
    now: str  # "ascending", "descending" or empty: the order of the list by this column


def _head(key: str, filters: Filters) -> Head:
    label, sorts, _shown = COLUMNS[key]
    number = key in ("turns", "slow", "response", "duration", "started")
    if not sorts:
        return Head(key, label, number, "", "")
    now = {sorts[0]: "descending", sorts[1]: "ascending"}.get(filters.sort, "")
    return Head(key, label, number, sorts[1] if filters.sort == sorts[0] else sorts[0], now)


@dataclass(frozen=True, slots=True)
class Chip:
    """One active filter in words, and the address without it."""

    text: str
    query: str


def _chips(filters: Filters, agents: Mapping[str, str]) -> list[Chip]:
    texts = told(filters, agents.get(filters.agent, ""))
    return [Chip(text, filters.without(name).as_query()) for name, text in texts.items()]


def _older(page: BoundedPage, filters: Filters) -> str:
    """Where a list that is longer than it is counted goes on; only for newest first."""
    if not page.more or page.has_next or filters.sort != "started" or not page.object_list:
        return ""
    oldest = timezone.localtime(page.object_list[-1].created_at).date()
    return filters.without("until").as_query(to=oldest)


# ---- many at once -----------------------------------------------------------------------------


@require_POST
def tag_chosen(request: HttpRequest) -> HttpResponse:
    """Puts the tags in `name` on the calls named by `call`."""
    chosen = chosen_calls(request)
    names = tag_names(request.POST.get("name", ""))
    if problem := tag_problem(names):
        messages.error(request, _("No call was tagged. %(why)s") % {"why": problem})
    elif chosen:
        tagged = max(tag_calls(call_ids=chosen, name=name) for name in names)
        text = ngettext("%(count)d call tagged %(name)s.", "%(count)d calls tagged %(name)s.", tagged)
        messages.success(request, text % {"count": tagged, "name": ", ".join(names)})
    return redirect(_back(request))


@require_POST
def delete_chosen(request: HttpRequest) -> HttpResponse:
    """Asks first, naming how many calls and recordings; deletes once `sure` is given."""
    calls = list(
        Call.objects.filter(pk__in=chosen_calls(request)).select_related("agent", "recording").defer("card")
    )
    live = [call for call in calls if call.is_live]
    over = [call for call in calls if not call.is_live]
    if not over:
        why = _("A call that goes on cannot be deleted.") if live else _("These calls are gone already.")
        messages.error(request, why)
        return redirect(_back(request))
    context: dict[str, Any] = {"calls": over, "live": live, "back": _back(request)}
    context["back_query"] = request.POST.get("back", "")
    context["recordings"] = sum(1 for call in over if hasattr(call, "recording"))
    of_providers = ProviderRecording.objects.filter(call__in=over, state=ProviderRecording.State.KEPT)
    context["recordings"] += of_providers.count()
    if request.POST.get("sure") != "1":
        return render(request, "calls/delete.html", context)
    try:
        deleted = delete_calls(call_ids=[call.pk for call in over])
    except CannotDelete as error:
        return render(request, "calls/delete.html", {**context, "problem": error}, status=422)
    text = ngettext("%(count)d call deleted.", "%(count)d calls deleted.", deleted)
    messages.success(request, text % {"count": deleted})
    return redirect(_back(request))


def chosen_calls(request: HttpRequest) -> Sequence[UUID]:
    found = []
    for text in request.POST.getlist("call")[:MOST_CHOSEN]:
        try:
            found.append(UUID(text))
        except ValueError:
            raise PermissionDenied from None  # no page of ours sends it
    return found


def _back(request: HttpRequest) -> str:
    """The list as it was. `back` is its query alone: an address of anybody's making is never followed."""
    asked = QueryDict(request.POST.get("back", ""))
    page = asked.get("page", "")
    query = Filters.read(asked).as_query(page=page if page.isdigit() else "")
    return f"{reverse('telephony:history')}{'?' if query else ''}{query}"
