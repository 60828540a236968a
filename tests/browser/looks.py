"""What is looked for on every page, light and dark, wide and narrow: that all can read it, and that nothing
hangs over the edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle

from django.conf import settings
from playwright.sync_api import Error, Page

from tests.browser.conftest import DESK, PHONE
from tests.browser.pages import Shown, World

AXE = (settings.BASE_DIR / "tests" / "vendor" / "axe.min.js").read_text()
# Without `preload`, for which it would copy the styles of shadow roots into a document where they are refused
RUN = "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], preload: false})"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
THEMES = ("light", "dark")
COLOURS = ["color-contrast"]  # a theme is nothing else
Looks = dict[str, tuple[tuple[str, list[str]], ...]]  # by width: themes, with the rules that are asked there
# The pages take turns: each is asked all in one look, and fits both widths. WHOLE asks all in each.
QUICK: tuple[Looks, ...] = (
    {"desk": (("dark", RULES),), "phone": ()},
    {"desk": (), "phone": (("light", RULES),)},
)
WHOLE: tuple[Looks, ...] = (dict.fromkeys(("desk", "phone"), (("light", RULES), ("dark", COLOURS))),)
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


def wrong_with(page: Page, pages: Iterable[Shown], looks: Sequence[Looks]) -> list[str]:
    """Each is opened once, and its theme and width changed under it."""
    world, found = World(), []
    for each, its in zip(pages, cycle(looks), strict=False):
        try:
            found += [f"{each.name} ({where}): {fault}" for where, fault in looked_at(page, each, world, its)]
        except Error as error:
            found.append(f"{each.name}: {error}")
    return found


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
