"""What came of asking services. `mlservices.checks.keeping` writes all of it.

A service is named by its key in `mlservices.checks`; one that is configured no more keeps its rows until they
are a week old.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ServiceState(models.Model):
    """What the newest check of a service found, and what is needed to judge the next one."""

    service = models.CharField(max_length=80, primary_key=True)
    checked_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)  # when no probe of it failed the last time
    status = models.CharField(max_length=4)
    latency_ms = models.PositiveIntegerField()  # of the slowest probe
    failures = models.PositiveIntegerField(default=0)  # checks in a row
    outcomes = models.JSONField(default=list)  # of each probe: `keeping.kept`
    readings = models.JSONField(default=list)  # figures of the last minutes: `alerts.Reading`

    def __str__(self) -> str:
        return f"{self.service}: {self.status}"


class ServiceCheck(models.Model):
    """One probe, asked once."""

    service = models.CharField(max_length=80)
    probe = models.CharField(max_length=32)
    status = models.CharField(max_length=4)
    latency_ms = models.PositiveIntegerField()
    reason = models.TextField(blank=True)
    checked_at = models.DateTimeField()

    class Meta:
        indexes = [
            # the newest that did not pass, of one service: its page's list
            models.Index(fields=["service", "status", "-checked_at"], name="check_by_status"),
            models.Index(fields=["checked_at"], name="check_by_age"),  # those to forget
        ]

    def __str__(self) -> str:
        return f"{self.service}, {self.probe}: {self.status}"


class ServiceHour(models.Model):
    """The checks of a service in an hour of UTC, counted: a week's picture is 168 of them."""

    service = models.CharField(max_length=80)
    hour = models.DateTimeField()
    passed = models.PositiveIntegerField(default=0)
    warned = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    latency_ms = models.PositiveBigIntegerField(default=0)  # of those that did not fail, together

    class Meta:
        # the history of all services since an hour, and the one row that a check adds to
        constraints = [models.UniqueConstraint(fields=["hour", "service"], name="service_hour_once")]

    def __str__(self) -> str:
        return f"{self.service}, {self.hour:%d %b %H}h"


class ServiceAlert(models.Model):
    """A figure beyond its limit, until it is back; ALERT_WEBHOOK_URL is told of both."""

    class Kind(models.TextChoices):
        DOWN = "down", _("Fails")
        ERRORS = "errors", _("Errors")
        INFERENCE = "inference", _("Slow answers")
        MEMORY = "memory", _("Memory")

    service = models.CharField(max_length=80)
    title = models.CharField(max_length=120)  # the service's, as it was called then
    kind = models.CharField(max_length=12, choices=Kind)
    value = models.FloatField()  # the highest since: checks in a row, a share (0..1) or seconds
    limit = models.FloatField()
    since = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)
    # When the webhook was told, how often in vain, and why.
    raised_told_at = models.DateTimeField(null=True)
    cleared_told_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "kind"], condition=Q(cleared_at=None), name="alert_once_at_a_time"
            )
        ]
        indexes = [models.Index(fields=["-since"], name="alert_by_time")]  # the page's newest

    def __str__(self) -> str:
        return f"{self.title}: {self.kind}"
