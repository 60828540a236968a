"""The first half of all pages; the second is in test_every_other_page.py, for a worker of its own."""

from __future__ import annotations

import pytest

from tests.browser.looks import AXE, QUICK, THEMES, WHOLE, faults, wrong_with
from tests.browser.pages import PAGES


@pytest.mark.parametrize(
    "looks", [pytest.param(QUICK, id="quick"), pytest.param(WHOLE, id="whole", marks=pytest.mark.thorough)]
)
def test_every_page_is_accessible_and_fits(guard, chromium, looks):
    guard.expect("422", "404", "500")
    assert wrong_with(guard.page(chromium), PAGES[: len(PAGES) // 2], looks) == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_theme_of_the_system_is_taken_and_the_sign_in_page_is_accessible(guard, chromium, theme):
    page = guard.page(chromium, theme=theme)
    page.context.clear_cookies()
    guard.expect("422")
    page.goto("/login/")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    page.fill("[name=username]", "alice")
    page.fill("[name=password]", "wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    page.evaluate(AXE)
    assert faults(page) == []
