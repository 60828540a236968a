"""What all pages have in common, and the pages for when something went wrong."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Page

from .shown import World, shown, then


def _open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("front")
    page.locator("#palette [role=option]", has_text="Talk to Front desk").wait_for()


@then(_open_palette)
def palette(world: World) -> str:
    world.everything()
    return reverse("agents:list")


@then(lambda page: page.keyboard.press("?"))
def shortcuts(world: World) -> str:
    return reverse("agents:list")


@then(lambda page: page.locator("[data-bulk-item]").first.check())
def rows_selected(world: World) -> str:
    world.everything()
    return "/workbench/?q=e"


def _delete(page: Page) -> None:
    page.locator("[data-bulk-item]").first.check()
    page.locator(".vf-bulk").get_by_role("button", name="Delete").click()


@then(_delete)
def asked(world: World) -> str:
    world.everything()
    return "/workbench/"


def _refused(page: Page) -> None:
    page.get_by_role("textbox", name="Number").fill("many")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").get_by_role("link", name="Number").wait_for()


@then(_refused)
def refused_form(world: World) -> str:
    return "/workbench/form/"


@shown
def missing_page(world: World) -> str:
    return "/workbench/fault/404/"


@shown
def page_of_a_failure(world: World) -> str:
    return "/workbench/fault/500/"
