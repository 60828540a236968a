"""The pages on which administrators look after everybody's accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from ..access.roles import ABILITIES, Role
from ..models import Invitation, User
from . import actions
from .forms import InviteForm
from .sessions_list import browsers_of

PAGE_SIZE = 50


@require_safe
@vary_on_headers("HX-Request")
def people(request: HttpRequest) -> HttpResponse:
    """People by name; `q` searches name, username and e-mail, `role` and `state` filter."""
    found = _searched(request.GET.get("q", "").strip(), request.GET.get("role", ""))
    state = request.GET.get("state", "")
    shown = found.filter(is_active=state == "active") if state in ("active", "deactivated") else found
    context = {
        "page": Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page")),
        "counts": _counts(found),
        "roles": Role.choices,
        "filtered": any(request.GET.get(name) for name in ("q", "role", "state")),
        "invitations": _open_invitations(),
    }
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "people/_table.html", context)
    return render(request, "people/list.html", context)


def _searched(words: str, role: str) -> QuerySet[User]:
    found = User.objects.order_by(Lower(Coalesce(NullIf("name", Value("")), "username")), "pk")
    if words:
        found = found.filter(
            Q(name__icontains=words) | Q(username__icontains=words) | Q(email__icontains=words)
        )
    return found.filter(role=role) if role in Role.values else found


def _counts(found: QuerySet[User]) -> list[tuple[str, str, int]]:
    """(state, its label, how many of those found are in it)"""
    count = found.order_by().aggregate(all=Count("pk"), active=Count("pk", filter=Q(is_active=True)))
    return [
        ("", _("All"), count["all"]),
        ("active", _("Active"), count["active"]),
        ("deactivated", _("Deactivated"), count["all"] - count["active"]),
    ]


def _open_invitations() -> QuerySet[Invitation]:
    return Invitation.objects.filter(used_at=None).select_related("invited_by").order_by("-created_at")[:100]


def invite(request: HttpRequest) -> HttpResponse:
    """GET asks for whom and as what; POST shows the link, which nobody can see again."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made: dict[str, Any] = form.cleaned_data
        token = actions.invite(role=made["role"], meant_for=made["meant_for"], by=_by(request))
        role = Role(made["role"]).label
        return _link(request, token, meant_for=made["meant_for"], role=role, days=actions.VALID_FOR.days)
    status = 422 if form.errors else 200
    return render(request, "people/invite.html", {"form": form, **_table_of_roles()}, status=status)


def _link(request: HttpRequest, token: str, **context: Any) -> HttpResponse:
    """The page that shows a link, this once."""
    link = request.build_absolute_uri(reverse("invitation", args=[token]))
    answer = render(request, "people/invited.html", {"link": link, **context})
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
def new_password(request: HttpRequest, pk: int) -> HttpResponse:
    """A link for somebody who forgot theirs."""
    user = get_object_or_404(User, pk=pk)
    try:
        token = actions.offer_new_password(user=user, by=_by(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(user)
    return _link(request, token, meant_for=user.get_full_name(), account=user)


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    found = Invitation.objects.filter(pk=pk, used_at=None).first()
    if found is None:
        messages.error(request, _("This link has been used or withdrawn already."))
    else:
        actions.withdraw(invitation=found, by=_by(request))
        messages.success(request, _("The link is withdrawn; it does not work any more"))
    return redirect("people:list")


@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    """What each role may do."""
    return render(request, "people/roles.html", _table_of_roles())


def _table_of_roles() -> dict[str, Any]:
    rows = [(what, [role in having for role in Role]) for what, having in ABILITIES.values()]
    return {"role_names": [role.label for role in Role], "rows": rows}


@require_safe
def person(request: HttpRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    own_key = request.session.session_key if user == request.user else None
    context = {
        "person": user,
        "browsers": browsers_of(user, own_key),
        "is_me": user == request.user,
        "choices": Role.choices,
        **_table_of_roles(),
    }
    return render(request, "people/person.html", context)


@require_POST
def change_role(request: HttpRequest, pk: int) -> HttpResponse:
    def change(user: User) -> str:
        role = request.POST.get("role", "")
        actions.change_role(user=user, role=role, by=_by(request))
        return _("%(name)s is now %(role)s") % {"name": user.get_full_name(), "role": Role(role).label}

    return _done(request, pk, change)


@require_POST
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    def change(user: User) -> str:
        actions.deactivate(user=user, by=_by(request))
        return _("%(name)s is deactivated and signed out") % {"name": user.get_full_name()}

    return _done(request, pk, change)


@require_POST
def reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    def change(user: User) -> str:
        actions.reactivate(user=user, by=_by(request))
        return _("%(name)s may sign in again") % {"name": user.get_full_name()}

    return _done(request, pk, change)


@require_POST
def sign_out(request: HttpRequest, pk: int) -> HttpResponse:
    def change(user: User) -> str:
        ended = actions.end_sessions(user=user, by=_by(request), but=request.session.session_key)
        return ngettext("%(count)d browser is signed out", "%(count)d browsers are signed out", ended) % {
            "count": ended
        }

    return _done(request, pk, change)


@require_POST
def codes_off(request: HttpRequest, pk: int) -> HttpResponse:
    def change(user: User) -> str:
        if user == request.user:
            raise ValidationError(_("Switch it off in your profile, with your password."))
        actions.stop_requiring_codes(user=user, by=_by(request))
        return _("%(name)s now signs in by password alone") % {"name": user.get_full_name()}

    return _done(request, pk, change)


def _done(request: HttpRequest, pk: int, change: Callable[[User], str]) -> HttpResponse:
    """Back to the person's page, with what was done or why not."""
    user = get_object_or_404(User, pk=pk)
    try:
        messages.success(request, change(user))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(user)


def _by(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the gate lets nobody else in
    return request.user
