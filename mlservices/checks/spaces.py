"""A Space by its six probes: health, models, TTS, STT, VAD, and the whole way of our own client.

A Space that is asleep or loads a model answers "later": that is a warning, as is sound in our form that it
refuses. Whatever it does not offer, or answers wrongly, is a failure.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeGuard

from django.conf import settings
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from .. import audio, errors
from ..awake import address_of
from ..clients.http import status_error
from ..clients.service import ServiceClient
from ..clients.waking import Answered, FellAsleep, Happening
from ..services import space_token
from . import MODELS, Outcome, Probe, Service, Status, failed, passed, sample, warned
from .http import COLD, PARTY, WAKE, Judge, read, send
from .pools import figures_of, judge_segments
from .probing import Report

Ask = Callable[[], Awaitable[Outcome]]

PATIENCE_SECONDS = 30.0
STATUS_PATIENCE_SECONDS = 5.0
_NO_WORD = re.compile(r"\W+")  # between the words of a key
_OTHER_FORM = (400, 415, 422)  # the sound is not as the service wants it

COLD_MODEL = gettext_noop("Not loaded yet: %(models)s")
ANOTHER_FORM = gettext_noop("It refuses the sound that calls send (raw 16 kHz PCM). %(quoted)s")
WAV_ALONE = gettext_noop("It refuses raw 16 kHz PCM, which calls send, and takes a WAV")
UPDATE = gettext_noop(
    "Deploy the Space anew with the version of this server: its API differs from the one that calls use."
)
LOOK = gettext_noop(
    "Wait a minute; if it lasts, open the Space in a browser: it may be paused or building, and its log says "
    "what went wrong."
)
TOKEN = gettext_noop(
    "HF_ML_API_TOKEN must be the token that the Space was pushed with. Where it is empty, HF_TOKEN is sent: "
    "it must be allowed to read the Space, which is private."
)
ROUTE = gettext_noop(
    "HF_ML_API_URL must be the address of the Space itself (…hf.space), without a path. A private Space "
    "answers so to who may not read it: check HF_TOKEN. If both are right, the Space lacks this call: deploy "
    "it anew with the version of this server."
)
AWAY = gettext_noop(
    "See that HF_ML_API_URL is spelled right, that the service runs there, and that this server reaches it "
    "(HTTPS_PROXY, if it needs one)."
)
MOVED = gettext_noop("Set HF_ML_API_URL to the address that answers, which the reason names.")
NO_SPACE = gettext_noop(
    "Open the address in a browser. It may be no Space of VoiceForge: HF_ML_API_URL must be the address of "
    "the Space itself (…hf.space), not of its page on the hub. Or the Space is paused or building."
)
REMEDIES = {
    errors.Outcome.REFUSED_TOKEN: TOKEN,
    errors.Outcome.NOT_OFFERED: ROUTE,
    errors.Outcome.UNREACHABLE: AWAY,
    errors.Outcome.REDIRECTED: MOVED,
    errors.Outcome.HTML_PAGE: NO_SPACE,
    errors.Outcome.REFUSED: UPDATE,
    errors.Outcome.NOT_JSON: UPDATE,
    errors.Outcome.WRONG_FIELDS: UPDATE,
    errors.Outcome.WRONG_SOUND: UPDATE,
}


def configured() -> Iterable[Service]:
    if settings.HF_ML_API_URL:
        yield space(settings.HF_ML_API_URL, space_token()[0])


def space(url: str, token: str, title: str = "") -> Service:
    """A Space, by the address of its API."""
    address = address_of(url)

    def get(path: str, judge: Judge) -> Ask:
        return lambda: _asked("GET", url + path, token, None, judge)

    def hear(path: str, judge: Judge) -> Ask:
        return _inference(lambda: _heard(url, token, path, judge))

    speak = _inference(lambda: _asked("POST", f"{url}/api/tts", token, {"text": "Hello."}, judge_speech))
    return Service(
        slugify(f"space-{_NO_WORD.sub('-', address)}")[:80],
        title or _("Space"),
        MODELS,
        "cloud",
        (
            Probe("health", _("Health"), get("/api/health", judge_health), STATUS_PATIENCE_SECONDS),
            Probe("models", _("Models"), get("/api/models", judge_models), STATUS_PATIENCE_SECONDS),
            Probe("tts", _("Speaks"), speak, PATIENCE_SECONDS),
            Probe("stt", _("Hears"), hear("/api/stt", judge_text), PATIENCE_SECONDS),
            Probe("vad", _("Finds speech"), hear("/api/vad", judge_segments), PATIENCE_SECONDS),
            Probe("client", _("Round trip of a call"), lambda: _round_trip(url, token), PATIENCE_SECONDS),
        ),
        about=address,
        remedy=LOOK,
        secrets=(token,),
        address=address,
        remedies=REMEDIES,
    )


def happening(report: Report) -> Happening | None:
    """What a check learnt of a Space's sleep; nothing of one that could not be reached."""
    at = report.checked_at.timestamp()
    if report.passes:
        return Answered(at)
    return FellAsleep(at) if any(outcome.reason == COLD for outcome in report.outcomes) else None


# ---- one request --------------------------------------------------------------------------------


async def _asked(method: str, url: str, token: str, body: Any, judge: Judge) -> Outcome:
    return read(await send(method, url, token=token, json=body), judge)


def _inference(ask: Ask) -> Ask:
    """Its time is one of those that an alert is raised of."""

    async def timed() -> Outcome:
        begun = time.perf_counter()
        outcome = await ask()
        if outcome.status != Status.PASS:
            return outcome
        return replace(outcome, figures={"seconds": time.perf_counter() - begun})

    return timed


async def _heard(url: str, token: str, path: str, judge: Judge) -> Outcome:
    """Sound as calls send it; where that is refused, as a WAV, to tell what the Space would take."""
    answer = await send("POST", url + path, token=token, json={"audio_base64": sample.pcm_base64()})
    if answer.status not in _OTHER_FORM:
        return read(answer, judge)
    as_wav = await send("POST", url + path, token=token, json={"audio_base64": sample.wav_base64()})
    if as_wav.status < 300:
        return warned(WAV_ALONE, UPDATE)
    return warned(ANOTHER_FORM, UPDATE, quoted=status_error(answer, PARTY, ""))


async def _round_trip(url: str, token: str) -> Outcome:
    """What a call does: our client lets the Space speak, and hear what it has said."""
    client = ServiceClient(url, token=token, sleepy=False)
    try:
        sound = b""
        async with aclosing(client.speak(sample.WORDS, rate=sample.RATE)) as chunks:
            async for chunk in chunks:
                sound += chunk.pcm
        heard = await client.transcribe(sound, rate=sample.RATE)
    finally:
        await client.close()
    if not heard.text.strip():
        return failed(gettext_noop("It did not hear what it had said itself"))
    return passed(gettext_noop("Said and heard: %(text)s"), text=heard.text)


# ---- what an answer means -----------------------------------------------------------------------


def judge_health(answer: dict[str, Any]) -> Outcome:
    states = answer.get("models")
    waiting = [name for name, state in states.items() if state != "loaded"] if _is_mapping(states) else []
    if problems := answer.get("problems"):
        told = "; ".join(map(str, problems)) if isinstance(problems, list) else str(problems)
        return warned(told) if answer.get("status") == "healthy" else failed(told)
    if waiting:
        return warned(COLD_MODEL, WAKE, models=", ".join(map(str, waiting)))
    if answer.get("status") != "healthy":
        return failed(gettext_noop("It says that it is “%(status)s”"), status=answer.get("status"))
    pools = answer.get("pools")  # of a service of ours
    reports = [report for report in pools.values() if _is_mapping(report)] if _is_mapping(pools) else []
    count = len(states) if _is_mapping(states) else 0
    words = gettext_noop("%(model_count)s loaded")
    return passed(words, figures=figures_of(reports, answer), model_count=count)


def judge_models(answer: dict[str, Any]) -> Outcome:
    models = answer.get("available_models")
    if not _is_mapping(models):
        return failed(gettext_noop("It names no models"), UPDATE)
    lacking = [kind for kind in ("stt", "tts") if not _is_mapping(models.get(kind))]
    if lacking:
        return failed(gettext_noop("It has no model for %(kinds)s"), UPDATE, kinds=", ".join(lacking))
    waiting = [
        str(entry.get("name") or kind)
        for kind, entry in models.items()
        if _is_mapping(entry) and entry.get("status", "loaded") != "loaded"
    ]
    if waiting:
        return warned(COLD_MODEL, WAKE, models=", ".join(waiting))
    return passed(
        ", ".join(str(entry.get("name") or kind) for kind, entry in models.items() if _is_mapping(entry))
    )


def judge_speech(answer: dict[str, Any]) -> Outcome:
    try:
        sound, rate = audio.read_wav(base64.b64decode(answer["audio_base64"], validate=True))
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        return failed(gettext_noop("It sent sound that is no WAV: %(problem)s"), UPDATE, problem=error)
    if sample.is_silent(sound):
        return failed(gettext_noop("It made no sound"))
    return passed(gettext_noop("Spoke for %(spoken)s s"), spoken=f"{len(sound) / 2 / rate:.1f}")


def judge_text(answer: dict[str, Any]) -> Outcome:
    text = answer.get("text")
    if not isinstance(text, str):
        return failed(gettext_noop("It sent no text"), UPDATE)
    if not text.strip():
        return failed(gettext_noop("It heard nothing in a recording of a voice"))
    return passed(gettext_noop("Heard: %(text)s"), text=text.strip())


def _is_mapping(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
