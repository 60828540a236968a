"""Pages of SIP lines: how each stands, and its form."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ..models import SipLine
from ..sip.accounts import delete_line
from .sip_form import SipLineForm


@require_safe
def sip_lines(request: HttpRequest) -> HttpResponse:
    """`part` asks for the table alone, which the page does every second."""
    template = "lines/_sip.html" if "part" in request.GET else "lines/sip.html"
    return render(request, template, {"lines": SipLine.objects.select_related("agent")})


@require_http_methods(["GET", "HEAD", "POST"])
def sip_new(request: HttpRequest) -> HttpResponse:
    return _edited(request, SipLine())


@require_http_methods(["GET", "HEAD", "POST"])
def sip_line(request: HttpRequest, pk: int) -> HttpResponse:
    return _edited(request, get_object_or_404(SipLine, pk=pk))


@require_POST
def sip_delete(request: HttpRequest, pk: int) -> HttpResponse:
    line = get_object_or_404(SipLine, pk=pk)
    try:
        delete_line(line=line)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("lines:sip_line", pk)
    messages.success(request, _("%(name)s is deleted") % {"name": line.label})
    return redirect("lines:sip")


def _edited(request: HttpRequest, line: SipLine) -> HttpResponse:
    form = SipLineForm(request.POST or None, instance=line)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, _("%(name)s is saved") % {"name": saved.label})
        return redirect("lines:sip")
    may_change = request.user.has_perm("telephony.manage_lines")
    context = {"form": form, "line": line if line.pk else None, "may_change": may_change}
    return render(request, "lines/sip_line.html", context, status=422 if form.errors else 200)
