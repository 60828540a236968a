"""Whether a voice can be heard now: which model would speak it, how that stands, and what it lacks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from .. import registry
from ..catalog import BY_ID, Model
from ..clients.service import ServiceClient
from ..errors import EngineError
from ..offer import DEFAULT_VOICE
from ..prepare import is_ready
from ..service.devices import has_driver
from ..service.layout import configured_models
from ..voices import Voice, models_for

_REMEMBERED_SECONDS = 30.0  # of a Space, which answers slowly
_remembered: dict[ServiceClient, tuple[float, Serving]] = {}


class Kind(StrEnum):
    """In the order in which a voice's models are taken."""

    READY = "ready"
    ON_SPACE = "on_space"
    LOADING = "loading"
    ON_DEMAND = "on_demand"
    FAILED = "failed"
    AWAY = "away"
    NOT_LOADED = "not_loaded"
    NOT_ON_SPACE = "not_on_space"
    DOWNLOAD = "download"
    GPU = "gpu"


HEARD = (Kind.READY, Kind.ON_SPACE, Kind.ON_DEMAND)  # asking for a sentence can bring one


@dataclass(frozen=True, slots=True)
class Serving:
    """What the service that speaks says of itself. `voices` are those it takes, each with the state of its
    model; `model` is the catalogue's id of the one it speaks with otherwise, "" if that is none of ours."""

    on_space: bool = False
    voices: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    state: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    model: Model
    kind: Kind
    reason: str = ""  # why it is not heard, and what to do; or why it takes a while
    told: str = ""  # what the service is asked for to hear it

    @property
    def heard(self) -> bool:
        return self.kind in HEARD

    @property
    def ready(self) -> bool:
        return self.kind in (Kind.READY, Kind.ON_SPACE)

    @property
    def label(self) -> str:
        return {
            Kind.READY: _("Ready here"),
            Kind.ON_SPACE: _("On the Space"),
            Kind.LOADING: _("Loading"),
            Kind.ON_DEMAND: _("Not loaded"),
            Kind.FAILED: _("Failed"),
            Kind.AWAY: _("No answer"),
            Kind.NOT_LOADED: _("Not loaded"),
            Kind.NOT_ON_SPACE: _("Not on the Space"),
            Kind.DOWNLOAD: _("Needs download"),
            Kind.GPU: _("Needs a GPU"),
        }[self.kind]


async def asked() -> Serving:
    """Our own service is asked each time, a Space twice a minute."""
    client, on_space = registry.service(), bool(settings.HF_ML_API_URL)
    told_at, known = _remembered.get(client, (0.0, Serving()))
    if on_space and told_at and time.monotonic() - told_at < _REMEMBERED_SECONDS:
        return known
    try:
        known = _read(await client.models(), on_space)
    except EngineError as error:
        known = Serving(on_space, problem=str(error))
    _remembered[client] = (time.monotonic(), known)
    return known


def _read(answer: dict[str, Any], on_space: bool) -> Serving:
    """A Space may tell much or little; what it leaves out it does not have."""
    models = answer.get("available_models")
    tts = models.get("tts") if isinstance(models, dict) else None
    if not isinstance(tts, dict):
        return Serving(on_space)
    state = str(tts.get("status") or "loaded")
    rows = tts.get("voices")
    listed = [each for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []
    names = {str(tts[key]) for key in ("id", "name") if tts.get(key)}
    model = next((each.id for each in BY_ID.values() if names & {each.id, each.source.hub}), "")
    states = {str(each["id"]): str(each.get("status") or state) for each in listed if each.get("id")}
    return Serving(on_space, states, model, state)


def standing_of(voice: Voice, serving: Serving, machine: Machine) -> Standing:
    """Of the model that would speak it now: the one that is nearest to being heard."""
    each = [_standing(voice, model, serving, machine) for model in models_for(voice)]
    order = list(Kind)
    return min(each, key=lambda standing: order.index(standing.kind))


@dataclass(frozen=True, slots=True)
class Machine:
    """What can be known of this one without asking the service; looked up once for all voices."""

    gpu: bool
    prepared: frozenset[str]
    configured: frozenset[str]

    @classmethod
    def seen(cls) -> Machine:
        prepared = (model.id for model in BY_ID.values() if is_ready(model, settings.MODELS_DIR))
        return cls(
            has_driver(settings.CUDA_VISIBLE_DEVICES), frozenset(prepared), frozenset(configured_models())
        )


def _standing(voice: Voice, model: Model, serving: Serving, machine: Machine) -> Standing:
    told = voice.id if voice.id in serving.voices else DEFAULT_VOICE
    own = bool(voice.model) and voice.model == serving.model
    if voice.id in serving.voices or own:
        state = serving.voices.get(voice.id, serving.state)
        return Standing(model, *_of_state(state, model, serving.on_space), told)
    if serving.on_space:
        return Standing(model, *_not_on_space(model, serving))
    if serving.problem and model.id in machine.configured:
        return Standing(
            model,
            Kind.AWAY,
            _("The speech service does not answer: %(problem)s") % {"problem": serving.problem},
        )
    return Standing(model, *_lacking(model, machine))


def _of_state(state: str, model: Model, on_space: bool) -> tuple[Kind, str]:
    if state == "loaded":
        return (Kind.ON_SPACE if on_space else Kind.READY), ""
    names = {"model": model.name}
    if state in ("loading", "starting"):
        return Kind.LOADING, _("%(model)s is loading. Try again in a moment.") % names
    if state == "failed":
        return Kind.FAILED, _("%(model)s could not be loaded: the service's log says why.") % names
    return Kind.ON_DEMAND, _("%(model)s is loaded when it is asked for, which takes a while.") % names


def _not_on_space(model: Model, serving: Serving) -> tuple[Kind, str]:
    if serving.problem:
        return Kind.AWAY, _("The Space does not answer: %(problem)s") % {"problem": serving.problem}
    text = _("%(model)s is not among what the Space offers. HF_ML_API_URL says which Space is asked.")
    return Kind.NOT_ON_SPACE, text % {"model": model.name}


def _lacking(model: Model, machine: Machine) -> tuple[Kind, str]:
    names = {"model": model.name, "id": model.id}
    if model.gpu and not machine.gpu:
        text = _(
            "%(model)s needs a GPU, and this machine has none. A Space with one can speak instead: set "
            "HF_ML_API_URL."
        )
        return Kind.GPU, text % names
    if model.id not in machine.prepared:
        text = _("The files of %(model)s are not here yet: run manage.py models download %(id)s.")
        return Kind.DOWNLOAD, text % names
    return Kind.NOT_LOADED, _("Another model speaks here now: TTS_ENGINE=%(id)s chooses this one.") % names
