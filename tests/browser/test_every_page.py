"""Every page, light and dark, wide and narrow: readable by all, and nothing hangs over the edge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Error, Page

from tests.browser.conftest import DESK, PHONE
from tests.browser.pages import PAGES, Shown, World

AXE = (settings.BASE_DIR / "tests" / "vendor" / "axe.min.js").read_text()
# Without `preload`, for which it would copy the styles of shadow roots into a document where they are refused
RUN = "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], preload: false})"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
THEMES = ("light", "dark")
# A theme is nothing but colours, and a width hardly more than sizes
COLOURS, SIZES = ["color-contrast"], ["target-size"]
Looks = dict[str, tuple[tuple[str, list[str]], ...]]  # by width: themes, with the rules that are asked there
QUICK: Looks = {"desk": (("light", RULES), ("dark", COLOURS)), "phone": (("light", SIZES),)}
WHOLE: Looks = dict.fromkeys(QUICK, (("light", RULES), ("dark", COLOURS)))
# To wait for a network that is idle takes half a second more for each page.
SETTLED = "() => !document.querySelector('.htmx-request')"
SET_THEME = """theme => {
  document.documentElement.dataset.theme = theme;
  dispatchEvent(new Event("themechange"));
}"""


# What stands in a row that is a link as a whole has to stand above it, or it cannot be clicked.
COVERED = """() => [...document.querySelectorAll(".vf-table :is(a, button, input)")].filter((each) => {
  const { x, y, width, height } = each.getBoundingClientRect();
  const at = document.elementFromPoint(x + width / 2, y + height / 2);
  const row = each.closest("tr");
  return width && at?.closest("tr") === row && !each.contains(at) && !at.contains(each);
}).map((each) => each.outerHTML.slice(0, 120))"""


def faults(page: Page, rules: list[str] = RULES) -> list[str]:
    result = page.evaluate(RUN, rules)
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize(
    "looks", [pytest.param(QUICK, id="quick"), pytest.param(WHOLE, id="whole", marks=pytest.mark.thorough)]
)
def test_every_page_is_accessible_and_fits(guard, chromium, server, looks):
    """Each is opened once, and its theme and width changed under it."""
    guard.expect("422", "404", "500")
    page = guard.page(chromium)
    world, found = World(), []
    for each in PAGES:
        try:
            found += [
                f"{each.name} ({where}): {fault}" for where, fault in looked_at(page, each, world, looks)
            ]
        except Error as error:
            found.append(f"{each.name}: {error}")
    assert not found, "\n".join(found)


def looked_at(page: Page, shown: Shown, world: World, looks: Looks) -> Iterator[tuple[str, str]]:
    """Width and theme, and what is wrong there."""
    page.set_viewport_size(DESK)
    page.goto(shown.make(world))
    page.wait_for_function(SETTLED)
    if shown.then:
        shown.then(page)
    page.evaluate(AXE)
    for width, viewport in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(viewport)
        yield from ((width, f"covered: {what}") for what in page.evaluate(COVERED))
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            yield width, "wider than the window"
        for theme, rules in looks[width]:
            page.evaluate(SET_THEME, theme)
            yield from ((f"{width}, {theme}", fault) for fault in faults(page, rules))


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
