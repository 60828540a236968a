"""Every address of the site, with every role and with nobody, against the table in access/rules.py.

Addresses are found in the resolver, so one that is added later is walked too, and fails without a rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter, SlugConverter, UUIDConverter

from mlservices import registry
from tests.agents.fakes import WordEmbedder
from tests.factories import ended, make_agent, make_call, make_recording, spoken
from voiceforge_site import errors
from voiceforge_site.access import key_actions
from voiceforge_site.access.roles import ABILITIES, Role
from voiceforge_site.access.rules import ANYBODY, PAGES, SIGNED_IN, Rule
from voiceforge_site.models import User
from voiceforge_site.people import actions

NO_ROLE, NOBODY = "no role", "nobody"
WHO = [*Role.values, NO_ROLE, NOBODY]


@dataclass(frozen=True, slots=True)
class Address:
    route: str
    converters: dict[str, Any]  # of its parts
    methods: tuple[str, ...]  # that it takes; those that read or change a page

    @property
    def is_api(self) -> bool:
        return self.route.startswith("api/")


def addresses(resolver: URLResolver, space: str = "", route: str = "") -> Iterator[tuple[str, Address]]:
    """Each by its full name."""
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            inner = space + (f"{each.namespace}:" if each.namespace else "")
            yield from addresses(each, inner, route + str(each.pattern))
        else:
            assert isinstance(each, URLPattern)
            taken = getattr(each.callback, "actions", None) or ("get", "post")
            methods = tuple(method.upper() for method in taken if method != "head")
            yield f"{space}{each.name}", Address(route + str(each.pattern), each.pattern.converters, methods)


ADDRESSES = dict(addresses(get_resolver()))


def asked_by_rule(rule: Rule) -> set[str]:
    return {ability for ability in (rule.read, rule.change, rule.delete) if ability}


def test_every_address_has_a_rule_and_every_rule_an_address() -> None:
    tests_own = {name for name in PAGES if name.startswith("workbench:")}  # tests/fakes/workbench.py
    assert set(ADDRESSES) == set(PAGES) - tests_own


def test_rules_name_only_abilities_that_somebody_has() -> None:
    asked = {ability for rule in PAGES.values() for ability in asked_by_rule(rule)}
    assert asked <= set(ABILITIES) | {ANYBODY, SIGNED_IN}


def test_a_viewer_changes_nothing_but_their_own_account() -> None:
    changing = {rule.change for rule in PAGES.values() if rule.change in ABILITIES}
    assert changing
    own = {"voiceforge_site.have_keys"}
    assert not [ability for ability in changing - own if Role.VIEWER in ABILITIES[ability][1]]


def test_only_administrators_come_near_the_accounts_of_others() -> None:
    asked = {
        ability
        for name, rule in PAGES.items()
        if name.startswith("people:")
        for ability in asked_by_rule(rule)
    }
    assert {role for ability in asked for role in ABILITIES[ability][1]} == {Role.ADMINISTRATOR}


@pytest.fixture
def plain_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of errors have tests of their own, and their shell is half of what this walk takes."""
    monkeypatch.setattr(errors, "render_to_string", lambda *_: "")


@pytest.fixture
def parts(alice: User, monkeypatch: pytest.MonkeyPatch) -> dict[type, Any]:
    """What stands in an address in place of its parts: things that exist, so that views do their work."""
    monkeypatch.setattr(registry, "embedder", WordEmbedder)
    agent = make_agent("Front desk")
    call = make_call(agent, ended(spoken([("Hello.", "Hello.")])))
    make_recording(call, seconds=1)
    actions.invite(role="viewer", meant_for="", by=alice)
    someone = User.objects.create_user("someone", role="viewer")
    return {SlugConverter: agent.slug, UUIDConverter: call.pk, IntConverter: someone.pk}


def address(name: str, parts: dict[type, Any]) -> str:
    kinds = ADDRESSES[name].converters
    return reverse(name, kwargs={part: parts.get(type(kind), "unknown") for part, kind in kinds.items()})


def browser_of(who: str) -> Client:
    client = Client(raise_request_exception=False)  # what a view then does is for other tests
    if who != NOBODY:
        role = "" if who == NO_ROLE else who
        client.force_login(User.objects.create_user("walker", role=role))
    return client


def expected(name: str, rule: Rule, method: str, who: str) -> str:
    needed = rule.needed(method)
    if needed == ANYBODY:
        return "let in"
    if who == NOBODY:
        return "asked for a key" if ADDRESSES[name].is_api else "sent to sign in"
    if needed is None:
        return "no such method"
    having = ABILITIES[needed][1] if needed in ABILITIES else set(WHO)
    return "let in" if who in having else "refused"


def outcome(answer: Any) -> str:
    if answer.status_code == 302 and answer["Location"].startswith("/login/?next="):
        return "sent to sign in"
    if answer.status_code == 401 and answer["WWW-Authenticate"] == "Bearer":
        return "asked for a key"
    if answer.status_code == 405:
        return "no such method"
    return "refused" if answer.status_code == 403 else "let in"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("who", WHO)
def test_each_address_opens_for_whom_the_table_says(
    parts: dict[type, Any], plain_errors: None, who: str, method: str
) -> None:
    wrong = []
    for name, rule in PAGES.items():
        if name not in ADDRESSES or method not in ADDRESSES[name].methods:
            continue
        User.objects.filter(username="walker").delete()  # a page may have signed the last one out
        client = browser_of(who)
        found = outcome(client.generic(method, address(name, parts)))
        wanted = expected(name, rule, method, who)
        if rule.needed(method) == ANYBODY:
            # It may refuse for reasons of its own, as a webhook without a signature.
            assert found != "sent to sign in", name
        elif found != wanted:
            wrong.append(f"{method} {name}: {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_key_opens_what_its_scope_names_and_nothing_else(
    parts: dict[type, Any], alice: User, settings: Any, method: str
) -> None:
    """An administrator's keys at each verb of the API: with its scope alone, with all others, whole."""
    settings.API_REQUESTS_A_MINUTE = 0
    wrong = []
    for name, rule in PAGES.items():
        needed = rule.needed(method)
        if name not in ADDRESSES or not ADDRESSES[name].is_api or needed not in ABILITIES:
            continue
        if method not in ADDRESSES[name].methods:
            continue
        others = [ability for ability in ABILITIES if ability != needed]
        for scopes, wanted in (([needed], "let in"), (others, "refused"), ([], "let in")):
            _, key = key_actions.create("walker", alice, scopes=scopes)
            program = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {key}"})
            found = outcome(program.generic(method, address(name, parts)))
            if found != wanted:
                wrong.append(f"{method} {name} with {scopes or 'all'}: {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("asked_by", [{"HX-Request": "true"}, {"X-Requested-With": "fetch"}])
def test_a_script_is_refused_in_a_sentence_and_not_with_a_page(charlies_browser, parts, asked_by) -> None:
    for name, rule in PAGES.items():
        if rule.read in ABILITIES and not ADDRESSES[name].is_api:
            answer = charlies_browser.get(address(name, parts), headers=asked_by)
            assert answer.status_code == 403, name
            assert answer.text.startswith("You may not do this. It takes the ability"), name


def test_a_refusal_is_one_line_in_the_log(charlies_browser, caplog) -> None:
    charlies_browser.get("/people/")
    [record] = [record for record in caplog.records if record.name == "django.request"]
    assert record.getMessage() == "Forbidden: /people/"
    assert record.exc_info is None


def test_an_address_without_a_rule_opens_for_nobody(alices_browser, bobs_browser, monkeypatch) -> None:
    monkeypatch.delitem(PAGES, "agents:list")
    assert Client().get("/agents/").status_code == 302
    for browser in (alices_browser, bobs_browser):
        assert browser.get("/agents/").status_code == 403


def test_a_refused_person_finds_the_way_to_their_profile_and_out(charlies_browser) -> None:
    page = charlies_browser.get("/").text
    assert 'href="/profile/"' in page
    assert 'action="/logout/"' in page


def test_a_form_sent_by_a_stranger_leads_to_no_address_that_only_takes_forms(db) -> None:
    answer = Client().post("/profile/password/", {})
    assert answer["Location"] == "/login/?next=/"
