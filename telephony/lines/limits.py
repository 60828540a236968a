"""What accounts and SIP lines have in common: calls are placed by them, at a pace and within limits."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

NOT_BELOW_0 = MinValueValidator(0, _("Not below 0."))
_PACE = _("Between 0.1 and 100.")


def are_known(countries: Iterable[str]) -> None:
    """Raises ValidationError for a code that no country has."""
    if unknown := sorted(set(countries) - phonenumbers.SUPPORTED_REGIONS):
        raise ValidationError(
            _("No country has the code %(codes)s: write its two letters, as GB."),
            params={"codes": ", ".join(unknown)},
        )


class Carrier(models.Model):
    """Limits against fraud: where its calls may go (ISO countries), what the calls of a day may cost (in its
    own currency; None: anything), and how many may be begun in a second."""

    countries = models.JSONField(
        _("countries that may be called"), default=list, blank=True, validators=[are_known]
    )
    daily_cap = models.DecimalField(
        _("most that the calls of a day may cost"),
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[NOT_BELOW_0],
    )
    calls_per_second = models.DecimalField(
        _("calls begun in a second"),
        max_digits=4,
        decimal_places=1,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal("0.1"), _PACE), MaxValueValidator(100, _PACE)],
    )
    # Some process begins its calls, and has it until then.
    dialling_until = models.DateTimeField(null=True, blank=True, editable=False)
    dialling_by = models.CharField(max_length=16, blank=True, editable=False)

    label: models.CharField[str, str]

    class Meta:
        abstract = True
