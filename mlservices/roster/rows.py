"""A model as a row of the page: one state out of what its files and the ML service tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..catalog import MODELS, Kind, Model
from ..pages.languages import language_name
from ..prepare import FileState, state
from ..service.layout import configured_models
from ..service.placement import CPU
from . import figures
from .memory import measured_mb
from .told import Told

_LANGUAGES_SHOWN = 3
_HUB = "https://huggingface.co"
_INDEX = "https://pypi.org/project"

KINDS: dict[Kind, tuple[Any, str]] = {  # its name, its icon
    Kind.STT: (gettext_lazy("Speech to text"), "ear"),
    Kind.TTS: (gettext_lazy("Text to speech"), "audio-lines"),
    Kind.LLM: (gettext_lazy("Language"), "message-square-text"),
    Kind.MEANING: (gettext_lazy("Meaning"), "lightbulb"),
    Kind.TURN: (gettext_lazy("Turn end"), "arrow-left-right"),
    Kind.VAD: (gettext_lazy("Voice activity"), "activity"),
}


class Standing(TextChoices):
    ABSENT = "absent", gettext_lazy("Not here")
    WAITING = "waiting", gettext_lazy("Waits its turn")
    DOWNLOADING = "downloading", gettext_lazy("Downloading")
    PREPARING = "preparing", gettext_lazy("Preparing")
    PAUSED = "paused", gettext_lazy("Paused")
    READY = "ready", gettext_lazy("Not loaded")
    STARTING = "starting", gettext_lazy("Starting")
    LOADING = "loading", gettext_lazy("Loading")
    LOADED = "loaded", gettext_lazy("Loaded")
    UNLOADING = "unloading", gettext_lazy("Unloading")
    FAILED = "failed", gettext_lazy("Failed")


FETCHING = (Standing.WAITING, Standing.DOWNLOADING, Standing.PREPARING)
BUSY = (*FETCHING, Standing.STARTING, Standing.LOADING, Standing.UNLOADING)
_AT_WORK = ("ready", "busy")  # of workers
_IN_SERVICE = ("starting", "loading", "loaded", "unloading")
_TONES = {
    Standing.LOADED: "vf-good",
    Standing.FAILED: "vf-bad",
    Standing.PAUSED: "vf-warn",
    **dict.fromkeys(BUSY, "vf-info"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """`told` is the service's entry; None where it tells nothing of this model."""

    model: Model
    files: FileState
    told: dict[str, Any] | None
    configured: bool
    problem: str = ""  # of what was just tried

    # --- How it stands ---

    @property
    def standing(self) -> Standing:
        held = self._of_service("state")
        if held in _IN_SERVICE:
            return Standing(held)
        if self.files.state in ("downloading", "preparing"):
            return Standing(self.files.state)
        if self._of_service("fetching"):
            return Standing.WAITING
        if held == "failed" and (self.has_files or self._of_service("workers")):
            return Standing.FAILED
        if self.files.state == "failed":
            return Standing.PAUSED if self.files.interrupted else Standing.FAILED
        if self.has_files:
            return Standing.READY
        return Standing.FAILED if self._of_service("reason") else Standing.ABSENT

    def _of_service(self, name: str) -> Any:
        return (self.told or {}).get(name)

    @property
    def tone(self) -> str:
        return _TONES.get(self.standing, "")

    @property
    def is_busy(self) -> bool:
        return self.standing in BUSY

    @property
    def has_files(self) -> bool:
        return self.files.state == "ready"

    @property
    def is_held(self) -> bool:
        return bool(self._of_service("workers"))

    @property
    def is_default(self) -> bool:
        return bool(self._of_service("default"))

    @property
    def at_start(self) -> bool:
        return bool(self._of_service("at_start")) if self.told else self.configured

    @property
    def reason(self) -> str:
        """Why it failed, with what helps."""
        if self.standing is not Standing.FAILED:
            return ""
        return str(self._of_service("reason") or self.files.reason or _("It did not say why."))

    @property
    def retries(self) -> bool:
        """Whether it failed, and is tried again by itself."""
        return self.standing is Standing.FAILED and self.is_held

    @property
    def mark(self) -> str:
        """Another one whenever the row shows something else, for one who looks again and again."""
        workers = [(each["pid"], each["state"] in _AT_WORK, each["reason"]) for each in self.workers]
        place = self.would_go, self.place.get("unload"), bool(self.no_room)
        shown = (self.files, self.told is None, self._of_service("fetching"), self.reason, place, workers)
        return f"{self.standing}-{crc32(repr(shown).encode()):08x}"

    # --- Where it is, or would go ---

    @property
    def place(self) -> dict[str, Any]:
        """Of a model that could be loaded: {"devices", "unload", "refusal"}."""
        return self._of_service("place") or {} if self.standing in (Standing.READY, Standing.FAILED) else {}

    @property
    def devices(self) -> list[tuple[str, int]]:
        """(its name, how many workers) of each that holds it."""
        ids = [worker["device"] for worker in self.workers]
        return [(device_name(id), ids.count(id)) for id in dict.fromkeys(ids)]

    @property
    def would_go(self) -> str:
        ids = self.place.get("devices", ())
        return ", ".join(device_name(id) for id in dict.fromkeys(ids))

    @property
    def no_room(self) -> str:
        return str(self.place.get("refusal", "")) if self.standing is Standing.READY else ""

    @property
    def workers(self) -> list[dict[str, Any]]:
        return self._of_service("workers") or []

    @property
    def at_work(self) -> int:
        """How many of the workers serve, or could."""
        return sum(each["state"] in _AT_WORK for each in self.workers)

    @property
    def worker_names(self) -> list[str]:
        return [_worker_name(each) for each in self.workers]

    # --- What the catalogue says ---

    @property
    def source_name(self) -> str:
        return self.model.source.hub or self.model.source.package

    @property
    def source_url(self) -> str:
        source = self.model.source
        if source.hub:
            return f"{_HUB}/{source.hub}"
        return f"{_INDEX}/{source.package}/{source.version}/" if source.package else ""

    @property
    def revision(self) -> str:
        """The commit that is here, short; else the version or branch that would be fetched."""
        return self.files.commit[:8] or self.model.source.version or self.model.source.revision

    @property
    def memory(self) -> str:
        return figures.megabytes(self.model.memory_mb) if self.model.memory_mb else _("none")

    @property
    def disk(self) -> str:
        """What the files take, or would need to be prepared."""
        if self.files.size_bytes:
            return figures.size(self.files.size_bytes)
        return figures.megabytes(self.model.disk_mb) if self.model.disk_mb else ""

    @property
    def rate(self) -> str:
        return figures.kilohertz(self.model.rate) if self.model.rate else ""

    @property
    def languages(self) -> list[str]:
        return [language_name(code) for code in self.model.languages]

    @property
    def languages_short(self) -> str:
        if len(self.model.languages) == 1:
            return self.languages[0]
        return ", ".join(self.model.languages[:_LANGUAGES_SHOWN])

    @property
    def languages_more(self) -> int:
        return max(0, len(self.model.languages) - _LANGUAGES_SHOWN)

    # --- How far a download is ---

    @property
    def percent(self) -> int | None:
        return self.files.done_bytes * 100 // self.files.total_bytes if self.files.total_bytes else None

    @property
    def progress(self) -> list[str]:
        """Lines: "12 MB of 30 MB", "1.0 MB/s · 18 s left"."""
        files, rate = self.files, []
        if not files.total_bytes:
            return []
        done, total = figures.size(files.done_bytes), figures.size(files.total_bytes)
        if self.standing is Standing.DOWNLOADING and files.bytes_per_second:
            rate.append(_("%(size)s/s") % {"size": figures.size(files.bytes_per_second)})
        if files.seconds_left is not None:
            rate.append(figures.time_left(files.seconds_left))
        return [_("%(done)s of %(total)s") % {"done": done, "total": total}, " · ".join(rate)]


def _worker_name(worker: dict[str, Any]) -> str:
    names = {"pid": worker["pid"], "device": device_name(worker["device"]), "reason": worker["reason"]}
    if measured := measured_mb(worker):
        return _("process %(pid)s on %(device)s with %(memory)s") % {
            **names,
            "memory": figures.megabytes(measured),
        }
    if worker["pid"]:
        return _("process %(pid)s on %(device)s") % names
    if worker["reason"]:
        return _("one that is started again on %(device)s (%(reason)s)") % names
    return _("one that starts on %(device)s") % names


def device_name(id: str) -> str:
    return _("Processor") if id == CPU else _("GPU %(id)s") % {"id": id}


def row_of(model: Model, told: Told, problem: str = "") -> Row:
    files = state(model, settings.MODELS_DIR)
    return Row(model, files, told.models.get(model.id), model.id in configured_models(), problem)


def all_rows(told: Told) -> list[Row]:
    """By kind; the default of each first, then what is loaded at start, then by priority."""
    order = list(KINDS)
    rows = [row_of(model, told) for model in MODELS]

    def place(row: Row) -> tuple[Any, ...]:
        model = row.model
        return order.index(model.kind), not row.is_default, not row.configured, -model.priority, model.name

    return sorted(rows, key=place)


def grouped(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """[{"kind", "name", "icon", "rows"}] of the kinds that have some."""
    groups: dict[Kind, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.model.kind, []).append(row)
    return [
        {"kind": kind, "name": KINDS[kind][0], "icon": KINDS[kind][1], "rows": each}
        for kind, each in groups.items()
    ]
