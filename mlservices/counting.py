"""What the processes of this machine count, for Prometheus.

Each process counts in files of its own below METRICS_DIR, mapped into its memory; /api/metrics adds them up,
whichever process is asked. Counts of processes that have ended are kept in files of nobody, so that no sum
ever falls. Without METRICS_DIR a process counts for itself.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil
from django.conf import settings
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    values,
)
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

OTHERS = "voiceforge_ml_"  # the ML service tells of these itself
GONE = "ended"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

disable_created_metrics()  # a sample more for each, which would fall when a process joins
_HOST = socket.gethostname().replace("_", "-")  # containers that share the folder have the same numbers
registry = CollectorRegistry()


def _process() -> str:
    return f"{_HOST}-{os.getpid()}"


if settings.METRICS_DIR:
    Path(settings.METRICS_DIR).mkdir(parents=True, exist_ok=True)
    os.environ |= {"PROMETHEUS_MULTIPROC_DIR": str(settings.METRICS_DIR)}  # read there, and nowhere else
    values.ValueClass = values.MultiProcessValue(_process)  # before the first of the instruments below


def counter(name: str, what: str, *labels: str) -> Counter:
    return Counter(name, what, labels, registry=registry)


def histogram(name: str, what: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
    return Histogram(name, what, labels, buckets=buckets, registry=registry)


def gauge(name: str, what: str) -> Gauge:
    """The sum over all processes that run."""
    return Gauge(name, what, multiprocess_mode="livesum", registry=registry)


class Counted(Collector):
    """All that was counted here, by every process."""

    def collect(self) -> Iterable[Metric]:
        if not settings.METRICS_DIR:
            return registry.collect()
        files = [str(file) for file in _files() if not (_is_gauge(file) and _has_ended(file))]
        merged: Iterable[Metric] = MultiProcessCollector.merge(files)
        return [metric for metric in merged if not metric.name.startswith(OTHERS)]


def fold() -> None:
    """Put the counts of ended processes together, or each start would leave files for ever. For one process
    at a time: the web server's first."""
    if not settings.METRICS_DIR:
        return
    for file in _files():
        if not _has_ended(file) or _of(file) == GONE:
            continue
        if not _is_gauge(file):
            _add(file, file.with_name(f"{file.stem.split('_')[0]}_{GONE}.db"))
        file.unlink()


def _add(file: Path, to: Path) -> None:
    kept = MmapedDict(str(to))
    for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):
        kept.write_value(key, kept.read_value(key)[0] + value, 0.0)
    kept.close()


def _files() -> list[Path]:
    return sorted(Path(str(settings.METRICS_DIR)).glob("*.db"))


def _is_gauge(file: Path) -> bool:
    return file.name.startswith("gauge_")


def _of(file: Path) -> str:
    return file.stem.rpartition("_")[2]


def _has_ended(file: Path) -> bool:
    host, _, pid = _of(file).rpartition("-")
    return host == _HOST and not psutil.pid_exists(int(pid))
