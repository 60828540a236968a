"""A page that uses every mechanism of the shell, for the tests of them: the site's addresses and its own."""

from __future__ import annotations

import time
from pathlib import Path

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import include, path
from django.views.decorators.http import require_POST

from agents.models import Agent
from mlservices.pages.fields import field_errors
from mlservices.pages.lists import newest_page, numbered_page, sorting
from mlservices.pages.toasts import undoable
from voiceforge_site.access.rules import PAGES, SIGNED_IN, Rule
from voiceforge_site.errors import error_page

TEMPLATES = Path(__file__).parent / "templates"


class BenchForm(forms.Form):
    name = forms.CharField(
        validators=[MaxLengthValidator(10)], help_text="Short.", widget=forms.TextInput({"class": "vf-input"})
    )
    number = forms.IntegerField(required=False, widget=forms.TextInput({"class": "vf-input"}))


def rows(request: HttpRequest) -> HttpResponse:
    if "slow" in request.GET.get("q", ""):
        time.sleep(0.8)
    found = Agent.objects.filter(name__icontains=request.GET.get("q", ""))
    sort = sorting(request, {"name": "name", "made": "created_at"}, default="name")
    page = numbered_page(request, found.order_by(*sort.order()))
    template = "workbench/_rows.html" if request.htmx else "workbench/list.html"  # type: ignore[attr-defined]
    return render(request, template, {"page": page, "sort": sort})


def newest(request: HttpRequest) -> HttpResponse:
    return render(request, "workbench/newest.html", {"page": newest_page(request, Agent.objects.all())})


def form(request: HttpRequest) -> HttpResponse:
    bound = BenchForm(request.POST if request.method == "POST" else None)
    if "validate" in request.GET:
        return field_errors(request, bound)
    if bound.is_bound and bound.is_valid():
        messages.success(request, "Saved")
        return redirect("/workbench/form/")
    return render(request, "workbench/form.html", {"form": bound}, status=422 if bound.is_bound else 200)


@require_POST
def do(request: HttpRequest) -> HttpResponse:
    chosen = Agent.objects.filter(pk__in=request.POST.getlist("id"))
    if request.POST["do"] == "delete":
        chosen.delete()
        messages.success(request, "Deleted")
    else:
        ids = list(chosen.values_list("pk", flat=True))
        chosen.update(status=Agent.Status.ARCHIVED)
        undoable(request, "Archived", url="/workbench/undo/", id=ids)
    return redirect("/workbench/")


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    Agent.objects.filter(pk__in=request.POST.getlist("id")).update(status=Agent.Status.ACTIVE)
    messages.success(request, "Brought back")
    return redirect("/workbench/")


@require_POST
def poke(request: HttpRequest) -> HttpResponse:
    undoable(request, "Pöked", url="/workbench/undo/", id=[])
    return HttpResponse(status=204)


def too_many(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=429, headers={"Retry-After": "60"})


def fault(request: HttpRequest, status: int) -> HttpResponse:
    return error_page(request, status)


workbench = (
    [
        path("", rows, name="rows"),
        path("newest/", newest, name="newest"),
        path("form/", form, name="form"),
        path("do/", do, name="do"),
        path("undo/", undo, name="undo"),
        path("poke/", poke, name="poke"),
        path("fault/<int:status>/", fault, name="fault"),
        path("too-many/", too_many, name="too_many"),
    ],
    "workbench",
)
urlpatterns = [path("workbench/", include(workbench)), path("", include("voiceforge_site.urls"))]
from voiceforge_site.urls import handler400, handler403, handler404, handler500  # noqa: E402, F401

PAGES |= {f"workbench:{each.name}": Rule(SIGNED_IN, SIGNED_IN) for each in workbench[0]}


def install() -> None:
    """In the process of a server for tests."""
    settings.ROOT_URLCONF = __name__
    settings.TEMPLATES[0]["DIRS"].append(TEMPLATES)
