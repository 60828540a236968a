"""What the live page's bar sends: each verb of `orders` by its own address."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from . import orders
from .actions import hang_up
from .models import Call


@require_POST
def say(request: HttpRequest, call_id: UUID) -> HttpResponse:
    return _done(request, call_id, lambda by: orders.say(call_id, text=request.POST.get("text", ""), by=by))


@require_POST
def whisper(request: HttpRequest, call_id: UUID) -> HttpResponse:
    return _done(
        request, call_id, lambda by: orders.whisper(call_id, text=request.POST.get("text", ""), by=by)
    )


@require_POST
def take_over(request: HttpRequest, call_id: UUID) -> HttpResponse:
    window = request.POST.get("window", "")
    return _done(request, call_id, lambda by: orders.take_over(call_id, by=by, window=window))


@require_POST
def give_back(request: HttpRequest, call_id: UUID) -> HttpResponse:
    note, window = request.POST.get("note", ""), request.POST.get("window", "")
    return _done(request, call_id, lambda by: orders.give_back(call_id, note=note, by=by, window=window))


@require_POST
def transfer(request: HttpRequest, call_id: UUID) -> HttpResponse:
    return _done(
        request, call_id, lambda by: orders.transfer(call_id, number=request.POST.get("number", ""), by=by)
    )


@require_POST
def hang_up_call(request: HttpRequest, call_id: UUID) -> HttpResponse:
    return _done(request, call_id, lambda by: hang_up(call_id, by=by))


def _done(request: HttpRequest, call_id: UUID, order: Callable[[str], object]) -> HttpResponse:
    """204 for the page that watches the call, or {"error"}; without scripts back to the call's page."""
    call = get_object_or_404(Call, pk=call_id)
    problem, status = "", 204
    try:
        order(request.user.get_username())
    except orders.NotPossible as error:
        problem, status = str(error), 409
    except ValidationError as error:
        problem, status = " ".join(error.messages), 422
    if request.headers.get("X-Requested-With") == "fetch":
        return JsonResponse({"error": problem}, status=status) if problem else HttpResponse(status=204)
    if problem:
        messages.error(request, problem)
    return redirect(call)
