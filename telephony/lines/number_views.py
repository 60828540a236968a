"""Pages of telephone numbers."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from agents.models import Agent
from mlservices.pages.figures import digits_in, grouped
from mlservices.pages.lists import numbered_page
from mlservices.pages.toasts import undoable
from mlservices.pages.zones import zones
from mlservices.whole_numbers import whole_number

from ..models import BlockedCaller, Credential, PhoneNumber
from .accounts import ProviderError
from .forms import BlockForm, NumberForm, SearchForm
from .hours import read_as
from .number_actions import (
    block_caller,
    buy_number,
    change_number,
    forget_number,
    give_back,
    import_numbers,
    offers,
    put_hooks_back,
    set_hooks,
    unblock_caller,
    wanted_hooks,
)
from .texts import HOOKS

NOBODY = "-"


@require_safe
@vary_on_headers("HX-Request")
def number_list(request: HttpRequest) -> HttpResponse:
    """`q` searches numbers, names and agents; `agent` (its slug, "-" for nobody) and `account` choose."""
    words, agent, account = (request.GET.get(name, "").strip() for name in ("q", "agent", "account"))
    digits = digits_in(words)
    asked = Q(label__icontains=words) | Q(agent__name__icontains=words)
    found = PhoneNumber.objects.real().select_related("agent", "credential")
    if words:
        found = found.filter(asked | Q(number__contains=digits) if digits else asked)
    if agent:
        found = found.filter(agent=None) if agent == NOBODY else found.filter(agent__slug=agent)
    if (of_account := whole_number(account)) is not None:
        found = found.filter(credential=of_account)
    context = {
        "page": numbered_page(request, found),
        "words": words,
        "asked": {"agent": agent, "account": account},
        "is_filtered": bool(words or agent or account),
        "accounts": Credential.objects.real(),
        "agents": Agent.objects.filter(pk__in=PhoneNumber.objects.real().values("agent")).order_by("name"),
    }
    template = "lines/_numbers.html" if is_partial(request) else "lines/numbers.html"
    return render(request, template, context)


@require_POST
def number_import(request: HttpRequest) -> HttpResponse:
    """Of every account; one that refuses keeps none of the others from it."""
    new = every = 0
    for account in Credential.objects.real():
        try:
            added, found = import_numbers(credential=account, by=request.user.get_username())
        except ProviderError as error:
            messages.error(request, f"{account}: {error}")
        except ValidationError as error:
            messages.error(request, f"{account}: {' '.join(error.messages)}")
        else:
            new, every = new + added, every + found
    if every:
        messages.success(request, imported(new, every))
    return redirect("lines:numbers")


@require_http_methods(["GET", "HEAD", "POST"])
def number(request: HttpRequest, digits: str) -> HttpResponse:
    row = _row(digits)
    form = NumberForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        saved = form.save(commit=False)
        if problem := change_number(number=saved, by=request.user.get_username()):
            text = _("Saved, but the provider was not told of the fallback: %(reason)s") % {"reason": problem}
            messages.error(request, text)
        else:
            messages.success(request, _("%(number)s is saved") % {"number": grouped(saved.number)})
        return redirect(saved)
    context = {
        "number": PhoneNumber.objects.select_related("credential").get(pk=row.pk),
        "form": form,
        "hooks": _compared(row),
        "read_as": read_as(row.hours, timezone.now()),
        "timezones": zones(),
        "may_change": request.user.has_perm("telephony.assign_numbers"),
    }
    return render(request, "lines/number.html", context, status=422 if form.errors else 200)


@require_POST
def number_hooks(request: HttpRequest, digits: str) -> HttpResponse:
    """Have the provider bring its calls here; `do` "back": where they went before."""
    row, by = _row(digits), request.user.get_username()
    back = request.POST.get("do") == "back"
    try:
        if back:
            put_hooks_back(number=row, by=by)
        else:
            set_hooks(number=row, by=by)
    except ProviderError as error:
        messages.error(request, str(error))
    else:
        before = _("Calls to %(number)s go where they went before")
        text = before if back else _("Calls to %(number)s come here")
        messages.success(request, text % {"number": grouped(row.number)})
    return redirect(row)


@require_POST
def number_remove(request: HttpRequest, digits: str) -> HttpResponse:
    """`do` "give_back" also at the provider; else only here."""
    row = _row(digits)
    try:
        if request.POST.get("do") == "give_back":
            give_back(number=row, by=request.user.get_username())
        else:
            forget_number(number=row, by=request.user.get_username())
    except ProviderError as error:
        messages.error(request, str(error))
        return redirect(row)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(row)
    messages.success(request, _("%(number)s is gone") % {"number": grouped(row.number)})
    return redirect("lines:numbers")


@require_safe
def number_search(request: HttpRequest) -> HttpResponse:
    """Numbers that can be bought; asks the provider once the form was sent."""
    form = SearchForm(request.GET if "account" in request.GET else None)
    context: dict[str, object] = {"form": form, "accounts": Credential.objects.selling_numbers().exists()}
    if form.is_valid():
        asked = form.cleaned_data
        context["asked"] = asked
        try:
            context["offers"] = offers(
                credential=asked["account"],
                country=asked["country"],
                contains=asked["contains"],
                kind=asked["kind"],
                can=asked["can"],
                by=request.user.get_username(),
            )
        except ProviderError as error:
            context["failure"] = str(error)
    return render(request, "lines/search.html", context)


@require_POST
def number_buy(request: HttpRequest) -> HttpResponse:
    pk = whole_number(request.POST.get("account", "")) or 0
    credential = get_object_or_404(Credential.objects.real(), pk=pk)
    try:
        bought = buy_number(
            credential=credential, number=request.POST.get("number", ""), by=request.user.get_username()
        )
    except ProviderError as error:
        messages.error(request, str(error))
        return redirect("lines:search")
    told = {"number": grouped(bought.number)}
    messages.success(request, _("%(number)s is yours. Choose who answers it.") % told)
    return redirect(bought)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def blocked(request: HttpRequest) -> HttpResponse:
    """A POST blocks one more. `q` searches numbers and notes."""
    form = BlockForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row = block_caller(**form.cleaned_data, by=request.user.get_username())
        except ValidationError as error:
            form.add_error("pattern", error.message_dict["pattern"])
        else:
            text = _("%(number)s is turned away") % {"number": row}
            undoable(request, text, url=reverse("lines:unblock"), pattern=row.pattern)
            return redirect("lines:blocked")
    words = request.GET.get("q", "").strip()
    digits, found = digits_in(words), BlockedCaller.objects.all()
    if words:
        asked = Q(note__icontains=words)
        found = found.filter(asked | Q(pattern__contains=digits) if digits else asked)
    may_change = request.user.has_perm("telephony.assign_numbers")
    context = {"form": form, "page": numbered_page(request, found), "words": words, "may_change": may_change}
    template = "lines/_blocked.html" if is_partial(request) else "lines/blocked.html"
    return render(request, template, context, status=422 if form.errors else 200)


@require_POST
def unblock(request: HttpRequest) -> HttpResponse:
    pattern = request.POST.get("pattern", "")
    row = BlockedCaller.objects.filter(pattern=pattern).first()
    if row and unblock_caller(pattern=pattern):
        text = _("%(number)s may call again") % {"number": row}
        undoable(request, text, url=reverse("lines:blocked"), pattern=pattern, note=row.note)
    return redirect("lines:blocked")


def imported(new: int, every: int) -> str:
    text = ngettext("%(count)d number, %(new)d of them new", "%(count)d numbers, %(new)d of them new", every)
    return text % {"count": every, "new": new}


def is_partial(request: HttpRequest) -> bool:
    """Whether a part of the page is asked for, and not the page itself."""
    return bool(request.htmx and not request.htmx.history_restore_request)  # type: ignore[attr-defined]


def _row(digits: str) -> PhoneNumber:
    return get_object_or_404(PhoneNumber.objects.real().select_related("credential"), number=f"+{digits}")


def _compared(row: PhoneNumber) -> list[tuple[object, str, str]]:
    """(what, as the provider has it, as it should be) of each address that a person would look at."""
    if not row.provider_id:
        return []
    try:
        wanted = wanted_hooks(row)
    except ProviderError:
        return []
    if not wanted:
        return []
    return [(what, row.hooks.get(name, ""), wanted.get(name, "")) for name, what in HOOKS.items()]
