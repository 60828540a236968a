"""Sources of a knowledge base, added in a real browser."""

from __future__ import annotations

from playwright.sync_api import expect

from agents.knowledge.actions import create_base

DROP = """([kind, names]) => {
  const dataTransfer = new DataTransfer();
  for (const name of names) dataTransfer.items.add(new File(["We are open on Sunday."], name));
  document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
}"""


def test_files_that_are_dropped_on_the_page_are_added(guard, chromium, server):
    base = create_base(name="Clinic")
    page = guard.page(chromium)
    page.goto(base.get_absolute_url())
    page.evaluate(DROP, ["dragover", ["a.txt"]])
    expect(page.locator("body")).to_have_class("vf-dropping")
    page.evaluate(DROP, ["drop", ["a.txt", "b.md"]])
    expect(page.get_by_role("cell", name="b.md File")).to_be_visible()
    assert sorted(base.sources.values_list("name", flat=True)) == ["a.txt", "b.md"]
