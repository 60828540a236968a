"""Pages of webhooks: who is told what, with which secret. Their messages are in `message_views`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mlservices.happenings import KINDS
from mlservices.pages.lists import numbered_page

from . import actions
from .figures import figures_of, newest_of
from .forms import SecretForm, WebhookForm, kinds_by_group
from .models import Webhook

_SAMPLES = Path(__file__).parent / "samples"
_MESSAGE = {
    "id": "5c3b1d0e-7a6b-4c8d-9e0f-1a2b3c4d5e6f",
    "type": "call.ended",
    "timestamp": "2026-03-02T09:31:32.120000+00:00",
    "about": "call:6a0f3c9e-2d1b-4d57-9f0e-8f5a1d2c3b4a",
    "sequence": 41,
    "data": {},
}
# Language: the file that shows how a signature is checked
SAMPLES = {"Python": "verify.py", "JavaScript": "verify.mjs"}


@require_safe
def webhooks(request: HttpRequest) -> HttpResponse:
    page = numbered_page(request, Webhook.objects.all())
    shown = list(page)
    figures, newest = figures_of(shown), newest_of(shown)
    rows = [(webhook, figures[webhook.pk], newest.get(webhook.pk)) for webhook in shown]
    return render(request, "webhooks/list.html", {"page": page, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """POST shows the secret, which nobody can see again."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            webhook, secret = actions.add_webhook(by=request.user.get_username(), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _secret(request, webhook, secret)
    return render(request, "webhooks/form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=pk)
    form = WebhookForm(request.POST or None, webhook=webhook)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_webhook(webhook=webhook, by=request.user.get_username(), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("%(name)s is saved") % {"name": form.cleaned_data["description"]})
            return redirect(webhook)
    context = {"form": form, "webhook": webhook}
    return render(request, "webhooks/form.html", context, status=422 if form.errors else 200)


@require_POST
def new_secret(request: HttpRequest, pk: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=pk)
    form = SecretForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose for how long the old secret signs."))
        return redirect(webhook)
    secret = actions.rotate_secret(webhook=webhook, by=request.user.get_username(), overlap=form.overlap())
    webhook.refresh_from_db()
    return _secret(request, webhook, secret, again=True)


@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=pk)
    if actions.pause(webhook=webhook, by=request.user.get_username()):
        messages.success(request, _("%(name)s is paused; its messages wait") % {"name": webhook.description})
    return redirect(webhook)


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=pk)
    if actions.resume(webhook=webhook, by=request.user.get_username()):
        messages.success(request, _("%(name)s is told again") % {"name": webhook.description})
    return redirect(webhook)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=pk)
    actions.delete_webhook(webhook=webhook, by=request.user.get_username())
    messages.success(request, _("%(name)s is deleted") % {"name": webhook.description})
    return redirect("webhooks:list")


@require_safe
def kinds(request: HttpRequest) -> HttpResponse:
    """What is told, how it looks, and how to check that it comes from here."""
    groups = [
        (group, [(name, what, example_of(name)) for name, what in own]) for group, own in kinds_by_group()
    ]
    context = {"groups": groups, "message": pretty(_MESSAGE), "samples": _samples()}
    return render(request, "webhooks/kinds.html", context)


def example_of(kind: str) -> str:
    return pretty(KINDS[kind].example)


def pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _samples() -> list[tuple[str, str]]:
    return [(language, (_SAMPLES / name).read_text()) for language, name in SAMPLES.items()]


def _secret(request: HttpRequest, webhook: Webhook, secret: str, *, again: bool = False) -> HttpResponse:
    context = {"webhook": webhook, "secret": secret, "again": again, "samples": _samples()}
    answer = render(request, "webhooks/secret.html", context)
    answer["Cache-Control"] = "no-store"
    return answer
