"""What waits for workers and for other systems, as Prometheus asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import redis
from django.conf import settings
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import Failure, OrmQ
from django_q.signing import SignedPackage
from django_q.status import Stat
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ..hooks.models import Delivery, Webhook


class Webhooks(Collector):
    def collect(self) -> Iterable[Metric]:
        kept = Delivery.objects.order_by()
        states = {
            "waiting": kept.filter(state__in=Delivery.UNDER_WAY),
            "dead": kept.filter(state=Delivery.State.DEAD, webhook__in=Webhook.objects.all()),  # by an index,
        }
        messages = GaugeMetricFamily(
            "voiceforge_webhook_messages", "Messages for webhooks that did not arrive yet.", labels=["state"]
        )
        for state, rows in states.items():
            messages.add_metric([state], rows.count())
        yield messages


class Jobs(Collector):
    def collect(self) -> Iterable[Metric]:
        try:
            waiting, oldest, workers = _queue()
        except redis.RedisError:
            return  # no figure is better than a wrong one
        yield GaugeMetricFamily("voiceforge_jobs_waiting", "Jobs that no worker has finished.", value=waiting)
        yield GaugeMetricFamily(
            "voiceforge_jobs_oldest_seconds", "How long the oldest of them has waited.", value=oldest
        )
        yield GaugeMetricFamily("voiceforge_job_workers", "Workers that show a sign of life.", value=workers)
        yield GaugeMetricFamily(
            "voiceforge_jobs_failed", "Failed jobs that are still listed.", value=Failure.objects.count()
        )


def _queue() -> tuple[int, float, int]:
    broker = get_broker()
    waiting = broker.queue_size()
    if settings.REDIS_URL:
        first = broker.connection.lindex(broker.list_key, 0)
    else:
        waiting += broker.lock_size()
        first = OrmQ.objects.order_by("pk").values_list("payload", flat=True).first()
    return waiting, _age(first) if first else 0.0, len(Stat.get_all())


def _age(payload: Any) -> float:
    since: float = (timezone.now() - SignedPackage.loads(payload)["started"]).total_seconds()
    return max(0.0, since)
