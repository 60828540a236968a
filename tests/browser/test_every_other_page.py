"""The second half of all pages."""

from __future__ import annotations

import pytest

from tests.browser.looks import QUICK, WHOLE, wrong_with
from tests.browser.pages import PAGES


@pytest.mark.parametrize(
    "looks", [pytest.param(QUICK, id="quick"), pytest.param(WHOLE, id="whole", marks=pytest.mark.thorough)]
)
def test_every_page_of_the_second_half_is_accessible_and_fits(guard, chromium, looks):
    guard.expect("422", "404", "500")
    assert wrong_with(guard.page(chromium), PAGES[len(PAGES) // 2 :], looks) == []
