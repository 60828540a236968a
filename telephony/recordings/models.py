"""Recordings that providers make of our calls; `telephony.models` has them with the others."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ProviderRecording(models.Model):
    """What a provider has recorded of a call, and our copy of it: caller left, agent right, in a file of its
    own beside what we recorded ourselves. `telephony.recordings.actions` changes it."""

    class State(models.TextChoices):
        AWAITED = "awaited", _("Awaited")  # it was asked for; nothing was told of its end
        WAITING = "waiting", _("To be fetched")
        KEPT = "kept", _("Kept")
        ABSENT = "absent", _("There is none")
        FAILED = "failed", _("Could not be fetched")

    call = models.ForeignKey("telephony.Call", models.CASCADE, related_name="provider_recordings")
    # Twilio: its SID; Zadarma: the call_id that it goes by; "" until it is told
    provider_id = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.AWAITED)
    problem = models.CharField(max_length=500, blank=True)  # why the last try came to nothing
    tries = models.PositiveSmallIntegerField(default=0)
    # When the worker is to do something about it: fetch it, or remove it at the provider once it is kept.
    due_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)  # at the provider

    # Of our copy, once it is kept.
    file = models.FileField(upload_to="recordings/%Y/%m/", blank=True)
    rate = models.PositiveIntegerField(default=0)
    duration_seconds = models.FloatField(default=0.0)
    bytes = models.PositiveBigIntegerField(default=0)
    peaks = models.JSONField(default=dict)  # as of telephony.models.Recording
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["call", "provider_id"], name="provider_recording_once"
            )  # one that is not named yet among them
        ]
        indexes = [
            # the few that the worker has something to do about
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="provider_recording_due"),
            # the few of which nothing was told yet, for the reconciliation
            models.Index(fields=["call"], condition=Q(state="awaited"), name="provider_recording_awaited"),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id or '–'} {self.state}"

    def get_absolute_url(self) -> str:
        return reverse("telephony:provider_recording", args=[self.call_id, self.pk])

    @property
    def can_be_tried(self) -> bool:
        """By a person, before its time or after it was given up."""
        return self.state in (self.State.WAITING, self.State.FAILED) or bool(
            self.state == self.State.KEPT and self.problem
        )
