"""Pages of calls that we place: the dialler with its queue, and the list of numbers that nobody calls."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from mlservices.pages.figures import digits_in, grouped
from mlservices.pages.lists import numbered_page

from ..lines.accounts import ProviderError
from ..lines.number_views import is_partial
from ..models import DoNotCall, PhoneNumber, PlannedCall, SipLine
from .actions import cancel_planned, do_not_call, may_be_called, plan_call
from .forms import CallForm, ListForm
from .guard import NotAllowed, country_of, refuse
from .rates import price_of

MOST_SHOWN = 50
UNDER_WAY = (PlannedCall.State.WAITING, PlannedCall.State.DIALLING)


@require_http_methods(["GET", "HEAD", "POST"])
def dial(request: HttpRequest) -> HttpResponse:
    """A POST places or plans a call. `to` in the address fills the form; `part` asks for the queue."""
    if "part" in request.GET:
        return render(request, "outbound/_queue.html", _queue())
    form = CallForm(request.POST or None, initial={"to": request.GET.get("to", "")})
    if request.method == "POST" and form.is_valid():
        by = request.user.get_username()
        speaks = form.cleaned_data.pop("speaks")
        operator = (
            by if speaks == "me" and "telephone" not in form.cleaned_data and _may_speak(request) else ""
        )
        try:
            planned = plan_call(**form.cleaned_data, operator=operator, by=by)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            text = _("%(number)s is called") if planned.is_near else _("%(number)s will be called")
            messages.success(request, text % {"number": planned.to})
            return redirect("outbound:follow", planned.pk) if operator else redirect("outbound:dial")
    may_call = PhoneNumber.objects.real().exists() or SipLine.objects.filter(enabled=True).exists()
    context = {"form": form, **_queue(), "numbers": may_call}
    return render(request, "outbound/dial.html", context, status=422 if form.errors else 200)


@require_safe
def about_number(request: HttpRequest) -> JsonResponse:
    """What is known of a number that is being dialled: its country, what a minute costs, and why not."""
    form = CallForm(request.GET)
    form.is_valid()
    to = form.cleaned_data.get("to", "")
    number, line = form.cleaned_data.get("caller_id"), form.cleaned_data.get("line")
    if not to:
        return JsonResponse({})
    telephone = form.cleaned_data.get("telephone") or ""
    by = request.user.get_username()
    planned = PlannedCall(to=to, caller_id=number, line=line, telephone=telephone, by=by)
    refusal = price = ""
    if planned.carrier:
        try:
            refuse(to, planned.carrier)
            price = price_of(planned)
        except NotAllowed as error:
            refusal = str(error)
        except ProviderError:
            price = ""
    return JsonResponse({"country": country_of(to), "price": price, "refusal": refusal})


@require_safe
def follow(request: HttpRequest, planned_id: str) -> HttpResponse:
    """Where somebody who speaks themselves waits for their call to be placed, and is led to it."""
    planned = get_object_or_404(PlannedCall.objects.select_related("call", "line"), pk=planned_id)
    if planned.call and planned.state == PlannedCall.State.PLACED:
        url = planned.call.get_absolute_url()
        return HttpResponse(headers={"HX-Redirect": url}) if "part" in request.GET else redirect(url)
    template = "outbound/_follow.html" if "part" in request.GET else "outbound/follow.html"
    return render(request, template, {"planned": planned})


@require_POST
def cancel(request: HttpRequest, planned_id: str) -> HttpResponse:
    planned = get_object_or_404(PlannedCall, pk=planned_id)
    if cancel_planned(planned=planned):
        messages.success(request, _("%(number)s is not called") % {"number": planned.to})
    else:
        messages.error(request, _("It is too late: this call was placed already."))
    return redirect("outbound:dial")


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def never(request: HttpRequest) -> HttpResponse:
    """The do-not-call list; a POST adds to it. `q` searches."""
    form = ListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        new = do_not_call(**form.cleaned_data, by=request.user.get_username())
        text = ngettext("%(count)d number is called no more", "%(count)d numbers are called no more", new)
        messages.success(request, text % {"count": new})
        return redirect("outbound:never")
    words = request.GET.get("q", "").strip()
    digits = digits_in(words)
    rows = DoNotCall.objects.all()
    if words:
        asked_for = Q(reason__icontains=words)
        rows = rows.filter(asked_for | Q(number__contains=digits) if digits else asked_for)
    context = {"form": form, "page": numbered_page(request, rows), "words": words}
    template = "outbound/_never.html" if is_partial(request) else "outbound/never.html"
    return render(request, template, context, status=422 if form.errors else 200)


@require_POST
def allow(request: HttpRequest) -> HttpResponse:
    number = request.POST.get("number", "")
    if may_be_called(number=number):
        messages.success(request, _("%(number)s may be called again") % {"number": grouped(number)})
    return redirect("outbound:never")


def _may_speak(request: HttpRequest) -> bool:
    return request.user.has_perm("telephony.direct_calls")


def _queue() -> dict[str, object]:
    planned = PlannedCall.objects.select_related("call", "line")
    waiting = list(planned.filter(state__in=UNDER_WAY).order_by("due_at")[:MOST_SHOWN])
    newest = list(planned.exclude(state__in=UNDER_WAY).order_by("-at")[:MOST_SHOWN])
    return {"waiting": waiting, "newest": newest, "under_way": any(each.is_near for each in waiting)}
