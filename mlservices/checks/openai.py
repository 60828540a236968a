"""OpenAI-compatible endpoints: whether the key is taken and the model there; on demand, since it costs money,
a chat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from .. import registry
from ..order import OPENAI, order
from ..types import ChatMessage
from . import MODELS, Outcome, Probe, Service, Status, failed, passed, warned
from .http import read, send

PATIENCE_SECONDS = 10.0
CHAT_PATIENCE_SECONDS = 30.0
KEY = gettext_noop(
    "Check the key and the address in the settings, and the account's balance at the provider."
)
ANOTHER_MODEL = gettext_noop(
    "Name a model that the endpoint lists: in OPENAI_MODEL, OPENAI_STT_MODEL and OPENAI_TTS_MODEL, or in "
    "NVIDIA_MODEL."
)
NO_LIST = (404, 405)


def configured() -> Iterable[Service]:
    """Those that settings name."""
    if key := settings.AI_INTEGRATIONS_OPENAI_API_KEY:
        speech = (settings.OPENAI_STT_MODEL, settings.OPENAI_TTS_MODEL) if OPENAI in order() else ()
        models = [settings.OPENAI_MODEL, *filter(None, speech)]
        yield endpoint("openai", "OpenAI", settings.AI_INTEGRATIONS_OPENAI_BASE_URL, key, models)
    if key := settings.NVIDIA_API_KEY:
        yield endpoint("nvidia", "NVIDIA", registry.NVIDIA_BASE_URL, key, [settings.NVIDIA_MODEL])


def endpoint(id: str, title: str, base_url: str, key: str, models: Sequence[str]) -> Service:
    """`id` is the first model's, which chats, in `registry.chat_models`."""
    probes = (
        Probe("models", _("Key and model"), _lists(base_url, key, models), PATIENCE_SECONDS),
        Probe("chat", _("Answers a word"), _chats(id), CHAT_PATIENCE_SECONDS, on_demand=True),
    )
    about = f"{', '.join(models)} · {urlsplit(base_url).netloc}"
    return Service(f"chat-{id}", title, MODELS, "message-circle", probes, about, KEY, (key,))


def _lists(base_url: str, key: str, models: Sequence[str]) -> Callable[[], Awaitable[Outcome]]:
    async def ask() -> Outcome:
        answer = await send("GET", f"{base_url}/models", token=key)
        if answer.status in NO_LIST:  # some servers have no such list, and yet chat
            return warned(gettext_noop("It lists no models, so the key could not be tried"))
        return read(answer, lambda listed: _judge(listed, models))

    return ask


def _judge(listed: dict[str, Any], models: Sequence[str]) -> Outcome:
    entries = listed.get("data")
    if not isinstance(entries, list):
        return failed(gettext_noop("It sent something else than a list of models"))
    ids = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    if lacking := [model for model in models if model not in ids]:
        words = gettext_noop("The key is taken, but its list of %(model_count)s lacks %(lacking)s")
        values = {"lacking": ", ".join(lacking), "model_count": len(ids)}
        return Outcome(Status.WARN, words, ANOTHER_MODEL, values)
    return passed(gettext_noop("The key is taken, and it lists what is asked of it"))


def _chats(id: str) -> Callable[[], Awaitable[Outcome]]:
    async def ask() -> Outcome:
        client = registry.remote_chat(id)
        async with aclosing(client.reply([ChatMessage("user", "Hello.")], max_tokens=1)) as deltas:
            async for delta in deltas:
                if not delta.text:
                    continue  # it only tells how many tokens it took
                return passed(gettext_noop("Answered: %(text)s"), text=delta.text.strip())
        return failed(gettext_noop("It answered nothing"))

    return ask
