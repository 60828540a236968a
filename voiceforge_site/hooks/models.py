"""Who is told what, and each message until it is forgotten. `hooks.actions` and `hooks.rounds` write."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

KEPT = timedelta(days=30)  # messages, whatever came of them
TRIED_FOR = timedelta(hours=24)


class Webhook(models.Model):
    """An address that is told. Empty `agents`, `directions` and `numbers` leave nothing out; they hold for
    happenings that have such a thing."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")  # messages wait
        DISABLED = "disabled", _("Switched off")  # nothing is written for it

    description = models.CharField(_("description"), max_length=120)
    url = models.CharField(_("address"), max_length=500)
    kinds = models.JSONField(_("tells of"), default=list, blank=True)  # names of mlservices.happenings.KINDS
    agents = models.JSONField(_("agents"), default=list, blank=True)  # slugs
    directions = models.JSONField(_("directions"), default=list, blank=True)
    numbers = models.JSONField(_("our numbers"), default=list, blank=True)  # E.164

    # Ciphertexts of "whsec_..."; both sign until `previous_until`.
    secret = models.TextField(editable=False)
    previous_secret = models.TextField(blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, editable=False)

    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE, editable=False)
    reason = models.CharField(max_length=200, blank=True, editable=False)  # why it was switched off
    # While its receiver does not answer, one message at a time finds out whether it does again.
    failures = models.PositiveIntegerField(default=0, editable=False)  # attempts in a row
    failing_since = models.DateTimeField(null=True, editable=False)
    held_until = models.DateTimeField(null=True, editable=False)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ["description", "pk"]

    def __str__(self) -> str:
        return self.description

    def get_absolute_url(self) -> str:
        return reverse("webhooks:webhook", args=[self.pk])

    @property
    def both_sign(self) -> bool:
        return bool(self.previous_secret and self.previous_until and self.previous_until > timezone.now())


class Delivery(models.Model):
    """One message to one webhook. `uid` and `body` are the same each time it is sent."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENDING = "sending", _("Being sent")
        DELIVERED = "delivered", _("Delivered")
        DEAD = "dead", _("Not delivered")

    UNDER_WAY = (State.WAITING, State.SENDING)

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    kind = models.CharField(max_length=40)
    about = models.CharField(max_length=200, blank=True)  # as `Happening.about`
    sequence = models.PositiveIntegerField(null=True)
    body = models.TextField()  # exactly as it is signed
    at = models.DateTimeField(default=timezone.now)

    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)  # since it was written, or sent again by hand
    next_at = models.DateTimeField(default=timezone.now)
    give_up_at = models.DateTimeField()
    claimed_by = models.CharField(max_length=16, blank=True)  # the round that sends it
    claimed_until = models.DateTimeField(null=True)  # long past: its process died

    # Of the last attempt
    tried_at = models.DateTimeField(null=True)
    headers = models.JSONField(default=dict)
    seconds = models.FloatField(null=True)
    status = models.PositiveIntegerField(null=True)  # None: there was no answer
    answer = models.TextField(blank=True)  # the beginning of it
    problem = models.CharField(max_length=500, blank=True)  # why it was not delivered

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # the page of a webhook, whole and by state
            models.Index(fields=["webhook", "-id"], name="delivery_newest"),
            models.Index(fields=["webhook", "state", "-id"], name="delivery_by_state"),
            # what is due; and that a call's messages go one after the other
            models.Index(
                fields=["webhook", "next_at"],
                condition=Q(state__in=["waiting", "sending"]),
                name="delivery_due",
            ),
            models.Index(
                fields=["webhook", "about", "id"],
                condition=Q(state__in=["waiting", "sending"]),
                name="delivery_in_order",
            ),
            models.Index(fields=["webhook", "at"], name="delivery_by_time"),  # the figures of some days
            models.Index(fields=["at"], name="delivery_by_age"),  # those to forget
            models.Index(fields=["about"], name="delivery_about"),  # of things that are deleted
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"

    def get_absolute_url(self) -> str:
        return reverse("webhooks:delivery", args=[self.webhook_id, self.uid])
