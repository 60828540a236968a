"""The ML service without the rest of VoiceForge, as a Hugging Face Space runs it.

`python -m mlservices.service.standalone` serves on PORT. With `install` it makes the environments that the
configured models need, with `prepare` their files, and ends. It reads the variables that the whole product
reads for its service, by the same names.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import partial
from pathlib import Path

import uvicorn
from django.conf import settings

from ..catalog import BY_ID, Kind, ids
from ..environments import install
from ..errors import PrepareError
from ..prepare import prepare
from .app import create_app
from .devices import devices, misnamed
from .layout import configured_models, plans

_ENGINES = {
    "STT_ENGINE": ("whisper-tiny.en", Kind.STT),
    "TTS_ENGINE": ("piper-joe", Kind.TTS),
    "LLM_ENGINE": ("smollm2-135m", Kind.LLM),
}
_WORKERS = {"ML_STT_WORKERS": 2, "ML_TTS_WORKERS": 2, "ML_HF_TTS_WORKERS": 2, "ML_LLM_WORKERS": 1}
_STOP_SECONDS = 3
_ROOT = Path(__file__).resolve().parent.parent.parent


class Refused(Exception):
    """A variable has a value that cannot be meant; the message is one line that names it."""


def main(arguments: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        port = configure(os.environ)
        if problem := misnamed(settings.CUDA_VISIBLE_DEVICES):
            raise Refused(problem)
        if arguments == ["install"]:
            for model_id in configured_models():
                if BY_ID[model_id].environment:
                    install(BY_ID[model_id], settings.VAR_DIR, tell=print)
            return 0
        if arguments == ["prepare"]:
            prepare(configured_models(), settings.MODELS_DIR, tell=print)
            return 0
    except (Refused, PrepareError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    look = partial(devices, settings.CUDA_VISIBLE_DEVICES)
    app = create_app(
        plans(has_gpu=len(look()) > 1),
        settings.MODELS_DIR,
        allowed_hosts=["*"],
        devices=look,
        token=settings.ML_API_TOKEN,
        prepare_missing=True,
    )
    uvicorn.run(app, host="0.0.0.0", port=port, log_level="warning", timeout_graceful_shutdown=_STOP_SECONDS)
    return 0


def configure(variables: os._Environ[str] | dict[str, str]) -> int:
    """Django's settings, as far as the service reads them; answers the port."""

    def text(name: str, default: str = "") -> str:
        return variables.get(name, "").strip() or default

    def number(name: str, default: int, low: int, high: int) -> int:
        value = text(name, str(default))
        if not (value.isdecimal() and low <= int(value) <= high):
            raise Refused(f"{name}={value!r}: use a whole number from {low} to {high}.")
        return int(value)

    engines = {name: text(name, default) for name, (default, _) in _ENGINES.items()}
    for name, model_id in engines.items():
        if model_id not in (known := ids(_ENGINES[name][1])):
            raise Refused(f"{name}={model_id!r}: use one of {', '.join(known)}.")
    further = [id.strip() for id in text("ML_MODELS").split(",") if id.strip()]
    for model_id in further:
        if model_id not in BY_ID:
            raise Refused(f"ML_MODELS: {model_id!r} is not known; use some of {', '.join(BY_ID)}.")
    port = number("PORT", 7860, 1, 65535)
    settings.configure(
        **engines,
        **{name: number(name, default, 0, 64) for name, default in _WORKERS.items()},
        ML_MODELS=further,
        ML_API_TOKEN=text("ML_API_TOKEN"),
        VAR_DIR=_ROOT,  # environments are of the image; what is cached may come and go
        MODELS_DIR=Path(text("HF_HOME", "models")).absolute(),
        HF_ML_API_URL="",
        ML_FALLBACK=("local",),
        HF_TOKEN=text("HF_TOKEN"),
        CUDA_VISIBLE_DEVICES=text("CUDA_VISIBLE_DEVICES"),
    )
    return port


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
