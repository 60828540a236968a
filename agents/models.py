"""What an administrator sets up: agents. Conversations are built of them in `conversations.py`."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .facts import validate_facts

validate_e164 = RegexValidator(
    r"^\+[1-9]\d{6,14}\Z", _("Write the number with its country code, like +14155550100.")
)

# The language model of an agent that takes whatever is configured.
DEFAULT_MODEL = "default"


class Agent(models.Model):
    """One voice on the telephone: what it knows, how it speaks, when it gives up."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        ARCHIVED = "archived", _("Archived")

    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(_("address"), max_length=80, unique=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.ACTIVE)

    language = models.CharField(_("language"), max_length=16, default="en")
    voice = models.CharField(_("voice"), max_length=80, default="default")
    speaking_rate = models.FloatField(
        _("speaking rate"), default=1.0, validators=[MinValueValidator(0.5), MaxValueValidator(2.0)]
    )
    greeting = models.TextField(_("greeting"), max_length=600)
    instructions = models.TextField(_("instructions"), blank=True)
    # [{"topic": str, "answer": str, "questions": [str, ...], ...}, ...]; agents.facts is the typed door.
    facts = models.JSONField(_("facts"), default=list, blank=True, validators=[validate_facts])

    # "" answers by intents and facts alone; else DEFAULT_MODEL or an id of registry.chat_models().
    chat_model = models.CharField(_("language model"), max_length=80, blank=True)
    temperature = models.FloatField(
        _("temperature"), default=0.7, validators=[MinValueValidator(0), MaxValueValidator(2)]
    )

    eagerness = models.FloatField(
        _("eagerness"),
        default=0.5,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("How soon the agent answers after the caller pauses: 0 waits long, 1 answers at once."),
    )
    interruptible = models.BooleanField(_("caller may interrupt"), default=True)
    silence_seconds = models.PositiveSmallIntegerField(
        _("silence before a prompt"),
        default=8,
        validators=[MinValueValidator(3), MaxValueValidator(60)],
        help_text=_("Seconds without a word before the agent asks whether the caller is still there."),
    )
    max_call_seconds = models.PositiveIntegerField(
        _("longest call"),
        default=900,
        validators=[MinValueValidator(30), MaxValueValidator(7200)],
        help_text=_("Seconds after which the agent says goodbye and ends the call."),
    )
    record = models.BooleanField(_("record calls"), default=True)
    transfer_number = models.CharField(
        _("transfer to"),
        max_length=16,
        blank=True,
        validators=[validate_e164],
        help_text=_("E.164, like +14155550100."),
    )
    fallback_number = models.CharField(
        _("fallback number"),
        max_length=16,
        blank=True,
        validators=[validate_e164],
        help_text=_("Where callers go when an engine fails twice. Empty: the agent says goodbye."),
    )

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("agents:edit", args=[self.slug])
