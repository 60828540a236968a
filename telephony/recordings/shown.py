"""The sounds of a call that can be heard: our own first, then what its provider has recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from .. import wording
from ..models import Call, ProviderRecording, Recording

State = ProviderRecording.State


@dataclass(frozen=True, slots=True)
class Sound:
    name: str  # where there is more than one: who made it
    by_provider: bool
    file_name: str  # of what is saved, to people
    url: str
    page: str  # the call's page, with this one to be played
    duration_seconds: float
    bytes: int
    peaks: dict[str, Any]


def sounds_of(call: Call) -> list[Sound]:
    page = call.get_absolute_url()
    sounds = []
    if own := Recording.objects.filter(call=call).first():
        url = reverse("telephony:recording", args=[call.pk])
        sounds.append(_sound(own, name="VoiceForge", file_name=_("Recording"), url=url, page=page))
    for row in ProviderRecording.objects.filter(call=call, state=State.KEPT):
        names = {"name": provider_of(call), "file_name": file_name_of(call)}
        sounds.append(_sound(row, **names, url=row.get_absolute_url(), page=f"{page}?sound={row.pk}"))
    return sounds


def chosen_of(sounds: list[Sound], page: str) -> Sound | None:
    """The one whose page it is, else the first."""
    first = sounds[0] if sounds else None
    return next((sound for sound in sounds if sound.page == page), first)


def missing_of(call: Call) -> list[ProviderRecording]:
    """Those of the provider that are not kept, and those that it could not be made to remove."""
    rows = ProviderRecording.objects.filter(call=call).defer("peaks")
    return [row for row in rows if row.state != State.KEPT or row.problem]


def provider_of(call: Call) -> str:
    return str(wording.LINES.get(call.line, call.line))


def file_name_of(call: Call) -> str:
    return _("Recording by %(provider)s") % {"provider": provider_of(call)}


def _sound(row: Recording | ProviderRecording, **told: str) -> Sound:
    by_provider = isinstance(row, ProviderRecording)
    return Sound(
        **told,
        by_provider=by_provider,
        duration_seconds=row.duration_seconds,
        bytes=row.bytes,
        peaks=row.peaks,
    )
