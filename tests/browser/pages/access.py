"""People, their keys, and what a program can ask for with one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from mlservices.models.usage import UsageDay
from voiceforge_site.access import key_actions
from voiceforge_site.models import ApiKey, KeyUse, User

from .shown import World, shown, then

CALLS = "telephony.view_calls"
ASKED = [  # resource, status, requests of the busiest day
    ("calls", 200, 4120),
    ("calls", 404, 310),
    ("calls", 429, 640),
    ("agents", 200, 420),
    ("outbound-calls", 403, 70),
    ("tts", 503, 40),
]


@shown
def keys(world: World) -> str:
    alice = User.objects.get(username="alice")
    key_actions.create("Reports of the night shift", alice, scopes=["telephony.view_calls"])
    booking, _ = key_actions.create("Booking", alice, scopes=[CALLS, "telephony.place_calls"])
    fields = {"key": booking.prefix, "day": datetime.now(UTC).date(), "resource": "calls"}
    KeyUse.objects.create(**fields, status=200, requests=14120)
    KeyUse.objects.create(**fields, status=429, requests=31)
    ApiKey.objects.filter(pk=booking.pk).update(last_used_at=timezone.now())
    key_actions.create("Everything", alice, networks=["203.0.113.0/24"])
    return reverse("keys:list")


@shown
def new_key(world: World) -> str:
    return reverse("keys:new")


def _make_the_key(page: Page) -> None:
    page.get_by_label("Name").fill("Booking")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_label("The key").wait_for()


@then(_make_the_key)
def key_shown_once(world: World) -> str:
    return reverse("keys:new")


@shown
def key(world: World) -> str:
    row, _shown = key_actions.create("Booking", User.objects.get(username="alice"))
    return row.get_absolute_url()


@shown
def much_used_key(world: World) -> str:
    row, _shown = key_actions.create("Nightly export", User.objects.get(username="alice"), scopes=[CALLS])
    today = datetime.now(UTC).date()
    for back in range(30):
        for resource, status, requests in ASKED:
            day, count = today - timedelta(days=back), requests * (7 - back % 7) // 7
            fields = {"key": row.prefix, "day": day, "resource": resource, "status": status}
            KeyUse.objects.create(**fields, requests=count)
    UsageDay.objects.create(
        day=today, service="tts", engine="piper-joe", key=row.prefix, requests=3, amount=1
    )
    used = {"last_used_at": timezone.now(), "last_used_from": "203.0.113.9"}
    ApiKey.objects.filter(pk=row.pk).update(**used, last_used_for="GET /api/telephony/calls/{id}/transcript")
    return row.get_absolute_url()


@shown
def people(world: World) -> str:
    return reverse("people:list")


@shown
def invitation(world: World) -> str:
    return reverse("people:invite")


@shown
def person(world: World) -> str:
    return User.objects.get(username="alice").get_absolute_url()


@shown
def profile(world: World) -> str:
    return reverse("profile:profile")


@shown
def two_step_sign_in(world: World) -> str:
    return reverse("profile:codes")


@shown
def api(world: World) -> str:
    return reverse("docs")


@shown
def realtime_api(world: World) -> str:
    return reverse("sockets")
