"""What the site's description of the API says of this part of it, in OpenAPI's form. What a request may hold
is taken from the forms that check it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

from . import examples
from .forms import ChatForm, DetectForm, SpeakForm, TranscribeForm
from .sound import TYPES
from .usage import GROUPS

TAG = "Models"
_VOICES, _STATUS = "Voices", "Status"
_JSON, _FILE_FORM = "application/json", "multipart/form-data"
_FILE = {"type": "string", "format": "binary"}
_BASE64 = {"type": "string", "contentEncoding": "base64"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of an address. `form` is what its JSON may hold; `hears` tells that a sound belongs to it,
    as the file `audio` of a form, or in JSON as `audio_base64`. `sends` and `told` are examples."""

    method: str
    path: str
    summary: Any
    form: type[BaseModel] | None = None
    hears: bool = False
    answers: tuple[str, ...] = (_JSON,)
    query: dict[str, Any] = field(default_factory=dict)  # the schema of each parameter
    open: bool = False  # without a key
    tag: str = TAG
    sends: Mapping[str, Any] | None = None
    told: Mapping[str, Any] | None = None

    def schema(self) -> dict[str, Any]:
        return self.form.model_json_schema() if self.form else {}

    def parameters(self) -> list[dict[str, Any]]:
        parts = [part.split("}")[0] for part in self.path.split("{")[1:]]
        in_path = [
            {
                "name": n,
                "in": "path",
                "required": True,
                "description": _PARTS[n],
                "schema": {"type": "string"},
            }
            for n in parts
        ]
        return in_path + [{"name": n, "in": "query", **parameter} for n, parameter in self.query.items()]

    def bodies(self) -> dict[str, Any]:
        """The schema of a body, by its type."""
        if not self.form:
            return {}
        if not self.hears:
            return {_JSON: self.schema()}
        return {_FILE_FORM: self._with("audio", _FILE), _JSON: self._with("audio_base64", _BASE64)}

    def _with(self, name: str, sound: dict[str, Any]) -> dict[str, Any]:
        schema = self.schema()
        schema["properties"] = {name: sound, **schema["properties"]}
        schema["required"] = [name, *schema.get("required", [])]
        return schema


def _asked(what: str, **schema: Any) -> dict[str, Any]:
    return {"description": what, "schema": schema}


_PARTS = {
    "model_id": "The id of a model of the catalogue: see `GET /api/models`.",
    "verb": "`download`, `load`, `unload` or `warm`; of what is stopped, `download`.",
}
_USAGE = {
    "from": _asked("The first day, in UTC; 30 days back unless told.", type="string", format="date"),
    "to": _asked("The last day, in UTC; today unless told.", type="string", format="date"),
    "group": _asked("A row for each of these.", type="string", enum=list(GROUPS), default=GROUPS[0]),
    "call": _asked("Of this call alone, while its rows are kept.", type="string", format="uuid"),
}
_SPOKEN = (*TYPES.values(), _JSON)
_MODEL = "/api/models/{model_id}"
OPERATIONS = (
    Operation(
        "post",
        "/api/tts",
        _("Speak a text"),
        SpeakForm,
        answers=_SPOKEN,
        sends={"text": "Good morning.", "voice": "piper-joe", "format": "mp3"},
        told=examples.SPOKEN,
    ),
    Operation(
        "post",
        "/api/stt",
        _("Write down what a recording says"),
        TranscribeForm,
        hears=True,
        sends={"audio_base64": examples.SOUND, "language": "en"},
        told=examples.HEARD,
    ),
    Operation(
        "post",
        "/api/vad",
        _("Find where in a recording somebody speaks"),
        DetectForm,
        hears=True,
        sends={"audio_base64": examples.SOUND, "threshold": 0.5},
        told=examples.DETECTED,
    ),
    Operation(
        "post",
        "/api/vllm/chat",
        _("Answer one message of a session"),
        ChatForm,
        sends={"session_id": "one", "message": "When are you open?"},
        told=examples.ANSWERED,
    ),
    Operation(
        "get", "/api/voices", _("The voices that can be spoken now"), tag=_VOICES, told=examples.VOICES
    ),
    Operation(
        "get", "/api/voice-library", _("All voices that are described"), tag=_VOICES, told=examples.LIBRARY
    ),
    Operation("get", "/api/models", _("What there is, and how it stands"), told=examples.MODELS),
    Operation("get", _MODEL, _("All of one model"), told=examples.MODEL),
    Operation("delete", _MODEL, _("Remove its files"), told=examples.MODEL),
    Operation("post", f"{_MODEL}/{{verb}}", _("Download, load, unload or warm a model"), told=examples.MODEL),
    Operation("delete", f"{_MODEL}/{{verb}}", _("Stop a download"), told=examples.MODEL),
    Operation("get", "/api/usage", _("What was used"), query=_USAGE, tag="Usage", told=examples.USED),
    Operation("get", "/api/health", _("How the models stand"), open=True, tag=_STATUS, told=examples.HEALTH),
    Operation(
        "get",
        "/api/ready",
        _("Whether all models are loaded"),
        open=True,
        tag=_STATUS,
        told={"status": "ready"},
    ),
    Operation(
        "get", "/api/live", _("Whether the server answers"), open=True, tag=_STATUS, told={"status": "live"}
    ),
)


def described() -> dict[str, Any]:
    """The paths of OpenAPI's form; refusals and keys are described by the site."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return paths


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": str(operation.summary),
        "tags": [operation.tag],
        "operationId": _id(operation),
        "responses": {"200": {"description": "OK", "content": _told(operation)}},
    }
    if parameters := operation.parameters():
        described["parameters"] = parameters
    if bodies := operation.bodies():
        content = {type: {"schema": schema} for type, schema in bodies.items()}
        if operation.sends:
            content[_JSON]["example"] = dict(operation.sends)
        described["requestBody"] = {"required": True, "content": content}
    if operation.open:
        described["security"] = []
    return described


def _told(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {type: {} for type in operation.answers}
    if operation.told:
        content[_JSON]["example"] = dict(operation.told)
    return content


def _id(operation: Operation) -> str:
    parts = [part.strip("{}") for part in operation.path.removeprefix("/api/").replace("-", "_").split("/")]
    return "_".join([*parts, operation.method])
