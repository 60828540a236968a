"""Who may look after other people's accounts sees their keys too, and can close them."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from mlservices.models.usage import UsageDay
from mlservices.usage.figures import by_engine

from ..access import key_actions
from ..models import ApiKey, User
from . import figures
from .forms import KeyForm, NewKeyForm, RotateForm

PAGE_SIZE = 50
EVERYBODYS = "voiceforge_site.manage_people"
SERIES = (
    ("served", _l("Answered")),
    ("wrong", _l("Wrong requests")),
    ("refused", _l("Refused")),
    ("failed", _l("Failed")),
)
REFUSALS = (
    (429, _l("It asked more often than it may")),
    (403, _l("It lacks the right to what it asked for")),
    (401, _l("It is closed, or not taken from that address")),
)


@require_safe
@vary_on_headers("HX-Request")
def key_list(request: HttpRequest) -> HttpResponse:
    """`q` searches names and people; `state` is "open", "closed" or all."""
    words, state = request.GET.get("q", "").replace("\0", "").strip(), request.GET.get("state", "open")
    found = _theirs(request).filter(
        Q(name__icontains=words) | Q(prefix__startswith=words) | Q(person__username__icontains=words)
    )
    closed = Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now())
    shown = {"open": found.exclude(closed), "closed": found.filter(closed)}.get(state, found)
    listed = figures.with_totals(shown.select_related("person"))
    context = {
        "page": Paginator(listed, PAGE_SIZE).get_page(request.GET.get("page")),
        "counts": _counts(found, closed),
        "state": state,
        "words": words,
        "everybodys": request.user.has_perm(EVERYBODYS),
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "keys/_table.html" if partial else "keys/list.html", context)


def _counts(found: QuerySet[ApiKey], closed: Q) -> list[tuple[str, str, int]]:
    every, shut = found.count(), found.filter(closed).count()
    return [("open", _("Open"), every - shut), ("closed", _("Closed"), shut), ("all", _("All"), every)]


@require_http_methods(["GET", "HEAD", "POST"])
def key_new(request: HttpRequest) -> HttpResponse:
    """POST shows the key, which nobody can see again."""
    person = _person(request)
    form = NewKeyForm(request.POST or None, person=person)
    if request.method == "POST" and form.is_valid():
        made = {name: value for name, value in form.cleaned_data.items() if name != "lifetime"}
        try:
            key, shown = key_actions.create(made.pop("name"), person, expires_at=form.expires_at, **made)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _shown_once(request, key, shown)
    return render(request, "keys/new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def key_page(request: HttpRequest, prefix: str) -> HttpResponse:
    """A POST changes its name and limits."""
    key = _key(request, prefix)
    form = KeyForm(request.POST or None, instance=key, person=_person(request))
    if request.method == "POST" and form.is_valid():
        try:
            key_actions.change(key=key, by=_person(request), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("%(name)s is saved") % {"name": form.cleaned_data["name"]})
            return redirect(key)
    stored = _key(request, prefix)
    context = {
        "key": stored,
        "form": form,
        "rotate_form": RotateForm(),
        "origin": request.build_absolute_uri("/")[:-1],
        "own": stored.person_id == request.user.pk,
        **_use_of(stored),
    }
    return render(request, "keys/key.html", context, status=422 if form.errors else 200)


def _use_of(key: ApiKey) -> dict[str, Any]:
    used = figures.figures_of(key)
    columns, refused = figures.columns(used.days), used.statuses
    first = columns[0].day
    return {
        "used": used,
        "columns": columns,
        "highest": max(column.requests for column in columns),
        "series": [(name, what) for name, what in SERIES if getattr(used.totals, name)],
        "refusals": [(status, what, refused[status]) for status, what in REFUSALS if status in refused],
        "models": by_engine(UsageDay.objects.filter(key=key.prefix, day__gte=first)),
    }


@require_POST
def key_rotate(request: HttpRequest, prefix: str) -> HttpResponse:
    key, form = _key(request, prefix), RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors["overlap"])))
        return redirect(key)
    try:
        successor, shown = key_actions.rotate(key=key, overlap=form.hours, by=_person(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(key)
    return _shown_once(request, successor, shown)


@require_POST
def key_revoke(request: HttpRequest, prefix: str) -> HttpResponse:
    key = _key(request, prefix)
    if key_actions.revoke(key.prefix):
        messages.success(request, _("%(name)s opens nothing any more") % {"name": key.name})
    return redirect("keys:list")


def _shown_once(request: HttpRequest, key: ApiKey, shown: str) -> HttpResponse:
    origin = request.build_absolute_uri("/")[:-1]
    answer = render(request, "keys/made.html", {"key": key, "shown": shown, "origin": origin})
    answer["Cache-Control"] = "no-store"
    return answer


def _theirs(request: HttpRequest) -> QuerySet[ApiKey]:
    every: QuerySet[ApiKey] = ApiKey.objects.all()
    return every if request.user.has_perm(EVERYBODYS) else every.filter(person=_person(request))


def _key(request: HttpRequest, prefix: str) -> ApiKey:
    return get_object_or_404(_theirs(request).select_related("person", "replaced_by"), prefix=prefix)


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)
