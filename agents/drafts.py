"""What a form that is not saved yet would sound like and cost: a spoken try, a count of tokens."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mlservices import registry
from mlservices.errors import EngineBusy, EngineError
from mlservices.offer import DEFAULT_VOICE
from mlservices.pages.limits import range_error
from mlservices.speech import spoken
from mlservices.types import TokenCount

from .constants import read_constants
from .conversations import default_model_id, values_for
from .facts import read_facts
from .flow.chat import knowledge_text, system_prompt
from .flow.knowledge import Fact, Profile
from .flow.variables import fill
from .forms import fact_formset, facts_of
from .models import DEFAULT_MODEL, FASTEST, SLOWEST, Agent

LONGEST_TRY = 300  # characters
EXAMPLE_CALLER = "+14155550112"  # no telephone has this number
COUNT_SECONDS = 4.0
CHARACTERS_A_TOKEN = 4  # of English, roughly


@require_POST
async def speak(request: HttpRequest) -> HttpResponse:
    """The `text` of a form's field as sound, its variables filled in with an example. Errors are JSON."""
    draft = _draft(request.POST)
    text = fill(request.POST.get("text", ""), _example_values(draft)).strip()
    try:
        speed = float(request.POST.get("speaking_rate", "1"))
    except ValueError:
        speed = 0.0
    if not text or len(text) > LONGEST_TRY:
        words = _("Write something to hear, at most %(most)d characters.") % {"most": LONGEST_TRY}
        return JsonResponse({"error": words}, status=422)
    offered = {voice.id for voice in (await registry.offer()).voices}
    if draft.voice not in {DEFAULT_VOICE, *offered}:
        return JsonResponse({"error": _("The speech engine does not have this voice now.")}, status=422)
    if not SLOWEST <= speed <= FASTEST:
        words = range_error(_("Speaking rate"), SLOWEST, FASTEST)
        return JsonResponse({"error": words}, status=422)
    try:
        return HttpResponse(await spoken(text, voice=draft.voice, speed=speed), content_type="audio/wav")
    except EngineBusy:
        words = _("The speech engine is busy with calls or not ready yet. Try again in a moment.")
        return JsonResponse({"error": words}, status=503)
    except EngineError as error:
        words = _("The speech engine did not speak: %(error)s") % {"error": error}
        return JsonResponse({"error": words}, status=503)


@require_POST
def tokens(request: HttpRequest) -> HttpResponse:
    """How long instructions and facts are for the model that is chosen, as words under the instructions."""
    draft = _draft(request.POST)
    facts = _facts(request.POST)
    values = values_for(draft, facts, caller=EXAMPLE_CALLER, now=timezone.now())
    profile = Profile(
        greeting=fill(draft.greeting, values),
        facts=facts,
        transfer_number=draft.transfer_number,
        instructions=fill(draft.instructions, values),
    )
    own = "\n".join(filter(None, (profile.instructions, knowledge_text(profile))))
    whole = system_prompt(profile, timezone.now())
    counted = async_to_sync(_count)([own, whole])
    mine, total = counted.counts if counted else (len(own) // CHARACTERS_A_TOKEN, len(whole) // 4)
    chosen = default_model_id() if draft.chat_model == DEFAULT_MODEL else draft.chat_model
    limit = counted.limit if counted else 0
    context = {
        "counted": counted,
        "own": mine,
        "whole": total,
        "limit": limit,
        "chosen": chosen,
        "awaited": draft.chat_model == DEFAULT_MODEL and not chosen,  # until one is configured
        "is_local": chosen == registry.LOCAL,
        "over": bool(limit) and total > limit,
        "share": min(100, round(100 * total / limit)) if limit else 0,
    }
    return render(request, "agents/_tokens.html", context)


async def _count(texts: list[str]) -> TokenCount | None:
    """None where no model of the ML service counts them in time."""
    try:
        async with asyncio.timeout(COUNT_SECONDS):
            return await registry.count_tokens(texts)
    except (EngineError, TimeoutError):
        return None


def _draft(data: QueryDict) -> Agent:
    """What was typed, unchecked: as much of it as these answers need."""
    names = ("name", "greeting", "instructions", "voice", "chat_model", "transfer_number")
    draft = Agent(**{name: data[name] for name in names if name in data})
    try:
        draft.constants = read_constants(data.get("constants", ""))
    except ValidationError:
        draft.constants = {}
    return draft


def _example_values(draft: Agent) -> dict[str, str]:
    return values_for(draft, (), caller=EXAMPLE_CALLER, now=timezone.now())


def _facts(data: QueryDict) -> tuple[Fact, ...]:
    """Those that can be read; a row that is half typed counts with the words it has."""
    formset: Any = fact_formset(Agent(), data)
    try:
        if formset.is_valid():
            return read_facts(facts_of(formset))
    except ValidationError:
        pass
    rows = [form.prefix for form in formset.forms if not data.get(f"{form.prefix}-DELETE")]
    return tuple(Fact(data.get(f"{row}-topic", ""), data.get(f"{row}-answer", ""), ()) for row in rows)
