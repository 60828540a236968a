"""What checks of services tell other systems."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from ..happenings import Kind, declare, tell
from ..models import ServiceAlert

ALERT = "service.alert"
RECOVERED = "service.recovered"

_EXAMPLE: dict[str, Any] = {
    "alert": {
        "id": 7,
        "service": "local-stt",
        "title": "Speech recognition",
        "kind": "down",
        "value": 2,
        "limit": 1,
        "since": "2026-03-02T09:30:00+00:00",
        "cleared_at": None,
        "url": "https://voice.example.com/status/",
    }
}
declare(
    Kind(ALERT, _("A service fails, answers slowly, makes errors or runs out of memory"), _EXAMPLE),
    Kind(
        RECOVERED,
        _("Such an alert is over"),
        {"alert": {**_EXAMPLE["alert"], "cleared_at": "2026-03-02T09:34:00+00:00"}},
    ),
)


def tell_of(alert: ServiceAlert) -> None:
    """That it is raised, or over."""
    tell(RECOVERED if alert.cleared_at else ALERT, {"alert": facts_of(alert)}, about=f"alert:{alert.pk}")


def facts_of(alert: ServiceAlert) -> dict[str, Any]:
    """What is told of an alert, by webhooks and to ALERT_WEBHOOK_URL."""
    return {
        "id": alert.pk,
        "service": alert.service,
        "title": alert.title,
        "kind": alert.kind,
        "value": round(alert.value, 4),
        "limit": alert.limit,
        "since": alert.since.isoformat(),
        "cleared_at": alert.cleared_at.isoformat() if alert.cleared_at else None,
        "url": f"{settings.PUBLIC_URL}/status/",
    }
