"""`/api/vllm/chat`: one message of a session, which is remembered for an hour."""

from __future__ import annotations

import hashlib
import time
from contextlib import aclosing

from django.core.cache import caches
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from .. import registry
from ..clients.space import NotOffered
from ..ledger import asking
from ..types import ChatMessage
from .answers import asker_of, invalid, key_of, refusing
from .bodies import json_body
from .forms import ChatForm, checked

CACHE = "chats"
MESSAGES_KEPT = 10
REMEMBERED_SECONDS = 3600


@refusing
async def chat(request: HttpRequest) -> HttpResponseBase:
    """The session remembers a message only when it was answered."""
    started = time.monotonic()
    form = checked(ChatForm, await json_body(request))
    model = _model(form.model)
    place = _place(request, form.session_id)
    earlier: list[tuple[str, str]] = await caches[CACHE].aget(place, [])
    system = [ChatMessage("system", form.system_prompt)] if form.system_prompt else []
    asked = ChatMessage("user", form.message)
    before = [ChatMessage("user" if role == "user" else "assistant", text) for role, text in earlier]
    messages = [*system, *before, asked]
    pieces, used, engine, degraded = [], None, "", False
    with asking(key=key_of(request)):
        async with aclosing(registry.chat_model(model).reply(messages, priority="batch")) as deltas:
            async for delta in deltas:
                pieces.append(delta.text)
                used = delta.used or used
                engine, degraded = delta.engine, delta.degraded
    response = "".join(pieces).strip()
    earlier = await caches[CACHE].aget(place, [])  # as it is now: others may have asked meanwhile
    said = [*earlier, ("user", form.message), ("assistant", response)]
    await caches[CACHE].aset(place, said[-MESSAGES_KEPT:], REMEMBERED_SECONDS)
    answer = JsonResponse(
        {
            "response": response,
            "session_id": form.session_id,
            "mode": form.mode,
            "model": model,
            "engine": engine,
            "degraded": degraded,
            "processing_time": time.monotonic() - started,
            "context_size": len(messages),
            "tokens": used.answer if used else len(pieces),
        }
    )
    answer["Cache-Control"] = "no-store"
    return answer


def _model(wanted: str) -> str:
    """The id of a configured model, the best one if none is named."""
    known = [id for id, _ in registry.chat_models()]
    if not known:
        raise NotOffered("No language model is configured here.", service="llm")
    if wanted and wanted not in known:
        raise invalid(model=f"There is no language model {wanted!r}: use one of {', '.join(known)}.")
    return wanted or known[0]


def _place(request: HttpRequest, session_id: str) -> str:
    """In the cache that all processes share: nobody meets another's session by its name."""
    return hashlib.sha256(f"{asker_of(request)}\0{session_id}".encode()).hexdigest()
