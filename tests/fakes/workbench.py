"""A page that uses every mechanism of the shell, for the tests of them: the site's addresses and its own."""

from __future__ import annotations

import time

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.urls import include, path
from django.views.decorators.http import require_POST

from agents.models import Agent
from mlservices.pages.fields import field_errors
from mlservices.pages.lists import newest_page, numbered_page, sorting
from mlservices.pages.toasts import undoable
from voiceforge_site.access.rules import PAGES, SIGNED_IN, Rule

LIST = """{% extends "base.html" %}{% load vf shell %}{% block title %}Workbench{% endblock %}
{% block crumb %}{% breadcrumbs "Tools" "/workbench/form/" "Bench" "/workbench/" "Rows" %}{% endblock %}
{% block actions %}<a class="vf-btn" href="/workbench/form/" data-shortcut="e">Edit</a>
<button class="vf-btn" type="button" hx-post="/workbench/poke/" hx-swap="none" data-confirm="Poke it?"
  data-confirm-text="It wakes up.">Poke</button>{% endblock %}
{% block content %}
<form class="vf-row" id="filters" role="search" hx-get="/workbench/" hx-target="#results" hx-swap="outerHTML" hx-push-url="true"
  hx-indicator="#results" hx-trigger="input changed delay:200ms from:find [type=search], submit">
  <div class="vf-search"><input class="vf-input" type="search" name="q" value="{{ request.GET.q }}" aria-label="Search" data-search></div>
</form>
<div class="vf-chips">{% chip "q" "Name" request.GET.q %}</div>
""" + (
    ROWS := """{% load vf shell %}<div id="results" class="vf-results">{% include "partials/_list_state.html" with form_id="filters" %}
<div class="vf-card"><div class="vf-table-wrap"><table class="vf-table vf-table-stack">
  <thead><tr><th class="vf-pick"><input class="vf-check" type="checkbox" data-bulk-all form="bulk" aria-label="Select all"></th>
    {% sort_header "name" "Agent" %}{% sort_header "made" "Made" "vf-right" %}</tr></thead>
  <tbody>{% for agent in page %}<tr data-row>
    <td class="vf-pick"><input class="vf-check" type="checkbox" data-bulk-item form="bulk" name="id" value="{{ agent.pk }}" aria-label="Select {{ agent.name }}"></td>
    <td class="vf-two"><a class="vf-lead" href="{{ agent.get_absolute_url }}">{{ agent.name }}</a><small>{{ agent.get_status_display }}</small></td>
    <td class="vf-right vf-muted">{% moment agent.created_at %}</td></tr>{% endfor %}</tbody>
</table></div></div>
{% include "partials/_bulk_bar.html" with action="/workbench/do/" actions=buttons %}
{% include "partials/_pager.html" with sizes=True %}</div>"""
) + "{% endblock %}"
BUTTONS = """<button class="vf-btn vf-btn-small" name="do" value="archive">Archive</button>
<button class="vf-btn vf-btn-small vf-btn-danger" name="do" value="delete" data-confirm-one="Delete this agent?"
  data-confirm-other="Delete {count} agents?" data-confirm-text="This cannot be undone." data-confirm-action="Delete"
  data-confirm-type="delete">Delete</button>"""
FORM = """{% extends "base.html" %}{% load vf shell %}{% block title %}Form{% endblock %}
{% block crumb %}{% breadcrumbs "Bench" "/workbench/" "Form" %}{% endblock %}
{% block content %}<form class="vf-fieldset" method="post" novalidate data-guard data-validate="/workbench/form/"{% if form.errors %} data-dirty{% endif %}>
{% csrf_token %}{% if form.errors %}{% include "partials/_error_summary.html" %}{% endif %}
{% include "partials/_field.html" with field=form.name %}{% include "partials/_field.html" with field=form.number %}
<button class="vf-btn vf-btn-primary">Save</button></form><a href="/workbench/">Elsewhere</a>{% endblock %}"""


class BenchForm(forms.Form):
    name = forms.CharField(
        validators=[MaxLengthValidator(10)], help_text="Short.", widget=forms.TextInput({"class": "vf-input"})
    )
    number = forms.IntegerField(required=False, widget=forms.TextInput({"class": "vf-input"}))


def _drawn(request: HttpRequest, text: str, status: int = 200, **context: object) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(text).render(context, request), status=status)


def rows(request: HttpRequest) -> HttpResponse:
    if "slow" in request.GET.get("q", ""):
        time.sleep(0.8)
    found = Agent.objects.filter(name__icontains=request.GET.get("q", ""))
    sort = sorting(request, {"name": "name", "made": "created_at"}, default="name")
    page = numbered_page(request, found.order_by(*sort.order()))
    buttons = engines["django"].from_string(BUTTONS).template
    return _drawn(request, ROWS if request.htmx else LIST, page=page, sort=sort, buttons=buttons)


def newest(request: HttpRequest) -> HttpResponse:
    text = '{% load vf %}{% for a in page %}{{ a.name }} {% endfor %}{% include "partials/_cursor_pager.html" %}'
    return _drawn(request, text, page=newest_page(request, Agent.objects.all()))


def form(request: HttpRequest) -> HttpResponse:
    bound = BenchForm(request.POST if request.method == "POST" else None)
    if "validate" in request.GET:
        return field_errors(request, bound)
    if bound.is_bound and bound.is_valid():
        messages.success(request, "Saved")
        return redirect("/workbench/form/")
    return _drawn(request, FORM, status=422 if bound.is_bound else 200, form=bound)


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


workbench = (
    [
        path("", rows, name="rows"),
        path("newest/", newest, name="newest"),
        path("form/", form, name="form"),
        path("do/", do, name="do"),
        path("undo/", undo, name="undo"),
        path("poke/", poke, name="poke"),
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
