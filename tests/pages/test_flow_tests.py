"""The pages of a flow's tests: the list, running them, the form of one."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from agents.flows.actions import create_flow, save_draft
from agents.models import Flow, FlowTestResult
from tests.agents.flow.samples import MENU

SOLD = {
    "name": "Sold",
    "caller": "+14155550112",
    "variables": {"clinic": "the shop", "code": "12"},
    "tools": {
        "order": {"ok": False, "reason": "Sold out."},
        "track": [{"ok": False, "reason": "Busy."}, {"ok": True, "values": {"at": "Halifax"}}],
    },
    "turns": [
        {"expect": {"node": "hello", "said": "the shop"}},
        {"keys": "1", "expect": {"node": "age", "by": "keys"}},
        {"say": "twenty", "expect": {"variables": {"age": 20}, "ended": True}},
    ],
}
REFUSED = {"name": "Refused", "turns": [{"keys": "2", "expect": {"node": "age", "transferredTo": ""}}]}


@pytest.fixture
def shop(alice: Any) -> Flow:
    variables = [{"name": "clinic", "initial": "us"}]
    graph = {**MENU, "variables": variables, "tests": [SOLD, REFUSED]}
    return create_flow(graph=graph, name="Shop", by="alice")


def kept_in(flow: Flow) -> list[dict[str, Any]]:
    return Flow.objects.get(pk=flow.pk).draft.get("tests", [])


def run(browser: Client, place: int) -> Any:
    return browser.post(f"/flows/shop/tests/{place}/run/", headers={"HX-Request": "true"})


def posted(page: Any, **changes: Any) -> dict[str, Any]:
    """What a browser would send of the form, with changes by the names of the fields."""
    sheet = page.context["sheet"]
    sent: dict[str, Any] = {name: page.context[name] for name in ("revision", "original")}
    for part in (sheet.turns, sheet.tools):
        sent |= {field.html_name: field.value() for field in part.management_form}
    for form in (sheet.form, *sheet.turns, *sheet.tools):
        sent |= {field.html_name: field.value() for field in form if field.value() not in (None, False)}
    for place in range(len(sheet.turns.forms)):
        sent[f"turns-{place}-ORDER"] = place + 1
    return {**sent, **changes}


def test_each_test_tells_what_came_of_it_the_last_time(alices_browser, shop):
    page = alices_browser.get("/flows/shop/tests/")
    assert page.text.count("Not run yet") == 2 and "0 passed, 0 failed, 2 to be run" in page.text
    assert "Passed" in run(alices_browser, 0).text
    told = run(alices_browser, 1).text
    assert "Turn 1, “2”: expected the call to be at “age”; it was at “person”." in told
    assert "expected no transfer" in told
    assert "1 passed, 1 failed, 0 to be run" in alices_browser.get("/flows/shop/tests/").text
    save_draft(flow=shop, graph={**shop.draft, "description": "x"}, by="bob", expected=1)
    page = alices_browser.get("/flows/shop/tests/")
    assert "Passed before the draft was changed" in page.text


def test_a_flow_without_tests_says_what_to_do(alices_browser, bobs_browser, shop):
    create_flow(graph=MENU, name="Bar", by="alice")
    assert "/flows/bar/tests/new/" in alices_browser.get("/flows/bar/tests/").text
    assert "/flows/bar/tests/new/" not in bobs_browser.get("/flows/bar/tests/").text


def test_a_test_that_is_gone_cannot_be_run(alices_browser, shop):
    assert run(alices_browser, 7).status_code == 404
    assert not FlowTestResult.objects.exists()


def test_a_test_that_is_saved_as_it_was_stays_as_it_was(alices_browser, shop):
    for place in (0, 1):
        page = alices_browser.get(f"/flows/shop/tests/{place}/")
        answer = alices_browser.post(f"/flows/shop/tests/{place}/", posted(page))
        assert answer.status_code == 302
    assert kept_in(shop)[0] == SOLD
    goes_on = {"node": "age", "ended": False, "transferredTo": ""}  # "no transfer" is asked for as that
    assert kept_in(shop)[1] == {**REFUSED, "turns": [{"keys": "2", "expect": goes_on}]}


def test_a_new_test_is_added_in_the_order_that_one_sees(alices_browser, shop):
    page = alices_browser.get("/flows/shop/tests/new/")
    more = {
        "name": "Young",
        "turns-TOTAL_FORMS": 4,
        "turns-1-does": "say",
        "turns-1-words": "twelve",
        "turns-1-node": "young",
        "turns-1-ORDER": 3,
        "turns-2-does": "say",
        "turns-2-words": "sales please",
        "turns-2-ORDER": 2,
        "turns-3-does": "say",
        "turns-3-words": "",
        "turns-3-ORDER": 4,
        "turns-3-DELETE": "on",
    }
    assert alices_browser.post("/flows/shop/tests/new/", posted(page, **more)).status_code == 302
    assert kept_in(shop)[2] == {
        "name": "Young",
        "turns": [{}, {"say": "sales please"}, {"say": "twelve", "expect": {"node": "young"}}],
    }
    assert "Passed" in run(alices_browser, 2).text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Refused"}, "Another test of this flow has this name"),
        ({"turns-2-words": ""}, "Write what the caller says."),
        ({"turns-1-words": "1x"}, "Write the keys: 0-9, * and #."),
        ({"turns-2-does": "greeting"}, "The greeting is heard in the first turn alone."),
        ({"turns-2-variables": "age 20"}, "“age 20” cannot be read."),
        ({"turns-2-transferred_to": "12"}, "Write the number with its country code"),
        ({"tools-0-name": ""}, "Name the tool, or remove this row."),
        ({f"turns-{place}-DELETE": "on" for place in range(3)}, "A test needs a turn at least"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_saved(alices_browser, shop, changes, words):
    page = alices_browser.get("/flows/shop/tests/0/")
    answer = alices_browser.post("/flows/shop/tests/0/", posted(page, **changes))
    assert answer.status_code == 422 and words in answer.text
    assert kept_in(shop) == [SOLD, REFUSED]


def test_somebody_who_saved_meanwhile_is_named_and_saving_again_keeps_both(alices_browser, shop):
    page = alices_browser.get("/flows/shop/tests/0/")
    save_draft(flow=shop, graph={**shop.draft, "description": "theirs"}, by="bob", expected=1)
    answer = alices_browser.post("/flows/shop/tests/0/", posted(page, name="Sold twice"))
    assert answer.status_code == 409 and "bob saved this flow while you were typing" in answer.text
    again = alices_browser.post("/flows/shop/tests/0/", posted(answer))
    assert again.status_code == 302
    assert [each["name"] for each in kept_in(shop)] == ["Sold twice", "Refused"]
    assert Flow.objects.get().draft["description"] == "theirs"


def test_a_test_that_moved_meanwhile_is_not_written_over_another(alices_browser, shop):
    page = alices_browser.get("/flows/shop/tests/0/")
    later = save_draft(flow=shop, graph={**shop.draft, "tests": [REFUSED]}, by="bob", expected=1)
    sent = posted(page, revision=later.revision)
    assert alices_browser.post("/flows/shop/tests/0/", sent).status_code == 302
    assert [each["name"] for each in kept_in(shop)] == ["Refused", "Sold"]
    assert alices_browser.post("/flows/shop/tests/0/delete/", {"name": "Sold"}).status_code == 302
    assert len(kept_in(shop)) == 2, "the first is another by now"
    alices_browser.post("/flows/shop/tests/0/delete/", {"name": "Refused"})
    assert [each["name"] for each in kept_in(shop)] == ["Sold"]


def test_a_test_that_cannot_be_read_says_so_and_can_be_written_anew(alices_browser, shop):
    broken = {"name": "Broken", "turns": 7}
    save_draft(flow=shop, graph={**shop.draft, "tests": [broken]}, by="bob", expected=1)
    page = alices_browser.get("/flows/shop/tests/0/")
    assert "is of the wrong kind" in page.text
    assert "Failed" in run(alices_browser, 0).text
    alices_browser.post("/flows/shop/tests/0/", posted(page, name="Mended"))
    assert kept_in(shop) == [{"name": "Mended", "turns": [{}]}]


def test_a_viewer_looks_and_an_operator_runs_but_neither_changes(bobs_browser, charlies_browser, shop):
    assert bobs_browser.get("/flows/shop/tests/").status_code == 200
    assert run(bobs_browser, 0).status_code == 200
    assert bobs_browser.post("/flows/shop/tests/0/", {}).status_code == 403
    assert run(charlies_browser, 0).status_code == 403


def test_publishing_runs_the_tests_where_they_are_required_and_refuses_with_what_failed(alices_browser, shop):
    alices_browser.post("/flows/shop/tests/required/", {"required": "on"})
    review = alices_browser.get("/flows/shop/review/").text
    assert "data-run-now" in review and "data-needs-tests disabled" in review
    answer = alices_browser.post("/flows/shop/publish/", follow=True)
    assert "Not published: these tests fail: Refused" in answer.text
    assert "expected the call to be at “age”; it was at “person”." in answer.text
    assert Flow.objects.get().live is None
    save_draft(flow=shop, graph={**shop.draft, "tests": [SOLD]}, by="alice", expected=1)
    alices_browser.post("/flows/shop/publish/")
    assert Flow.objects.get().live.graph["tests"] == [SOLD]


def test_publishing_does_not_ask_for_tests_that_are_not_required(alices_browser, shop):
    review = alices_browser.get("/flows/shop/review/").text
    assert "Refused" in review and "data-run-now" not in review and "data-needs-tests" not in review
    alices_browser.post("/flows/shop/publish/")
    assert Flow.objects.get().live.number == 1
