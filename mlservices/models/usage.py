"""What speech and language models were asked for, by whom, and what it cost."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

COST_DIGITS, COST_PLACES = 18, 8


class Service(models.TextChoices):
    STT = "stt", _("Speech to text")
    TTS = "tts", _("Text to speech")
    LLM = "llm", _("Language model")
    EMBED = "embed", _("Meaning")
    TURN = "turn", _("End of turn")
    VAD = "vad", _("Voice activity")


class Unit(models.TextChoices):
    SECONDS = "seconds", _("seconds of sound")
    CHARACTERS = "characters", _("characters")
    TOKENS = "tokens", _("tokens")
    TEXTS = "texts", _("texts")


def unit_words(unit: Unit, amount: float) -> str:
    """As they stand behind such an amount, which is told whole."""
    count = int(amount + 0.5)
    match unit:
        case Unit.SECONDS:
            return ngettext("second of sound", "seconds of sound", count)
        case Unit.CHARACTERS:
            return ngettext("character", "characters", count)
        case Unit.TOKENS:
            return ngettext("token", "tokens", count)
        case Unit.TEXTS:
            return ngettext("text", "texts", count)


UNITS = {
    Service.STT: Unit.SECONDS,
    Service.TTS: Unit.CHARACTERS,
    Service.LLM: Unit.TOKENS,
    Service.EMBED: Unit.TEXTS,
    Service.TURN: Unit.SECONDS,
    Service.VAD: Unit.SECONDS,
}


class Outcome(models.TextChoices):
    SERVED = "served", _("Served")
    FAILED = "failed", _("Failed")
    REFUSED = "refused", _("Refused")  # what was asked is at fault, not who was asked
    CANCELLED = "cancelled", _("Cancelled")


NOT_SERVED = (Outcome.FAILED, Outcome.REFUSED)


class UsageRow(models.Model):
    """One request. Written by `mlservices.ledger` alone, which brings the day's sums up to date with it."""

    at = models.DateTimeField()
    service = models.CharField(max_length=8, choices=Service)
    engine = models.CharField(max_length=120)  # who answered: a model's id, or a service and its model
    key = models.CharField(max_length=64, blank=True)  # the API key's id that asked
    call = models.UUIDField(null=True, blank=True)  # that asked
    amount = models.FloatField()  # in the unit of the service; 0 where no answer began
    answered = models.PositiveIntegerField(default=0)  # of the tokens in `amount`, those of the answer
    estimated = models.BooleanField(default=False)  # the tokens, by the lengths of texts
    latency_ms = models.PositiveIntegerField()  # to the first piece of the answer, or to its failure
    outcome = models.CharField(max_length=10, choices=Outcome)
    degraded = models.BooleanField(default=False)  # asked in the stead of the first choice
    cost = models.DecimalField(max_digits=COST_DIGITS, decimal_places=COST_PLACES, default=Decimal(0))

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="usage_row_amount_not_negative"),
        ]
        indexes = [
            models.Index(fields=["at"], name="usage_row_at"),  # purging old rows; a day's rows
            models.Index(fields=["call"], name="usage_row_call"),  # what one call used
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.engine} {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def by_fallback(self) -> bool:
        """It served in the stead of the first choice."""
        return self.degraded and self.outcome not in NOT_SERVED


class UsageDay(models.Model):
    """The sums of a day (UTC) for one engine and key; charts and answers are read from these."""

    day = models.DateField()
    service = models.CharField(max_length=8, choices=Service)
    engine = models.CharField(max_length=120)
    key = models.CharField(max_length=64, blank=True)
    requests = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    degraded = models.PositiveIntegerField(default=0)  # served in the stead of the first choice
    estimated = models.PositiveIntegerField(default=0)  # requests whose tokens are
    amount = models.FloatField(default=0)
    latency_ms = models.PositiveBigIntegerField(default=0)  # the sum over its requests
    cost = models.DecimalField(max_digits=COST_DIGITS, decimal_places=COST_PLACES, default=Decimal(0))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "service", "engine", "key"], name="usage_day_once"),
        ]
        indexes = [models.Index(fields=["key", "day"], name="usage_day_key")]  # what one key used in a period

    def __str__(self) -> str:
        return f"{self.day} {self.service} {self.engine}"


class Price(models.Model):
    """What an engine costs from a day on, until a later one."""

    engine = models.CharField(_("engine"), max_length=120)
    per = models.PositiveIntegerField(
        _("for so many units"),
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("Seconds, characters, tokens or texts: 60 for a price a minute of sound."),
    )
    amount = models.DecimalField(
        _("price"), max_digits=14, decimal_places=6, validators=[MinValueValidator(Decimal(0))]
    )
    answer_amount = models.DecimalField(
        _("price of answers"),
        max_digits=14,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("Of a language model that asks more for the tokens of its answers."),
    )
    since = models.DateField(
        _("from"), help_text=_("Requests that were made before the price is set here keep their cost.")
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["engine", "since"], name="price_once_a_day"),
            models.CheckConstraint(condition=models.Q(amount__gte=0, per__gte=1), name="price_not_negative"),
            models.CheckConstraint(
                condition=models.Q(answer_amount__isnull=True) | models.Q(answer_amount__gte=0),
                name="price_of_answers_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.engine}: {self.amount}/{self.per}"
