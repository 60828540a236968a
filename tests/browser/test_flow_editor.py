"""Drawing a flow: what is done on the canvas and in the panel is the draft a moment later."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from agents.flows.actions import create_flow, publish, save_draft
from agents.models import Flow
from tests.agents.flow.samples import edge, flow, node
from tests.browser.conftest import PHONE, SOON_MS

STORED_SECONDS = SOON_MS / 1000


def at(part: dict[str, Any], x: int, y: int) -> dict[str, Any]:
    return {**part, "position": {"x": x, "y": y}}


SHORT = flow(
    at(node("hello", "say", label="Greeting", text="Hello."), 0, 0),
    at(node("bye", "end_call", label="Goodbye", message="Bye."), 360, 0),
    at(node("desk", "phone_transfer", label="Desk", phoneNumber="+14155550111"), 480, 160),
    edge("hello", "bye"),
    name="Clinic",
    start="hello",
)


@pytest.fixture
def drawn(server) -> Flow:
    return create_flow(graph=SHORT, by="alice")


@pytest.fixture
def page(page, drawn) -> Page:
    opened(page, drawn)
    return page


def opened(page: Page, drawn: Flow) -> Page:
    page.goto(drawn.get_absolute_url())
    page.locator("#flow[data-ready]").wait_for()
    expect(step(page, "hello")).to_be_visible()
    return page


def step(page: Page, name: str):
    return page.locator(f'.react-flow__node[data-id="{name}"]')


def panel(page: Page):
    return page.locator(".vf-flow-panel")


def stored(drawn: Flow, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The draft, once the server has it so."""
    deadline = time.monotonic() + STORED_SECONDS
    while time.monotonic() < deadline:
        drawn.refresh_from_db()
        if holds(drawn.draft):
            return drawn.draft
        time.sleep(0.1)
    raise AssertionError(drawn.draft)


def data_of(graph: dict[str, Any], name: str) -> dict[str, Any]:
    return next((each["data"] for each in graph["nodes"] if each["id"] == name), {})


def position_of(graph: dict[str, Any], name: str) -> dict[str, int]:
    return next(each["position"] for each in graph["nodes"] if each["id"] == name)


def middle(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, begin: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*begin)
    page.mouse.down()
    page.mouse.move((begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2, steps=4)
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def test_a_step_that_is_dragged_is_stored_where_it_was_dropped_and_can_be_brought_back(page, drawn):
    x, y = middle(step(page, "desk"))
    drag(page, (x, y), (x, y + 120))
    graph = stored(drawn, lambda graph: position_of(graph, "desk")["y"] > 200)
    assert (drawn.revision, drawn.changed_by) == (2, "alice")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.keyboard.press("Control+z")
    stored(drawn, lambda graph: position_of(graph, "desk")["y"] == 160)
    page.keyboard.press("Control+Shift+z")
    assert stored(drawn, lambda now: position_of(now, "desk") == position_of(graph, "desk"))


def test_steps_are_connected_by_dragging_and_the_connection_says_when_it_is_taken(page, drawn):
    drag(
        page,
        middle(step(page, "hello").locator(".react-flow__handle.source")),
        middle(step(page, "desk").locator(".react-flow__handle.target")),
    )
    page.get_by_label("Keys of the telephone").fill("2")
    page.get_by_label("What callers say who mean it").fill("a person please\nthe desk\n")
    made = stored(drawn, lambda graph: len(graph["edges"]) == 2 and "examples" in str(graph["edges"]))
    assert made["edges"][1]["condition"] == {"keys": "2", "examples": ["a person please", "the desk"]}
    expect(page.locator(".vf-flow-label")).to_have_text("Key 2 · “a person please” +1")
    page.keyboard.press("Escape")
    page.locator(".vf-flow-label").click()
    page.keyboard.press("Delete")
    stored(drawn, lambda graph: len(graph["edges"]) == 1)


def test_what_is_typed_is_stored_and_undone_field_by_field(page, drawn):
    step(page, "hello").click()
    page.get_by_label("Words", exact=True).fill("Good day.")
    page.get_by_label("Name of the step").fill("Start")
    stored(drawn, lambda graph: data_of(graph, "hello") == {"label": "Start", "text": "Good day."})
    expect(step(page, "hello")).to_contain_text("Good day.")
    page.get_by_role("button", name="Undo").click()
    stored(drawn, lambda graph: data_of(graph, "hello") == {"label": "Greeting", "text": "Good day."})


def test_a_problem_stands_on_its_step_and_field_and_the_list_leads_there(page, drawn):
    step(page, "desk").click()
    page.get_by_role("textbox", name="Telephone number").fill("555 0111")
    expect(panel(page)).to_contain_text("no telephone number with its country code")
    expect(page.get_by_role("textbox", name="Telephone number")).to_have_attribute("aria-invalid", "true")
    mark = step(page, "desk").get_by_role("img", name="Error")
    expect(mark).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("[data-problems]").click()
    panel(page).get_by_role("button", name="no telephone number").click()
    page.get_by_role("textbox", name="Telephone number").fill("+14155550112")
    expect(mark).to_be_hidden()


def test_a_flow_is_built_and_copied_with_the_keyboard_alone(page, drawn):
    step(page, "desk").focus()
    page.keyboard.press("Delete")
    stored(drawn, lambda graph: len(graph["nodes"]) == 2)
    page.keyboard.press("2")
    expect(panel(page).get_by_role("heading", name="Ask")).to_be_visible()
    page.keyboard.press("9")  # after the question, and connected with it
    graph = stored(drawn, lambda graph: len(graph["nodes"]) == 4)
    made = [(each["source"], each["target"], each.get("condition")) for each in graph["edges"]]
    assert made == [("hello", "bye", None), ("gather-1", "end_call-1", {"outcome": "done"})]
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+d")
    graph = stored(drawn, lambda graph: len(graph["nodes"]) == 8)
    assert len(graph["edges"]) == 4 and len({each["id"] for each in graph["nodes"]}) == 8


def test_a_step_is_dragged_from_the_palette_onto_the_canvas(page, drawn):
    page.locator('[data-add="wait"]').drag_to(
        page.locator(".react-flow__pane"), target_position={"x": 520, "y": 620}
    )
    page.get_by_label("Seconds", exact=True).fill("2.5")
    stored(drawn, lambda graph: data_of(graph, "wait-1") == {"seconds": 2.5})


def test_steps_are_pasted_into_another_flow(page, drawn, guard, chromium):
    other = create_flow(graph={**SHORT, "name": "Other"}, by="bob")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    step(page, "hello").click()
    step(page, "bye").click(modifiers=["Control"])
    page.keyboard.press("Control+c")
    expect(page.get_by_role("status").get_by_text("2 steps copied")).to_be_visible()
    opened(page, other)
    page.keyboard.press("Control+v")
    graph = stored(other, lambda graph: len(graph["nodes"]) == 5)
    assert {"source": "say-1", "target": "end_call-1"}.items() <= graph["edges"][-1].items()


def test_publishing_says_what_forbids_it_and_then_what_is_new(page, drawn):
    publish(flow=drawn, by="bob")
    step(page, "hello").click()
    page.get_by_label("Words", exact=True).fill("")
    dialog = page.get_by_role("dialog", name="Publish Clinic")
    page.get_by_role("button", name="Publish").click()  # with what was not stored yet
    dialog.get_by_role("button", name="has to be filled in").click()
    page.get_by_label("Words", exact=True).fill("Welcome.")
    page.get_by_role("button", name="Publish").click()
    expect(dialog).to_contain_text("Changed: the step “Greeting” (Words: “")
    expect(dialog).to_contain_text("” → “Welcome.”)")
    dialog.get_by_label("Note").fill("Friendlier")
    dialog.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 2 is live: new calls follow it")).to_be_visible()
    drawn.refresh_from_db()
    assert (drawn.live.note, data_of(drawn.live.graph, "hello")["text"]) == ("Friendlier", "Welcome.")


@pytest.mark.parametrize("choice", ["Take theirs", "Keep mine"])
def test_two_people_who_draw_at_once_are_asked_whose_flow_stays(page, drawn, guard, choice):
    guard.expect("409")
    theirs = {**SHORT, "description": "Theirs"}
    save_draft(flow=drawn, graph=theirs, by="bob", expected=1)
    step(page, "hello").click()
    page.get_by_label("Words", exact=True).fill("Mine.")
    question = page.get_by_role("alertdialog", name="Changed elsewhere by bob")
    question.get_by_role("button", name=choice).click()
    if choice == "Take theirs":
        expect(page.get_by_text("Saved", exact=True)).to_be_visible()
        drawn.refresh_from_db()
        assert drawn.draft == theirs
        page.get_by_role("button", name="Undo").click()
    graph = stored(drawn, lambda graph: data_of(graph, "hello")["text"] == "Mine.")
    assert "description" not in graph


def test_nothing_is_lost_while_the_server_does_not_answer(page, drawn, guard):
    guard.expect("ERR_")
    page.route("**/draft/", lambda route: route.abort())
    step(page, "hello").click()
    page.get_by_label("Words", exact=True).fill("Kept.")
    expect(page.get_by_text("Not saved: no connection")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.locator("#flow[data-ready]").wait_for()
    expect(step(page, "hello")).to_contain_text("Kept.")
    assert data_of(drawn.draft, "hello")["text"] == "Hello."
    page.unroute("**/draft/")
    stored(drawn, lambda graph: data_of(graph, "hello")["text"] == "Kept.")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()


def test_what_was_exported_is_imported_as_another_flow(page, drawn, tmp_path: Path):
    page.locator("[data-flow-menu] summary").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    file = tmp_path / "clinic.json"
    download.value.save_as(file)
    page.goto("/flows/")
    page.get_by_label("Import").set_input_files(file)
    expect(page.get_by_text("Clinic is imported as a draft")).to_be_visible()
    expect(step(page, "desk")).to_be_visible()
    assert Flow.objects.get(slug="clinic-2").draft == drawn.draft


def test_who_may_not_change_it_can_look_at_all_of_it(drawn, guard, chromium, bob):
    guard.user = bob
    page = opened(guard.page(chromium), drawn)
    expect(page.get_by_role("button", name="Publish")).to_have_count(0)
    expect(page.locator("[data-add]")).to_have_count(0)
    x, y = middle(step(page, "desk"))
    drag(page, (x, y), (x, y + 120))
    step(page, "hello").click()
    expect(page.get_by_label("Words", exact=True)).to_be_disabled()
    panel(page).get_by_role("button", name="Always").click()  # what leads on can be followed
    expect(panel(page).get_by_label("Keys of the telephone")).to_be_disabled()
    panel(page).get_by_role("button", name="Close").click()
    page.keyboard.press("Delete")
    expect(step(page, "hello")).to_be_visible()
    drawn.refresh_from_db()
    assert (drawn.draft, drawn.revision) == (SHORT, 1)


def test_on_a_phone_a_step_is_opened_as_a_sheet_that_leaves_it_in_sight(drawn, guard, chromium):
    page = opened(guard.page(chromium, viewport=PHONE, has_touch=True), drawn)
    expect(panel(page)).to_be_hidden()
    step(page, "hello").tap()
    page.get_by_label("Words", exact=True).fill("By thumb.")
    stored(drawn, lambda graph: data_of(graph, "hello")["text"] == "By thumb.")
    sheet, card = panel(page).bounding_box(), step(page, "hello").bounding_box()
    assert card["y"] + card["height"] <= sheet["y"]
    panel(page).get_by_role("button", name="Close").click()
    expect(panel(page)).to_be_hidden()
