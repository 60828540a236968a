"""Every page there is, and the states worth a look, by areas of the product. A new page is a function:

    @shown
    def people(world: World) -> str:
        return reverse("people:list")

It makes what the page needs and returns the address; with `then` something is done to the open page first.
tests/browser/looks.py looks at each in both themes and both widths.
"""

from __future__ import annotations

from . import (
    access,
    agents,
    audit,
    calls,
    engines,
    flows,
    flows_in_use,
    frame,
    numbers,
    overview,
    tools,
    webhooks,
)
from .shown import Shown, World, pages_of

__all__ = ["PAGES", "Shown", "World"]

# In the order in which they are opened: where nothing is there yet before what makes it.
AREAS = (
    overview,
    agents,
    calls,
    frame,
    engines,
    access,
    flows,
    tools,
    flows_in_use,
    numbers,
    audit,
    webhooks,
)
PAGES: list[Shown] = [page for area in AREAS for page in pages_of(area)]
