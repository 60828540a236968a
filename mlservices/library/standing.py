"""Whether a voice can be heard now: which model would speak it, how that stands, and what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext as _

from .. import registry
from ..catalog import BY_ID, Model
from ..offer import DEFAULT_VOICE
from ..order import LOCAL, OPENAI, SPACE
from ..prepare import is_ready
from ..service.devices import has_driver
from ..service.layout import configured_models
from ..services import own_service, space
from ..telling import Telling, told_lately, told_now
from ..voices import Voice, models_for


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
    ELSEWHERE = "elsewhere"


HEARD = (Kind.READY, Kind.ON_SPACE, Kind.ON_DEMAND)  # asking for a sentence can bring one


@dataclass(frozen=True, slots=True)
class Serving:
    """Who speaks, as `registry.who_speaks`, and what it says of itself. `voices` are those it takes, each
    with the state of its model; `model` is the catalogue's id of the one it speaks with otherwise, "" if that
    is none of ours."""

    by: str = LOCAL
    voices: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    state: str = ""
    problem: str = ""

    @property
    def on_space(self) -> bool:
        return self.by == SPACE


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
            Kind.ELSEWHERE: _("Not in use"),
        }[self.kind]


async def asked() -> Serving:
    """Our own service is asked each time, a Space twice a minute."""
    by = registry.who_speaks()
    if by == SPACE:
        return _read(await told_lately(space()), by)
    return _read(await told_now(own_service()), by) if by == LOCAL else Serving(by)


def _read(told: Telling, by: str) -> Serving:
    """A Space may tell much or little; what it leaves out it does not have."""
    if told.problem:
        return Serving(by, problem=told.problem)
    tts = told.of("tts")
    if not tts:
        return Serving(by)
    state = str(tts.get("status") or "loaded")
    names = {str(tts[key]) for key in ("id", "name") if tts.get(key)}
    model = next((each.id for each in BY_ID.values() if names & {each.id, each.source.hub}), "")
    states = {str(each["id"]): str(each.get("status") or state) for each in told.voices()}
    return Serving(by, states, model, state)


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
    if serving.by not in (SPACE, LOCAL):
        return Standing(model, Kind.ELSEWHERE, _another_speaks(serving.by))
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


def _another_speaks(by: str) -> str:
    if by == OPENAI:
        return _("OpenAI speaks here, in a voice of its own: OPENAI_TTS_VOICE. ML_FALLBACK names it first.")
    return _("Nothing is configured to speak: name space or local in ML_FALLBACK.")


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
        named = _(
            "%(model)s needs a GPU, and this machine has none. A Space with one can speak instead: name it "
            "first in ML_FALLBACK."
        )
        return Kind.GPU, (named if settings.HF_ML_API_URL else text) % names
    if model.id not in machine.prepared:
        text = _("The files of %(model)s are not here yet: run manage.py models download %(id)s.")
        return Kind.DOWNLOAD, text % names
    return Kind.NOT_LOADED, _("Another model speaks here now: TTS_ENGINE=%(id)s chooses this one.") % names
