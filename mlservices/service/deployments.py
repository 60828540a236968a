"""All models of one service: who serves what, loaded within the memory there is."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException

from .. import voices
from ..catalog import Kind
from ..errors import EngineBusy, EngineError
from ..prepare import is_ready, remove
from ..types import Timing
from . import placement
from .deployment import Deployment, Held
from .devices import Looking
from .devices import devices as real_devices
from .downloads import Downloads
from .forms import Asked, field_error
from .layout import Plan
from .line import Answer
from .measures import Measures, Metrics
from .placement import Device, Holding, Wish
from .precedence import Precedence
from .tasks import TASKS

logger = logging.getLogger(__name__)

WATCH_SECONDS = 30.0
_LOADING_RETRY_SECONDS = 3.0
_NO_ROOM_RETRY_SECONDS = 30.0
_TOLD_WHY_SECONDS = 2.0  # a refusal is known by then, unless others have to make room first
_NAMED = 5  # voices, in a refusal
SPACE_KEYS = {
    Kind.TTS: "tts",
    Kind.STT: "stt",
    Kind.VAD: "vad",
    Kind.LLM: "vllm",
    Kind.MEANING: "embed",
    Kind.TURN: "turn",
}
_WARM: dict[Kind, tuple[str, dict[str, Any], bytes]] = {
    Kind.TTS: ("speak", {"text": "Hello.", "rate": 0, "voice": "default", "language": "", "speed": 1.0}, b""),
    Kind.STT: ("transcribe", {"rate": 16000, "language": "auto"}, bytes(32000)),
    Kind.LLM: (
        "reply",
        {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2, "temperature": 0.0},
        b"",
    ),
    Kind.MEANING: ("embed", {"texts": ["hello"]}, b""),
    Kind.TURN: ("judge", {"rate": 16000}, bytes(32000)),
    Kind.VAD: ("detect", {"rate": 16000, "threshold": 0.5}, bytes(32000)),
}


Make = Callable[[Plan, Path, Measures, Precedence], Deployment]


class _Gauges(Collector):
    """What models are at the moment in which Prometheus asks."""

    def __init__(self, deployments: Collection[Deployment]) -> None:
        self._deployments = deployments

    def collect(self) -> Iterator[GaugeMetricFamily]:
        labels = ["model", "pool"]
        queue = GaugeMetricFamily("voiceforge_ml_queue_length", "Requests that wait.", labels=labels)
        memory = GaugeMetricFamily("voiceforge_ml_memory_bytes", "Resident, of its workers.", labels=labels)
        busy = GaugeMetricFamily(
            "voiceforge_ml_utilisation", "Share of its workers' time in use, lately.", labels=labels
        )
        workers = GaugeMetricFamily("voiceforge_ml_workers", "By their state.", labels=[*labels, "state"])
        for deployment in self._deployments:
            if deployment.holding() is None:
                continue
            report, names = deployment.report(), [deployment.model.id, deployment.model.pool]
            queue.add_metric(names, report["queue"])
            memory.add_metric(names, sum(each["memory_mb"] for each in report["workers"]) * 2**20)
            busy.add_metric(names, report["lately"]["utilisation"])
            for state, count in Counter(each["state"] for each in report["workers"]).items():
                workers.add_metric([*names, state], count)
        yield from (queue, memory, busy, workers)


class Deployments:
    """`start` it on the running loop, `close` it before the loop ends."""

    def __init__(
        self,
        plans: Sequence[Plan],
        models_dir: Path,
        devices: Callable[[], list[Device]] = real_devices,
        *,
        prepare_missing: bool = False,
        make: Make = Deployment,
    ) -> None:
        """`prepare_missing`: models of the start whose files are not here are prepared, and then loaded."""
        self.metrics = Metrics()
        precedence = Precedence()
        self.by_id = {
            plan.model.id: make(
                plan, models_dir, Measures(plan.model.id, plan.model.pool, self.metrics), precedence
            )
            for plan in plans
        }
        self.defaults: dict[Kind, Deployment] = {}
        for deployment in self.by_id.values():
            if deployment.plan.at_start:
                self.defaults.setdefault(deployment.model.kind, deployment)
        self.metrics.registry.register(_Gauges(self.by_id.values()))
        self.problems: list[str] = []
        self.chats: OrderedDict[str, list[dict[str, str]]] = OrderedDict()  # of the plain API, by session
        self.models_dir = models_dir
        self.downloads = Downloads(models_dir)
        self.devices = Looking(devices)
        self._planning = asyncio.Lock()
        self._prepare_missing = prepare_missing
        self._tasks: list[asyncio.Task[None]] = []
        self._loads: dict[str, asyncio.Task[Deployment]] = {}  # on demand, under way

    async def start(self) -> None:
        """Place the models that are there at the start; what finds no room is refused with its reason."""
        first = [each for each in self.by_id.values() if each.plan.at_start]
        if self._prepare_missing:
            missing = [each for each in first if not self.has_files(each)]
            first = [each for each in first if each not in missing]
            self._tasks.append(asyncio.create_task(self._fetch(missing)))
        seats = placement.at_start(
            await self.devices.afresh(), [Wish(e.model, e.plan.workers) for e in first]
        )
        for deployment in first:
            given = seats[deployment.model.id]
            if given.devices:
                deployment.load(given.devices)
            else:
                deployment.refusal = given.refusal
        self._tasks.append(asyncio.create_task(self._watch()))

    async def close(self) -> None:
        tasks = [*self._tasks, *self._loads.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.downloads.close()
        await asyncio.gather(*(deployment.close() for deployment in self.by_id.values()))

    def has_files(self, deployment: Deployment) -> bool:
        return not deployment.model.recipe or is_ready(deployment.model, self.models_dir)

    # --- Models in and out ---

    async def _fetch(self, missing: Sequence[Deployment]) -> None:
        """Prepare and load one after the other; what fails stays away, with its reason."""
        for deployment in missing:
            deployment.refusal = "its files are being prepared"
            model_id = deployment.model.id
            try:
                await self.downloads.fetch(deployment.model)
                await self.load(model_id)
            except EngineError as error:
                logger.error("%s: %s", model_id, error)
                deployment.refusal = str(error)

    async def load(self, model_id: str) -> Deployment:
        """Begin to load a model; what makes room for it is unloaded before. EngineError: why it cannot be."""
        deployment = self.named(model_id)
        async with self._planning:
            if deployment.holding() is not None:
                return deployment
            model = deployment.model
            if not self.has_files(deployment):
                raise EngineError(
                    f"{model.id} is not here yet: download it first (`manage.py models download {model.id}`)",
                    service=model.service,
                    permanent=True,
                )
            seats = self.place_for(deployment, await self.devices.afresh())
            if not seats.devices:
                deployment.refusal = seats.refusal
                raise EngineBusy(seats.refusal, service=model.service, retry_after=_NO_ROOM_RETRY_SECONDS)
            for victim in seats.unload:
                logger.warning("%s makes room for %s", victim, model.id)
                await self.by_id[victim].unload()
            deployment.load(seats.devices)
        return deployment

    def _loading(self, model_id: str) -> asyncio.Task[Deployment]:
        """Begun by whoever asks first; it goes on when they have gone."""
        if (loading := self._loads.get(model_id)) is None:
            loading = self._loads[model_id] = asyncio.create_task(self.load(model_id))
            loading.add_done_callback(lambda task: self._loaded(model_id, task))
        return loading

    def _loaded(self, model_id: str, task: asyncio.Task[Deployment]) -> None:
        del self._loads[model_id]
        if not task.cancelled() and (error := task.exception()):
            logger.warning("%s is not loaded: %s", model_id, error)

    async def unload(self, model_id: str) -> None:
        deployment = self.named(model_id)
        async with self._planning:
            await deployment.unload()

    async def warm(self, model_id: str) -> None:
        """Load a model if need be, wait for it, and use it once."""
        deployment = await self.load(model_id)
        await deployment.until(lambda: deployment.state() not in (Held.STARTING, Held.LOADING))
        task, params, payload = _WARM[deployment.model.kind]
        async with aclosing(deployment.run(task, params, payload, batch=True)) as pieces:
            async for _ in pieces:
                pass

    def download(self, model_id: str) -> None:
        """Begin to fetch its files, which goes on by itself."""
        deployment = self.named(model_id)
        if not self.has_files(deployment):
            self.downloads.start(deployment.model)

    async def remove(self, model_id: str) -> None:
        """Delete its files, and what attempts have left. EngineError while they are in use or being made."""
        deployment = self.named(model_id)
        model = deployment.model
        async with self._planning:
            if deployment.holding() is not None:
                raise EngineError(
                    f"{model.id} is loaded: unload it first", service=model.service, permanent=True
                )
            if self.downloads.is_under_way(model.id) or not await asyncio.to_thread(
                remove, model, self.models_dir
            ):
                raise EngineError(
                    f"{model.id} is being fetched: stop that first", service=model.service, permanent=True
                )
            self.downloads.problems.pop(model.id, None)
            deployment.refusal = ""

    def place_for(self, deployment: Deployment, devices: Sequence[Device]) -> placement.Seats:
        """Where it would go if it were loaded now, and what would make room for it."""
        wish = Wish(deployment.model, deployment.plan.workers)
        return placement.on_demand(devices, self.holdings(), wish)

    def holdings(self) -> list[Holding]:
        return [held for each in self.by_id.values() if (held := each.holding()) is not None]

    async def _watch(self) -> None:
        """Where a device runs full, models of low priority that nobody uses make room."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self.make_room()
            except Exception:
                logger.exception("Memory could not be looked after; it is tried again")

    async def make_room(self) -> None:
        for model_id in placement.too_full(await self.devices.afresh(), self.holdings()):
            logger.warning("%s is unloaded, since memory is nearly full", model_id)
            await self.unload(model_id)

    # --- For those who ask ---

    def named(self, model_id: str, kind: Kind | None = None) -> Deployment:
        """RequestValidationError for a model that is not here, or does something else."""
        deployment = self.by_id.get(model_id)
        if deployment is None or (kind is not None and deployment.model.kind is not kind):
            known = ", ".join(id for id, each in self.by_id.items() if kind in (None, each.model.kind))
            raise field_error("model", f"There is no model {model_id!r} for this: use one of {known}.")
        return deployment

    def serving(self, kind: Kind, model_id: str = "") -> Deployment:
        """Who serves a kind, by default; HTTPException where nobody does."""
        if model_id:
            return self.named(model_id, kind)
        if kind not in self.defaults:
            raise HTTPException(404, f"This service offers no {SPACE_KEYS[kind]}.")
        return self.defaults[kind]

    def speaker(self, voice: str, model_id: str = "") -> tuple[Deployment, dict[str, Any]]:
        """Who speaks in this voice, and what the engine is told of it.

        RequestValidationError for a voice that nobody here has.
        """
        own = voice in self.by_id and self.by_id[voice].model.kind is Kind.TTS
        if own or voice == "default":
            deployment = self.serving(Kind.TTS, model_id or (voice if own else ""))
            if voice in ("default", deployment.model.id):
                return deployment, {"voice": "default"}
        among = [model_id] if model_id else self._able(voice)
        try:
            spoken = voices.resolve(voice, among)
        except EngineError as error:
            here = ", ".join(["default", *(each["id"] for each in self.voices()[:_NAMED])])
            told = f"{error} Here use one of {here}; /api/models lists all."
            raise field_error("voice", told) from error
        return self.named(spoken.model, Kind.TTS), {"voice": spoken.voice, "language": spoken.language}

    def _able(self, voice: str) -> list[str]:
        """The models here that could speak a voice of the library."""
        return [id for id in voices.able(voice, self.by_id) if self._is_here(self.by_id[id])]

    def _is_here(self, deployment: Deployment) -> bool:
        return deployment.holding() is not None or self.has_files(deployment)

    def _voices_here(self) -> list[Deployment]:
        """Models that speak or can be loaded to speak."""
        speaking = [each for each in self.by_id.values() if each.model.kind is Kind.TTS]
        return [each for each in speaking if self._is_here(each)]

    def voices(self) -> list[dict[str, str]]:
        """Each voice that can be asked for, with the state of the model that speaks it."""
        here = {each.model.id: each for each in self._voices_here()}
        known = voices.spoken_by(here)
        found = [(voice.id, voice.name, here[voices.able(voice.id, here)[0]]) for voice in known]
        listed = {id for id, _, _ in found}
        own = [(id, each.model.name, each) for id, each in here.items() if id not in listed]
        return [{"id": id, "name": name, "status": each.state()} for id, name, each in [*own, *found]]

    def run(
        self,
        task: str,
        params: dict[str, Any],
        payload: bytes = b"",
        *,
        asked: Asked,
        by: Deployment | None = None,
    ) -> AsyncGenerator[Answer, None]:
        """The pieces of an answer, by the model that was asked for (or is given)."""
        deployment = by or self.serving(TASKS[task][0], asked.model)
        return self._run(deployment, task, params, payload, asked)

    async def _run(
        self, deployment: Deployment, task: str, params: dict[str, Any], payload: bytes, asked: Asked
    ) -> AsyncGenerator[Answer, None]:
        """A model that is not held is loaded, and whoever asked told to come back."""
        if deployment.holding() is None:
            loading = self._loading(deployment.model.id)
            await asyncio.wait({loading}, timeout=min(asked.within_seconds, _TOLD_WHY_SECONDS))
            if loading.done():
                loading.result()
            raise EngineBusy(
                f"{deployment.model.id} is loading",
                service=deployment.model.service,
                retry_after=_LOADING_RETRY_SECONDS,
            )
        pieces = deployment.run(
            task, params, payload, batch=asked.priority == "batch", within_seconds=asked.within_seconds
        )
        named = task not in ("speak", "reply")  # those tell in their first piece who answers
        async with aclosing(pieces):
            async for head, sound, timing in pieces:
                yield (head if named else {**head, "engine": deployment.model.id}), sound, timing
                named = True

    async def whole(
        self,
        task: str,
        params: dict[str, Any],
        payload: bytes = b"",
        *,
        asked: Asked,
        by: Deployment | None = None,
    ) -> tuple[list[dict[str, Any]], bytes, Timing]:
        """All pieces of an answer: heads, payloads joined, timing of the last."""
        heads, sound, timing = [], bytearray(), Timing()
        async with aclosing(self.run(task, params, payload, asked=asked, by=by)) as pieces:
            async for head, piece, timing in pieces:  # noqa: B007 (the last one is kept)
                heads.append(head)
                sound += piece
        return heads, bytes(sound), timing
