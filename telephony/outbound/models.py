"""Calls that are to be placed, and numbers that are never to be called."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from ..lines.models import Credential
    from ..sip_lines import SipLine


class DoNotCall(models.Model):
    """A number that nobody calls from here, on whatever way a call would begin."""

    number = models.CharField(max_length=16, unique=True)  # E.164
    reason = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.number


class PlannedCall(models.Model):
    """A call that waits to be placed, and what came of it. Once it is placed, `call` tells how it goes."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DIALLING = "dialling", _("Being placed")
        PLACED = "placed", _("Placed")
        REFUSED = "refused", _("Not placed")
        CANCELED = "canceled", _("Canceled")

    class Machine(models.TextChoices):
        IGNORE = "ignore", _("Go on as with a person")
        HANG_UP = "hang_up", _("Hang up")
        MESSAGE = "message", _("Leave a message after the beep")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    to = models.CharField(max_length=64)  # E.164; by a SIP line also an extension of its exchange
    # It goes out by a number's account or by a SIP line. Each may be deleted: what came of the call stays,
    # with what they were called, and one that waits is refused.
    agent = models.ForeignKey("agents.Agent", models.SET_NULL, null=True, related_name="+")
    caller_id = models.ForeignKey("telephony.PhoneNumber", models.SET_NULL, null=True, related_name="+")
    line = models.ForeignKey("telephony.SipLine", models.SET_NULL, null=True, related_name="+")
    agent_name = models.CharField(max_length=120, blank=True)
    called_from = models.CharField(max_length=80, blank=True)  # the number that is shown, or the line
    # Of ours, an extension or E.164: it is rung first, and somebody there speaks. Zadarma's call-back.
    telephone = models.CharField(max_length=64, blank=True)
    values = models.JSONField(default=dict)  # of the agent's and its flow's variables
    machine = models.CharField(max_length=8, choices=Machine, default=Machine.IGNORE)
    message = models.CharField(max_length=500, blank=True)  # to a machine
    operator = models.CharField(max_length=150, blank=True)  # who speaks, in their browser; "" is the agent
    send_digits = models.CharField(max_length=32, blank=True)  # once it is answered
    due_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=500, blank=True)  # why it was not placed
    call = models.OneToOneField("telephony.Call", models.SET_NULL, null=True, related_name="planned")
    by = models.CharField(max_length=150, blank=True)
    key = models.CharField(max_length=20, blank=True)  # the beginning of the API key that ordered it
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-due_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(caller_id__isnull=True) | Q(line__isnull=True), name="planned_by_one_way"
            )
        ]
        indexes = [
            # the few that are still to be placed
            models.Index(
                fields=["state", "due_at"], condition=Q(state__in=["waiting", "dialling"]), name="planned_due"
            ),
            models.Index(fields=["-at"], name="planned_newest"),  # the dialler's page
            models.Index(fields=["to", "-at"], name="planned_of_a_number"),  # whom it was to reach
            # what a key ordered
            models.Index(fields=["key", "-at"], condition=~Q(key=""), name="planned_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.to} {self.state}"

    @property
    def carrier(self) -> Credential | SipLine | None:
        """What it goes out by; None where that is gone."""
        return self.line or (self.caller_id.credential if self.caller_id else None)

    @property
    def by_a_person(self) -> bool:
        """Whether somebody of ours speaks, whom no agent's longest call cuts off."""
        return bool(self.operator or self.telephone)

    @property
    def is_near(self) -> bool:
        """Whether it is placed any moment."""
        return self.due_at <= timezone.now() + timedelta(minutes=1)


class OtherCost(models.Model):
    """What an account or a SIP line paid, or may yet, that no row of an outbound call tells: for people who
    were put through to somebody, and for calls that were deleted. It counts against the cap of a day."""

    paid_by = models.ForeignKey("telephony.Credential", models.CASCADE, null=True, related_name="+")
    sip_line = models.ForeignKey("telephony.SipLine", models.CASCADE, null=True, related_name="+")
    of = models.CharField(max_length=64, blank=True)  # the call that was put through, by its provider's id
    to = models.CharField(max_length=64, blank=True)  # whom it was put through to
    rate = models.DecimalField(max_digits=10, decimal_places=5, null=True)  # of a minute
    amount = models.DecimalField(max_digits=14, decimal_places=6)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.amount} {self.of}".strip()
