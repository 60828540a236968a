"""`/api/metrics`: all that is measured here and in the ML service, in Prometheus's text format."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.metadata import version
from platform import python_version

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from mlservices import registry
from mlservices.api.answers import Later
from mlservices.counting import Counted
from mlservices.errors import EngineError
from telephony.metrics import Now

from .waiting import Jobs, Webhooks

TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Build(Collector):
    def collect(self) -> Iterable[Metric]:
        told = {"version": _version(), "python": python_version(), "django": version("django")}
        yield InfoMetricFamily("voiceforge_build", "What runs here.", value=told)


def _version() -> str:
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


gathered = CollectorRegistry(auto_describe=False)
for collector in (Build(), Counted(), Now(), Jobs(), Webhooks()):
    gathered.register(collector)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponseBase:
    """An ML service that does not answer takes its own measures away, and no others."""
    own = generate_latest(gathered)

    async def with_ml() -> HttpResponseBase:
        try:
            ml = (await registry.service().metrics()).encode()
        except EngineError:
            ml = b""
        up = GaugeMetricFamily("voiceforge_ml_up", "Whether the ML service tells of itself.", value=bool(ml))
        return HttpResponse(own + _text(up) + ml, content_type=TYPE)

    return Later(with_ml)


def _text(metric: Metric) -> bytes:
    class One(Collector):
        def collect(self) -> Iterable[Metric]:
            yield metric

    alone = CollectorRegistry()
    alone.register(One())
    return generate_latest(alone)
