"""Recordings of providers on a call's page."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from .. import file_names
from ..models import ProviderRecording
from ..ranges import ranged
from .actions import try_again


@require_safe
def sound(request: HttpRequest, call_id: UUID, pk: int) -> HttpResponseBase:
    """Answers ranges, so that a player may seek; `?download` saves it."""
    rows = ProviderRecording.objects.select_related("call").defer("peaks", "call__card")
    row = get_object_or_404(rows, pk=pk, call=call_id, state=ProviderRecording.State.KEPT)
    response = ranged(request, row.file.open("rb"), size=row.file.size, content_type="audio/wav")
    if "download" in request.GET:
        name = file_names.of_call(row.call, "wav")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
def again(request: HttpRequest, call_id: UUID, pk: int) -> HttpResponse:
    row = get_object_or_404(ProviderRecording.objects.select_related("call"), pk=pk, call=call_id)
    if try_again(recording=row, by=request.user.get_username()):
        messages.success(request, _("The recording is asked for again"))
    return redirect(row.call)
