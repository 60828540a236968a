"""What all processes together know of the sleep of a service that may sleep."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from ..clients.waking import ColdStart, Happening, Wakefulness
from ..errors import EngineError

_SHORTEST_GAP_SECONDS = 3600.0


class SpaceAwake(models.Model):
    """One row a service, by its address. Times are of the last answers that any process had of it."""

    address = models.CharField(max_length=200, unique=True)
    measured_since = models.DateTimeField(default=timezone.now)
    awake_since = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    stretches = models.JSONField(default=list)  # [[awake since, until]] before `awake_since`; epoch seconds
    cold_starts = models.JSONField(default=list)  # [{at, seconds, path}], the newest last
    checked_at = models.DateTimeField(null=True)  # by the keep-warm job
    outcome = models.CharField(max_length=40, blank=True)  # of that check; empty: all was well
    problem = models.TextField(blank=True)  # the same in words

    def __str__(self) -> str:
        return self.address

    @classmethod
    def record(cls, address: str, *happenings: Happening) -> None:
        """Fold what happened into the row, whoever else does so just now."""
        with transaction.atomic():
            row, _ = cls.objects.select_for_update().get_or_create(address=address)
            known = row.wakefulness
            for happening in happenings:
                known = known.after(happening, gap=_longest_gap())
            row._take(known)
            row.save()

    @classmethod
    def checked(cls, address: str, error: EngineError | None) -> None:
        problem = {"outcome": error.outcome.value, "problem": str(error)} if error else {}
        values = {"checked_at": timezone.now(), "outcome": "", "problem": "", **problem}
        cls.objects.update_or_create(address=address, defaults=values)

    @property
    def wakefulness(self) -> Wakefulness:
        return Wakefulness(
            awake_since=_seconds(self.awake_since),
            seen_at=_seconds(self.seen_at),
            stretches=tuple((since, until) for since, until in self.stretches),
            cold_starts=tuple(ColdStart(**each) for each in self.cold_starts),
        )

    def _take(self, known: Wakefulness) -> None:
        self.awake_since, self.seen_at = _moment(known.awake_since), _moment(known.seen_at)
        self.stretches = [list(each) for each in known.stretches]
        self.cold_starts = [asdict(start) for start in known.cold_starts]


def _longest_gap() -> float:
    """Seconds without an answer after which nobody knows whether it was awake meanwhile."""
    return max(_SHORTEST_GAP_SECONDS, 2 * 60.0 * settings.HF_ML_KEEP_WARM)


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
