"""Pages of telephone numbers."""

from __future__ import annotations

from zoneinfo import available_timezones

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from mlservices.pages.figures import digits_in

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
    offers,
    set_hooks,
    unblock_caller,
    wanted_hooks,
)
from .texts import HOOKS

PAGE_SIZE = 50


@require_safe
@vary_on_headers("HX-Request")
def number_list(request: HttpRequest) -> HttpResponse:
    """`q` searches numbers, names and agents."""
    words = request.GET.get("q", "").strip()
    digits = digits_in(words)
    asked = Q(label__icontains=words) | Q(agent__name__icontains=words)
    found = PhoneNumber.objects.real().select_related("agent", "credential")
    if words:
        found = found.filter(asked | Q(number__contains=digits) if digits else asked)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    context = {"page": page, "words": words, "accounts": Credential.objects.real()}
    return render(request, "lines/_numbers.html" if partial else "lines/numbers.html", context)


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
            messages.success(request, _("%(number)s is saved") % {"number": saved.number})
        return redirect(saved)
    context = {
        "number": PhoneNumber.objects.select_related("credential").get(pk=row.pk),
        "form": form,
        "hooks": _compared(row),
        "read_as": read_as(row.hours, timezone.now()),
        "timezones": sorted(available_timezones()),
        "may_change": request.user.has_perm("telephony.assign_numbers"),
    }
    return render(request, "lines/number.html", context, status=422 if form.errors else 200)


@require_POST
def number_hooks(request: HttpRequest, digits: str) -> HttpResponse:
    """Have the provider bring its calls here."""
    row = _row(digits)
    try:
        set_hooks(number=row, by=request.user.get_username())
    except ProviderError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Calls to %(number)s come here") % {"number": row.number})
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
    messages.success(request, _("%(number)s is gone") % {"number": row.number})
    return redirect("lines:numbers")


@require_safe
def number_search(request: HttpRequest) -> HttpResponse:
    """Numbers that can be bought; asks the provider once the form was sent."""
    form = SearchForm(request.GET if "account" in request.GET else None)
    context: dict[str, object] = {"form": form, "accounts": Credential.objects.real().exists()}
    if form.is_valid():
        asked = form.cleaned_data
        context["asked"] = asked
        try:
            context["offers"] = offers(
                credential=asked["account"],
                country=asked["country"],
                contains=asked["contains"],
                kind=asked["kind"],
                by=request.user.get_username(),
            )
        except ProviderError as error:
            context["failure"] = str(error)
    return render(request, "lines/search.html", context)


@require_POST
def number_buy(request: HttpRequest) -> HttpResponse:
    pk = request.POST.get("account", "")
    credential = get_object_or_404(Credential.objects.real(), pk=pk if pk.isdecimal() else 0)
    try:
        bought = buy_number(
            credential=credential, number=request.POST.get("number", ""), by=request.user.get_username()
        )
    except ProviderError as error:
        messages.error(request, str(error))
        return redirect("lines:search")
    messages.success(request, _("%(number)s is yours. Choose who answers it.") % {"number": bought.number})
    return redirect(bought)


@require_http_methods(["GET", "HEAD", "POST"])
def blocked(request: HttpRequest) -> HttpResponse:
    """A POST blocks one more."""
    form = BlockForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            block_caller(**form.cleaned_data, by=request.user.get_username())
        except ValidationError as error:
            form.add_error("pattern", error.message_dict["pattern"])
        else:
            return redirect("lines:blocked")
    page = Paginator(BlockedCaller.objects.all(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "may_change": request.user.has_perm("telephony.assign_numbers")}
    return render(request, "lines/blocked.html", context, status=422 if form.errors else 200)


@require_POST
def unblock(request: HttpRequest) -> HttpResponse:
    pattern = request.POST.get("pattern", "")
    if unblock_caller(pattern=pattern):
        messages.success(request, _("%(number)s may call again") % {"number": pattern})
    return redirect("lines:blocked")


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
