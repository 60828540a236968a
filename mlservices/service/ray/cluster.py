"""The Ray cluster that the service runs on: joined or started, its memory and GPUs, shares of these."""

from __future__ import annotations

import logging
import math
import os
import socket
import time
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.context import _get_global_client
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ...catalog import Model
from ..devices import devices as devices_here
from ..placement import CPU, KEPT_BACK, Device

logger = logging.getLogger(__name__)

_MB = 2**20
_OBJECT_STORE_BYTES = 128 * _MB  # of a cluster of our own: nothing large goes through it
QUIET = {"log_level": "WARNING", "enable_access_log": False}
_CONNECT_SECONDS = 5.0
_GPUS_ASKED_SECONDS = 10.0
_GPUS_KNOWN_SECONDS = 10.0


class Cluster:
    """`close` it at the end. ConnectionError where there is none at the address."""

    def __init__(self, address: str = "") -> None:
        """Join the cluster at `address`; without one, start our own on this machine."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report home
        _refuse_silent(address)
        ours: dict[str, Any] = {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
        ray.init(
            address=address or "local",
            namespace="voiceforge",
            configure_logging=False,
            **({} if address else ours),
        )
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        serve.start(proxy_location="Disabled", logging_config=QUIET)
        self._started_by_us = not address
        self._gpus: list[Device] = []
        self._gpus_known_at = -math.inf

    def close(self) -> None:
        if self._started_by_us:
            serve.shutdown()
        else:  # what our handles measure has nobody to go to
            _get_global_client().shutdown_cached_handles()
        ray.shutdown()

    def devices(self) -> list[Device]:
        """The memory that Ray gives out on all hosts as one device, since Ray chooses the host; each GPU."""
        hosts = sum(node["Alive"] for node in ray.nodes())
        total, free = ray.cluster_resources(), ray.available_resources()
        total_mb, free_mb = (int(resources.get("memory", 0)) // _MB for resources in (total, free))
        return [Device(CPU, f"Cluster of {hosts} hosts", total_mb, free_mb), *self.gpus()]

    def gpus(self) -> list[Device]:
        """Each host's own as its driver tells them, named by the host; a host that is silent has none."""
        if time.monotonic() - self._gpus_known_at > _GPUS_KNOWN_SECONDS:
            nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("GPU")]
            self._gpus = [gpu for node in nodes for gpu in _gpus_of(node)]
            self._gpus_known_at = time.monotonic()
        return self._gpus

    def resources(self, model: Model) -> dict[str, float]:
        """What Ray keeps free for a replica of a model, as options of an actor.

        No processors: a model that nobody asks uses none, and many may be held.
        """
        totals = [gpu.total_mb for gpu in self.gpus()] if model.gpu else []
        if totals:
            return {"num_cpus": 0, "num_gpus": gpu_share(model.memory_mb, totals)}
        return {"num_cpus": 0, "memory": model.memory_mb_on_processors * _MB}


def _refuse_silent(address: str) -> None:
    """Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal():  # "auto" and the like
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise ConnectionError(f"{address}: {error.strerror or error}") from None


def gpu_share(memory_mb: int, totals: list[int]) -> float:
    """The share of a GPU that a model needs, in hundredths, a part of each GPU kept back.

    Of the smallest that can hold it: Ray does not tell GPUs of different sizes apart.
    """
    rooms = [total * (1 - KEPT_BACK) for total in totals]
    room = min((room for room in rooms if room >= memory_mb), default=max(rooms))
    return min(1.0, max(1, math.ceil(100 * memory_mb / room)) / 100)


def _gpus_of(node: dict[str, Any]) -> list[Device]:
    ask = _host_gpus.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False))
    host = node["NodeManagerAddress"]
    try:
        gpus: list[Device] = ray.get(ask.remote(), timeout=_GPUS_ASKED_SECONDS)
    except RayError as error:
        logger.warning("the GPUs of %s are not known: %s", host, error)
        return []
    return [Device(f"{host}:{gpu.id}", f"{host} {gpu.name}", gpu.total_mb, gpu.free_mb) for gpu in gpus]


@ray.remote(num_cpus=0, max_retries=0)
def _host_gpus() -> list[Device]:
    """Run on the host in question."""
    return [device for device in devices_here() if device.id != CPU]
