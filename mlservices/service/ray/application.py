"""One model as an application of Ray Serve: deployed, followed while it runs, deleted."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.context import _get_global_client  # serve.status() tells no processes
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from ..layout import Plan
from ..process import LEAN, WorkerGone
from .cluster import QUIET
from .replica import Replica

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.3
_AGAIN_SECONDS = 20.0  # after it could not be started
_DEPLOYMENT = "model"
_ENVIRONMENT = {**LEAN, "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0"}  # the engine has its own already
_SERVE_NAMESPACE = "serve"  # of the actors that are replicas


@dataclass(frozen=True, slots=True)
class Seen:
    """A replica as Serve tells of it."""

    id: str
    state: str  # STARTING, RUNNING, ...
    host: str
    pid: int
    actor: str


class Application:
    """`open` it on the running loop, `close` it before the loop ends."""

    def __init__(self, plan: Plan, models_dir: Path, most: int, resources: Mapping[str, float]) -> None:
        """At the most `most` replicas, each with these resources."""
        self.replicas: list[Seen] = []
        self.reason = ""  # why none runs, or not as many as there should be
        self.has_failed = False
        self.at_once = 1
        self.handle: DeploymentHandle | None = None
        self._plan, self._models_dir, self._most = plan, models_dir, most
        self._resources = dict(resources)
        self._name = f"voiceforge-{plan.model.id}"
        self._change = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1)  # what was begun there is done before the next

    @property
    def running(self) -> int:
        return sum(replica.state == "RUNNING" for replica in self.replicas)

    def open(self) -> None:
        self._watcher = asyncio.create_task(self._keep())

    async def close(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        with suppress(RayError, RayServeException):  # the cluster is gone, and the application with it
            await self._call(serve.delete, self._name)
        self._thread.shutdown(wait=False)

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._change.wait()

    async def until_running(self) -> None:
        """WorkerGone, with the reason, where it cannot be started."""
        await self.until(lambda: bool(self.handle and self.running) or self.has_failed)
        if self.has_failed:
            raise WorkerGone(self.reason)

    def kill(self, replica_id: str) -> None:
        """End a replica that hangs; Serve replaces it."""
        for replica in self.replicas:
            if replica.id == replica_id:
                with suppress(ValueError, RayError):  # it is gone
                    ray.kill(ray.get_actor(replica.actor, namespace=_SERVE_NAMESPACE))

    # --- Following it ---

    async def _keep(self) -> None:
        if environment := self._plan.model.environment:
            self._has_failed(
                f"it needs the environment {environment}, which Ray has not: serve it without Ray"
            )
            return
        while True:
            try:
                await self._deploy()
                await self._follow()
            except Exception as error:  # of many kinds; whoever waits is told
                logger.exception("%s on Ray", self._plan.model.id)
                self._has_failed(_last_line(str(error)))
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _deploy(self) -> None:
        target = serve.RunTarget(self._target(), name=self._name, route_prefix=None, logging_config=QUIET)
        self.has_failed = False
        run = partial(serve.run_many, [target], wait_for_applications_running=False)
        (self._handle,) = await self._call(run)

    async def _follow(self) -> None:
        """Until it cannot be started."""
        while not self.has_failed:
            await self._look()
            if self.running and self.handle is None:
                self.at_once = (await self._handle.about.remote())["at_once"]
                self.handle = self._handle.options(stream=True)
                self._tell_change()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self) -> None:
        details = await self._call(lambda: _get_global_client().get_serve_details())
        application = details["applications"].get(self._name)
        if application is None or _DEPLOYMENT not in application["deployments"]:
            return
        deployment = application["deployments"][_DEPLOYMENT]
        seen = [
            Seen(
                each["replica_id"],
                each["state"].value,
                each.get("node_ip") or "",  # not known before it has a process
                each.get("pid") or 0,
                each.get("actor_name") or "",
            )
            for each in deployment["replicas"]
        ]
        reason = _last_line(deployment["message"])
        if application["status"] == "DEPLOY_FAILED":
            self._has_failed(reason)
        if (seen, reason) != (self.replicas, self.reason):
            self.replicas, self.reason = seen, reason
            self._tell_change()

    async def _call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Of Serve's functions, which all wait for the cluster."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *args)

    def _has_failed(self, reason: str) -> None:
        self.has_failed, self.handle = True, None
        self.replicas, self.reason = [], reason
        self._tell_change()

    def _tell_change(self) -> None:
        self._change.set()
        self._change = asyncio.Event()

    def _target(self) -> serve.Application:
        least = (self._most + 1) // 2
        scaling: dict[str, Any] = {"num_replicas": self._most}
        if least < self._most:
            scaling = {
                "autoscaling_config": {
                    "min_replicas": least,
                    "max_replicas": self._most,
                    "target_ongoing_requests": 1,
                    "metrics_interval_s": 1,
                    "look_back_period_s": 2,
                    "upscale_delay_s": 1,
                    "downscale_delay_s": 300,
                }
            }
        deployment = serve.deployment(Replica).options(
            name=_DEPLOYMENT,
            max_ongoing_requests=1,
            ray_actor_options={**self._resources, "runtime_env": {"env_vars": _ENVIRONMENT}},
            request_router_config={"initial_backoff_s": 0.01, "max_backoff_s": 0.05},
            max_constructor_retry_count=2,
            health_check_period_s=2,
            graceful_shutdown_wait_loop_s=0.1,
            graceful_shutdown_timeout_s=self._plan.deadline_seconds,
            **scaling,
        )
        return deployment.bind(asdict(self._plan.model), str(self._models_dir))


def _last_line(message: str) -> str:
    """What a traceback ends with, without the exception's class."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return re.sub(r"^[\w.]*(Error|Exception): ", "", lines[-1]) if lines else ""
