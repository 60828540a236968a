"""Accounts with providers and their numbers; `telephony.models` has them with the others."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mlservices.pages.figures import grouped

from .hours import is_open
from .limits import Carrier
from .texts import in_words


class CredentialQuerySet(models.QuerySet["Credential"]):
    def real(self) -> CredentialQuerySet:
        """Without the simulator's, which is nobody's."""
        return self.filter(is_simulated=False)

    def selling_numbers(self) -> CredentialQuerySet:
        return self.real().filter(provider=Credential.Provider.TWILIO)


class PhoneNumberQuerySet(models.QuerySet["PhoneNumber"]):
    def real(self) -> PhoneNumberQuerySet:
        """Without the simulator's: pages, forms and checks know none of them."""
        return self.filter(credential__is_simulated=False)


class Credential(Carrier):
    """An account with a provider. `secret` is ciphertext; `telephony.credentials` reads it. Where it names no
    `countries`, those of its own numbers may be called."""

    class Provider(models.TextChoices):
        TWILIO = "twilio", "Twilio"
        ZADARMA = "zadarma", "Zadarma"

    class Records(models.TextChoices):
        """Whether the provider records calls too, beside us."""

        NO = "no", _("No")
        THERE = "there", _("Yes, and it keeps them")
        HERE = "here", _("Yes, and it removes them once they are here")

    provider = models.CharField(_("provider"), max_length=16, choices=Provider)
    label = models.CharField(_("name"), max_length=80)
    account = models.CharField(max_length=64)  # Twilio: the account SID; Zadarma: the key
    secret = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    is_simulated = models.BooleanField(default=False)  # `simulate_call` rings by it; no provider knows it
    # When a request in the account's name last fitted its secret, to the minute; None: not yet.
    signed_at = models.DateTimeField(null=True)
    # What the provider answered when it was last asked: [[name, value], ...]; or why it did not.
    facts = models.JSONField(default=list)
    problem = models.CharField(max_length=500, blank=True)
    checked_at = models.DateTimeField(null=True)
    records = models.CharField(
        _("Twilio records calls too"), max_length=8, choices=Records, default=Records.NO
    )

    objects = CredentialQuerySet.as_manager()

    class Meta:
        ordering = ["label", "pk"]
        constraints = [models.UniqueConstraint(fields=["provider", "account"], name="credential_once")]

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        return reverse("lines:credential", args=[self.pk])

    @property
    def manages_numbers(self) -> bool:
        """Whether numbers are bought, led here and given back by its interface: Zadarma's are in pages of
        its own."""
        return self.provider == self.Provider.TWILIO

    @property
    def masked(self) -> str:
        """Its account as pages show it."""
        return f"{self.account[:4]}…{self.account[-4:]}" if len(self.account) > 12 else self.account


class PhoneNumber(models.Model):
    class After(models.TextChoices):
        """Who answers outside opening hours."""

        CLOSED = "closed", _("A sentence: closed, with the next opening")
        AGENT = "agent", _("Another agent")
        FORWARD = "forward", _("A telephone")

    number = models.CharField(max_length=16, unique=True)  # E.164
    label = models.CharField(_("name"), max_length=80, blank=True)
    credential = models.ForeignKey(Credential, models.CASCADE, related_name="numbers")
    agent = models.ForeignKey(
        "agents.Agent", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("agent")
    )
    provider_id = models.CharField(max_length=64, blank=True)  # Twilio: the SID
    extension = models.CharField(max_length=8, blank=True)  # Zadarma: where its calls are answered by us
    can = models.JSONField(default=list, blank=True)  # "voice", "sms", ...
    imported_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)  # an import did not find it in its account
    hooks = models.JSONField(default=dict, blank=True)  # {field: address} as the provider has them
    hooks_before = models.JSONField(default=dict, blank=True)  # as they were when its calls came to us first
    # When `agent` answers; {} is always. telephony.lines.hours is the typed door.
    hours = models.JSONField(default=dict, blank=True)
    after = models.CharField(_("outside these hours"), max_length=8, choices=After, default=After.CLOSED)
    after_agent = models.ForeignKey(
        "agents.Agent", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("agent then")
    )
    after_number = models.CharField(_("telephone then"), max_length=16, blank=True)
    fallback_number = models.CharField(_("telephone while we are down"), max_length=16, blank=True)

    objects = PhoneNumberQuerySet.as_manager()

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("lines:number", args=[self.number.lstrip("+")])

    @property
    def is_open(self) -> bool:
        return is_open(self.hours, timezone.now())

    @property
    def can_in_words(self) -> str:
        return in_words(self.can)


class BlockedCaller(models.Model):
    """Callers who are turned away: one number (E.164), or all that begin with `pattern` ("+4490*")."""

    pattern = models.CharField(max_length=17, unique=True)
    note = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(default=timezone.now)
    turned_away = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["pattern"]

    def __str__(self) -> str:
        """As people read it."""
        return self.pattern if "*" in self.pattern else grouped(self.pattern)
