"""The page of voices, what one sounds like, and which of them a person wants to find again."""

from __future__ import annotations

import asyncio

from asgiref.sync import async_to_sync
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from .. import registry, voices
from ..errors import EngineError
from ..models import FavouriteVoice
from ..offer import Offer
from ..pages.lists import way_back
from . import actions, samples
from .listing import FAVOURITES, FEW, GENDERS, Wanted, choices, counts, entries, sections
from .standing import Machine, Serving, Standing, asked, standing_of

LONGEST_TEXT = 200  # characters that a voice is tried with


@require_safe
@vary_on_headers("HX-Request")
def library(request: HttpRequest) -> HttpResponse:
    """Every voice; `q`, `language`, `gender`, `model` and `licence` filter, `show` is "ready" or
    "favourites", `open` names the languages whose voices are shown."""
    wanted = Wanted.of(request.GET)
    serving, offer = async_to_sync(_asked)()
    usable = {voice.id for voice in offer.voices}
    everything = entries(serving, Machine.seen(), _favourites(request), usable)
    fitting = [entry for entry in everything if wanted.fits(entry)]
    found = [entry for entry in fitting if wanted.shows(entry)]
    context = {
        "sections": sections(found, wanted),
        "found": len(found),
        "many": len(found) > FEW,
        "counts": counts(fitting),
        "wanted": wanted,
        "no_favourites": wanted == Wanted(show=FAVOURITES),
        "genders": [("", _("Any")), *((gender.value, label) for gender, label in GENDERS.items())],
        "longest": LONGEST_TEXT,
        "problem": serving.problem,
        **choices(everything),
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "voices/_results.html" if partial else "voices/list.html", context)


async def _asked() -> tuple[Serving, Offer]:
    """What can be heard, and what agents can be given: of a Space that takes one request."""
    return await asked(), await registry.offer()


@require_POST
async def preview(request: HttpRequest, voice: str) -> HttpResponse:
    """The voice's greeting, or `text`, as a WAV of the model that speaks it; else the reason, as JSON."""
    known = _known(voice)
    text = request.POST.get("text", "").strip() or voices.greeting(known.language, known.gender)
    if len(text) > LONGEST_TEXT:
        words = _("Write at most %(most)d characters; these are %(count)d.")
        return _refused(words % {"most": LONGEST_TEXT, "count": len(text)}, 422)
    machine = await asyncio.to_thread(Machine.seen)  # it reads the disk
    standing = standing_of(known, await asked(), machine)
    if not standing.heard:
        return _refused(standing.reason, 409)
    return await _sample(known, standing, text)


async def _sample(voice: voices.Voice, standing: Standing, text: str) -> HttpResponse:
    try:
        wav = await samples.sample(voice, standing, text)
    except EngineError as error:
        return _refused(_("It was not spoken: %(error)s") % {"error": error}, 503)
    answer = HttpResponse(wav, content_type="audio/wav")
    answer["X-Model"] = standing.model.id
    return answer


def _refused(words: str, status: int) -> JsonResponse:
    return JsonResponse({"error": words}, status=status)


@require_POST
def favourite(request: HttpRequest, voice: str) -> HttpResponse:
    """Remember the voice for this person, or, with `on` empty, forget it."""
    known = _known(voice)
    on = bool(request.POST.get("on"))
    if on:
        actions.remember(voice=known, user_id=_person(request))
    else:
        actions.forget(voice=known, user_id=_person(request))
    if request.htmx:  # type: ignore[attr-defined]
        context = {"voice": known, "favourite": on, "total": len(_favourites(request))}
        return render(request, "voices/_favourite.html", context)
    return redirect(way_back(request, otherwise=reverse("voices:list")))


def _favourites(request: HttpRequest) -> set[str]:
    return set(FavouriteVoice.objects.filter(user_id=_person(request)).values_list("voice", flat=True))


def _person(request: HttpRequest) -> int:
    assert request.user.pk  # the gate lets nobody else in
    return request.user.pk


def _known(voice: str) -> voices.Voice:
    known = voices.by_id(voice)
    if known is None:
        raise Http404(f"There is no voice {voice!r}.")
    return known
