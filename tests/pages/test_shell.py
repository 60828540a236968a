"""Who may see what, and what every page carries."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.factories import ended, make_agent, make_call, make_recording, spoken
from voiceforge_site.csp import POLICY, THEME_SCRIPT
from voiceforge_site.navigation import MENU

TURNS = [("When are you open?", "From eight to six."), ("Thank you.", "You're welcome.")]


@pytest.fixture
def addresses(db):
    agent = make_agent("Front desk")
    over, going = make_call(agent, ended(spoken(TURNS))), make_call(agent, spoken(TURNS))
    return [
        reverse("home"),
        reverse("services"),
        reverse("palette"),
        reverse("session"),
        reverse("agents:list"),
        reverse("agents:new"),
        reverse("agents:edit", args=[agent.slug]),
        reverse("telephony:talk", args=[agent.slug]),
        reverse("telephony:live"),
        reverse("telephony:history"),
        reverse("telephony:live_count"),
        reverse("telephony:usage"),
        reverse("agents:try", args=[agent.slug]),
        over.get_absolute_url(),
        going.get_absolute_url(),
    ]


def test_a_stranger_is_led_to_sign_in_from_every_page(addresses):
    for address in addresses:
        answer = Client().get(address)
        assert answer.status_code == 302, address
        assert answer["Location"] == f"/login/?next={address}"


@pytest.mark.parametrize("asked_by", [{"HX-Request": "true"}, {"X-Requested-With": "fetch"}])
def test_a_script_whose_user_is_signed_out_is_told_so_and_gets_no_page(addresses, asked_by):
    for address in addresses:
        answer = Client().get(address, headers=asked_by)
        assert (answer.status_code, answer.json()) == (401, {"why": ""}), address


def test_an_administrator_sees_every_page(addresses, alices_browser):
    for address in addresses:
        assert alices_browser.get(address).status_code == 200, address


def test_a_stranger_gets_no_recording(db):
    recording = make_recording(make_call(make_agent(), ended(spoken(TURNS))), seconds=1)
    assert Client().get(reverse("telephony:recording", args=[recording.call_id])).status_code == 302


def test_signing_in_leads_to_where_one_wanted_to_go(alice):
    browser = Client()
    answer = browser.post(
        "/login/?next=/agents/", {"username": "alice", "password": "password", "next": "/agents/"}
    )
    assert answer["Location"] == "/agents/"


def test_a_wrong_password_keeps_the_name_and_says_so(alice):
    answer = Client().post("/login/", {"username": "alice", "password": "wrong"})
    assert 'value="alice"' in answer.text
    assert 'role="alert"' in answer.text


def test_signing_out_needs_a_form_of_our_own(alices_browser):
    assert alices_browser.get("/logout/").status_code == 405
    assert alices_browser.post("/logout/")["Location"] == "/login/"


def test_the_policy_admits_the_theme_script_and_no_other(alices_browser, addresses):
    for address in addresses:
        answer = alices_browser.get(address)
        nonce = re.search(r" 'nonce-([\w-]{22})'", policy := answer["Content-Security-Policy"])
        assert policy.replace(nonce[0] if nonce else "", "") == POLICY
        assert not nonce or f'data-nonce="{nonce[1]}"' in answer.text, address
        inline = re.findall(r"<script>(.*?)</script>", answer.text)
        assert inline in ([], [THEME_SCRIPT]), address
        assert not re.search(r"\son\w+=\"", answer.text), f"{address} has an inline handler"


def test_the_menu_leads_only_to_pages_that_exist(alices_browser):
    page = alices_browser.get("/agents/").text
    menu = page[page.index('<nav class="vf-side"') : page.index("</nav>")]
    links = re.findall(r'<a class="vf-nav-link" href="([^"]+)"', menu)
    assert len(links) == len(MENU)
    for link in links:
        assert alices_browser.get(link).status_code == 200
    assert 'href="/agents/" data-key="a" aria-current="page"' in menu
    assert menu.count("aria-current") == 1


def test_the_menu_offers_only_what_the_person_may_open(charlies_browser):
    page = charlies_browser.get("/nothing/").text
    assert 'class="vf-side"' in page and 'class="vf-nav-link"' not in page


def test_a_call_stands_under_live_calls_while_it_goes_on_and_then_in_the_history(alices_browser, db):
    agent = make_agent()
    for events, address in ((spoken(TURNS), "/calls/live/"), (ended(spoken(TURNS)), "/calls/")):
        page = alices_browser.get(make_call(agent, events).get_absolute_url()).text
        [current] = re.findall(r'href="([^"]+)" data-key="\w" aria-current="page"', page)
        [crumb] = re.findall(r'<a class="vf-desk" href="([^"]+)" data-part="\w+">', page)
        assert current == crumb == address


def test_a_page_that_is_not_there_says_what_to_do(alices_browser):
    answer = alices_browser.get("/calls/nothing/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_an_expired_form_says_that_nothing_was_changed(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    answer = browser.post("/agents/new/", {"name": "X"})
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.text


def test_a_fault_of_ours_is_said_without_the_parts_that_may_be_broken(alice, monkeypatch):
    browser = Client(raise_request_exception=False)
    browser.force_login(alice)
    monkeypatch.setattr("voiceforge_site.home.response_time", lambda period: 1 / 0)
    make_call(make_agent(), ended(spoken(TURNS)))
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text


def test_colours_have_names_and_nothing_but_place_and_opacity_moves() -> None:
    for path in (settings.BASE_DIR / "static" / "css").rglob("*.css"):
        rules = path.read_text()
        if path.name != "tokens.css":
            assert not re.search(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(", rules), path.name
        moved = re.findall(r"transition:([^;]+);", rules)
        assert not [each for each in moved if re.search(r"background|color|width|height", each)], path.name
