"""Service status in a real browser: all asked at once, each answer as it comes; the week by keyboard."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from mlservices.models import ServiceHour


def test_everything_is_asked_at_once_and_the_week_is_read_by_keyboard(page: Page) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    ServiceHour.objects.create(service="database", hour=hour, passed=58, failed=2, latency_ms=580)
    page.goto("/status/")
    database, ears = page.locator("#service-database"), page.locator("#service-pool-stt")
    expect(database.get_by_text("Not known")).to_be_visible()
    page.get_by_role("button", name="Check now", exact=True).click()
    expect(database.get_by_text("Works", exact=True)).to_be_visible()
    expect(ears.locator(".vf-svc-now .vf-bad")).to_have_text("Fails")
    expect(ears.get_by_text("Start the ML service again")).to_be_visible()
    expect(page.locator(".vf-headline")).to_contain_text("fail")  # asked for anew once all have answered

    week = database.get_by_role("slider")
    week.focus()
    page.keyboard.press("ArrowLeft")
    expect(database.locator("[data-week-says]")).to_contain_text("58 of 60 passed, 2 failed")
    expect(week).to_have_attribute("aria-valuenow", "166")
    page.keyboard.press("Tab")
    expect(database.locator("[data-week-says]")).to_contain_text("%")
