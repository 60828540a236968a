"""Refusals say what is wrong and what to do, in our words and not in those of what they are made with."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest

from agents.flows.actions import create_flow
from telephony.models import Credential, SipLine
from tests.agents.flow.samples import MENU
from tests.factories import make_agent, make_number, make_past_call
from tests.rest.test_parameters import address_of
from voiceforge_site.hooks.models import Webhook
from voiceforge_site.models import ApiKey, User
from voiceforge_site.rest.document import document
from voiceforge_site.rest.examples import given_in, made, whole

BORROWED = re.compile(
    "this field|ensure |not a valid|valid choice|object with|invalid |expected a|does not exist|may not be"
    "|should (be|have)|field required|dictionary|makes no sense|must be a valid|is not one of",
    re.IGNORECASE,
)


def sent_wrongly():
    told = document()
    schemas = told["components"]["schemas"]
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body and body.get("schema"):
                schema = whole(body["schema"], schemas)
                right = given_in(body) or made(schema, schemas, only_needed=True)
                names = schema.get("properties", {})
                wrong = [[], {}, *({**right, name: "nobody\n" * 800} for name in names)]
                wrong += [{**right, name: value} for name in names for value in ("", None, "nobody", -1, [5])]
                yield pytest.param(method.upper(), path, wrong, id=f"{method} {path}")


@pytest.fixture
def there(db):
    """What the site has, by its address."""
    agent, number = make_agent("Desk", slug="desk"), make_number("+14155550109")
    return {
        "/api/agents/{id}": agent.slug,
        "/api/agent-flows/{id}": create_flow(graph=MENU, name="Shop", by="alice").slug,
        "/api/telephony/numbers/{id}": number.number,
        "/api/telephony/credentials/{id}": number.credential_id,
        "/api/telephony/calls/{id}": make_past_call(agent).pk,
        "/api/telephony/lines/{id}": SipLine.objects.create(label="Desk", host="sip.example.com").pk,
        "/api/users/{id}": User.objects.get(username="alice").pk,
        "/api/keys/{id}": ApiKey.objects.get().prefix,
        "/api/webhooks/{id}": Webhook.objects.create(
            description="CRM", url="https://crm.example.com", kinds=["call.ended"]
        ).pk,
    }


@pytest.mark.parametrize(("method", "path", "bodies"), list(sent_wrongly()))
def test_what_is_wrong_with_a_body_is_told_in_our_words(alices, there, method, path, bodies):
    for start, id in there.items():
        path = path.replace(start, start.replace("{id}", str(id)))
    for body in bodies:
        answer = alices.send(method, address_of(path), body)
        if answer.status_code == HTTPStatus.BAD_REQUEST:
            told = answer.json()
            for words in (told["detail"], *told.get("fields", {}).values()):
                assert not BORROWED.search(words), (words, body)
                assert words[0] == words[0].upper() and words[-1] in ".!?", words


def test_what_is_wrong_after_the_question_mark_is_told_in_our_words(alices):
    refused = 0
    for path, methods in document()["paths"].items():
        for each in methods.get("get", {}).get("parameters", []):
            if each["in"] == "query":
                answer = alices.get(f"{address_of(path)}?{each['name']}=x+y")
                if answer.status_code == HTTPStatus.BAD_REQUEST:
                    refused += 1
                    for words in answer.json()["fields"].values():
                        assert not BORROWED.search(words), (path, words)
    assert refused > 20


@pytest.mark.parametrize(
    ("method", "address", "body", "field", "words"),
    [
        (
            "PATCH",
            "/api/agents/desk",
            {"voice": "nobody"},
            "voice",
            "“nobody” cannot be chosen here. Use one of default, piper-joe.",
        ),
        (
            "POST",
            "/api/telephony/outbound-calls",
            {"to": "+14155550123", "agent": "nobody"},
            "agent",
            "There is no agent “nobody”.",
        ),
        (
            "POST",
            "/api/users/invite",
            {"role": "king"},
            "role",
            "Use one of administrator, designer, operator, viewer.",
        ),
        ("POST", "/api/telephony/lines", {"nat": "x"}, "nat", 'Use one of "", stun, ice.'),
        ("POST", "/api/telephony/blocked", {"pattern": ""}, "pattern", "It is empty: write something."),
        (
            "POST",
            "/api/tts",
            {"text": "a" * 5001, "model": "x"},
            "text",
            "It takes 5000 characters at most: shorten it.",
        ),
    ],
    ids=["a voice", "an agent", "a role", "what may be empty", "a pattern", "a text"],
)
def test_what_to_do_is_told_at_its_field(alices, method, address, body, field, words):
    make_agent("Desk", slug="desk")
    answer = alices.send(method, address, body)
    assert (answer.status_code, answer.json()["fields"][field]) == (400, words)


def test_a_list_in_place_of_an_object_is_refused_in_words(alices):
    told = alices.send("POST", "/api/keys", []).json()
    assert told["detail"] == "Send an object: fields by their names."


def test_a_country_by_its_name_is_told_with_its_code(alices):
    account = make_number("+14155550109").credential_id
    answer = alices.send("PATCH", f"/api/telephony/credentials/{account}", {"countries": ["Germany"]})
    assert answer.json()["fields"] == {"countries": "For “Germany” write DE."}


def test_what_an_address_does_not_do_is_told_with_what_it_does(alices):
    answer = alices.send("DELETE", "/api/keys")
    assert (answer.status_code, "use GET, POST" in answer.json()["detail"]) == (405, True)
    answer = alices.generic("POST", "/api/keys", "name=x", content_type="text/plain")
    assert (answer.status_code, "Content-Type" in answer.json()["detail"]) == (415, True)


def test_each_of_many_is_told_at_its_place(alices):
    make_number("+14155550109")
    sent = {"numbers": ["+14155550123", "x", "+14155550124", "y"]}
    told = alices.send("POST", "/api/telephony/do-not-call", sent).json()["fields"]
    assert set(told) == {"numbers.1", "numbers.3"} and "country code" in told["numbers.3"]
    hours = {"week": {"monday": [["25:00", "26:00"]]}, "timezone": "Europe/London"}
    told = alices.send("PATCH", "/api/telephony/numbers/+14155550109", {"hours": hours}).json()["fields"]
    assert told == {"hours.week.monday.0.0": "Use a time of day like 08:30."}
    make_agent("Desk", slug="desk")
    fact = {"topic": "", "answer": "Yes.", "questions": ["is it"]}
    answer = alices.send("PATCH", "/api/agents/desk", {"facts": [fact]})
    assert answer.status_code == 400, answer.text
    told = answer.json()["fields"]
    assert told == {"facts.0.topic": "Name it in one to three words."}


def test_an_account_that_is_there_is_told_at_its_field(alices):
    make_number("+14155550109")
    sent = {"provider": "twilio", "label": "Second", "account": "AC1", "secret": "b" * 32}
    Credential.objects.update(account=f"AC{'0' * 32}")
    answer = alices.send("POST", "/api/telephony/credentials", {**sent, "account": f"AC{'0' * 32}"})
    assert (answer.status_code, set(answer.json()["fields"])) == (409, {"account"})


def test_an_address_of_ipv6_is_named_as_it_is_to_be_written(alices, settings):
    sent = {"description": "CRM", "url": "https://[::1]/x", "kinds": ["call.ended"]}
    told = alices.send("POST", "/api/webhooks", sent).json()["fields"]["url"]
    assert "add [::1]:443 to TOOL_PRIVATE_HOSTS" in told
    settings.TOOL_PRIVATE_HOSTS = ["[::1]:443"]
    assert alices.send("POST", "/api/webhooks", sent).status_code == 201
