"""Twilio's webhooks: who is believed, and what changes when."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory

from agents.models import Agent
from telephony import actions, metrics
from telephony.capacity import capacity
from telephony.credentials import save_credential
from telephony.models import Call, Credential, MediaToken, PhoneNumber
from telephony.providers.twilio.signature import handshake_is_signed, request_is_signed
from telephony.rest.call_fields import transcript_of
from telephony.wording import NOTES
from tests.telephony.conftest import ACCOUNT_SID, AUTH_TOKEN, NUMBER, PUBLIC_URL, kinds_of
from voiceforge_site.templatetags.vf import filled, named

VOICE, STATUS = "/telephony/twilio/voice/", "/telephony/twilio/status/"
CALL_SID = "CA" + "7" * 32

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PUBLIC_URL", PUBLIC_URL)


def sign(url: str, fields: dict[str, str], token: str = AUTH_TOKEN) -> str:
    """As Twilio documents it, without Twilio's own library."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def post(path: str, *, signature: str | None = None, url: str = "", **fields: str) -> HttpResponse:
    form = {"AccountSid": ACCOUNT_SID, "CallSid": CALL_SID, "From": "+14155550199", "To": NUMBER} | fields
    signature = sign(url or PUBLIC_URL + path, form) if signature is None else signature
    headers = {"X-Twilio-Signature": signature} if signature else {}
    return Client(enforce_csrf_checks=True).post(path, form, headers=headers)


def verbs(response: HttpResponse) -> list[str]:
    assert response.status_code == 200, response.content
    return [verb.tag for verb in ElementTree.fromstring(response.content)]


def said(response: HttpResponse) -> str:
    return ElementTree.fromstring(response.content).findtext("Say") or ""


# ---- a call comes in ------------------------------------------------------------------------


def test_a_call_is_connected_to_our_socket_with_a_token(number: PhoneNumber) -> None:
    response = post(VOICE, CallStatus="ringing")

    assert verbs(response) == ["Connect", "Redirect"]
    root = ElementTree.fromstring(response.content)
    stream = root.find("Connect/Stream")
    call = Call.objects.get()
    assert stream is not None
    assert stream.get("url") == "wss://voice.example.org/ws/media/twilio/"
    assert [parameter.get("name") for parameter in stream] == ["token"]
    assert root.findtext("Redirect") == f"{PUBLIC_URL}/telephony/twilio/after/{call.pk}/"
    assert (call.agent, call.phone_number, call.caller) == (number.agent, number, "+14155550199")
    assert kinds_of(call) == ["call_ringing"]


def test_the_token_is_not_kept_in_the_clear(number: PhoneNumber) -> None:
    response = post(VOICE)
    token = ElementTree.fromstring(response.content).find(".//Parameter")
    assert token is not None
    stored = MediaToken.objects.get()
    assert stored.digest == hashlib.sha256((token.get("value") or "").encode()).hexdigest()


def test_a_webhook_that_comes_twice_is_one_call(number: PhoneNumber) -> None:
    post(VOICE)
    post(VOICE)
    assert Call.objects.count() == 1
    assert MediaToken.objects.count() == 2


@pytest.mark.parametrize(
    ("signature", "url"),
    [
        ("", ""),
        ("forged", ""),
        (None, "https://elsewhere.example.org" + VOICE),
        (None, PUBLIC_URL.replace("https", "http") + VOICE),
        (None, PUBLIC_URL + VOICE.rstrip("/")),
    ],
)
def test_what_twilio_did_not_sign_is_refused_and_changes_nothing(
    number: PhoneNumber, signature: str | None, url: str
) -> None:
    for path in (VOICE, STATUS):
        assert post(path, signature=signature, url=url and url.replace(VOICE, path)).status_code == 403
    assert not Call.objects.exists()


def test_only_who_has_the_secret_changes_what_is_told_of_the_account(number: PhoneNumber) -> None:
    def signed_at() -> datetime | None:
        return Credential.objects.get().signed_at

    stored = Credential.objects.values().get()
    refused = metrics.webhooks_refused.labels("twilio")
    before = refused._value.get()
    for signature in ("", "another token's"):
        assert post(VOICE, signature=signature).status_code == 403
    assert Credential.objects.values().get() == stored
    assert refused._value.get() == before + 2
    post(VOICE)
    first = signed_at()
    assert first
    post(VOICE)
    post(VOICE, signature="another token's")
    assert signed_at() == first, "told once a minute"
    Credential.objects.update(signed_at=first - timedelta(hours=1))
    post(VOICE)
    assert (signed_at() or first) >= first
    save_credential(provider="twilio", account=ACCOUNT_SID, secret="a new one")
    assert signed_at() is None, "nobody has tried it yet"


def test_a_field_changed_on_the_way_is_refused(number: PhoneNumber) -> None:
    form = {"AccountSid": ACCOUNT_SID, "CallSid": CALL_SID, "From": "+14155550199", "To": NUMBER}
    signature = sign(PUBLIC_URL + VOICE, form)
    assert post(VOICE, signature=signature, From="+1900").status_code == 403


def test_an_account_that_is_not_ours_is_refused(number: PhoneNumber) -> None:
    assert post(VOICE, AccountSid="AC" + "9" * 32).status_code == 403


def test_a_json_body_is_refused_whatever_its_signature(number: PhoneNumber) -> None:
    """Its account cannot be read here; Twilio's voice webhooks are forms."""
    body = json.dumps({"AccountSid": ACCOUNT_SID})
    for path in (VOICE, VOICE + "?bodySHA256=" + hashlib.sha256(body.encode()).hexdigest()):
        headers = {"X-Twilio-Signature": sign(PUBLIC_URL + path, {})}
        response = Client().post(path, body, content_type="application/json", headers=headers)
        assert response.status_code == 403


def test_a_signature_by_another_kind_of_key_is_refused(number: PhoneNumber) -> None:
    form = {"AccountSid": ACCOUNT_SID, "To": NUMBER}
    headers = {
        "X-Twilio-Signature": sign(PUBLIC_URL + VOICE, form),
        "X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256",
    }
    assert Client().post(VOICE, form, headers=headers).status_code == 403


def test_the_server_may_stand_behind_a_proxy_that_ends_tls(number: PhoneNumber) -> None:
    """It sees http, another host and another port; the signature is of the public address."""
    form = {"AccountSid": ACCOUNT_SID, "CallSid": CALL_SID, "To": NUMBER}
    response = Client().post(
        VOICE,
        form,
        headers={"X-Twilio-Signature": sign(PUBLIC_URL + VOICE, form), "Host": "127.0.0.1:8000"},
    )
    assert verbs(response) == ["Connect", "Redirect"]


def test_the_documented_vector_holds(monkeypatch: pytest.MonkeyPatch, rf: RequestFactory) -> None:
    monkeypatch.setattr(settings, "PUBLIC_URL", "https://example.com")
    fields = {"CallSid": "CA1", "CallStatus": "ringing", "From": "+1555", "To": "+1556"}
    headers = {"X-Twilio-Signature": "GNPl0NJMM2Hl01jH4kNBhrZqVLA="}
    path = "/api/telephony/twiml/s"
    assert request_is_signed(rf.post(path, fields, headers=headers), "t")
    assert not request_is_signed(rf.post(path, fields, headers=headers), "another token")
    assert not request_is_signed(rf.post(path, fields | {"To": "+1900"}, headers=headers), "t")
    assert not request_is_signed(rf.post(path + "/", fields, headers=headers), "t")


def test_a_handshake_is_signed_over_wss_with_or_without_its_last_slash() -> None:
    path = "/ws/media/twilio/"
    for signed in ("wss://voice.example.org/ws/media/twilio/", "wss://voice.example.org/ws/media/twilio"):
        assert handshake_is_signed(path, sign(signed, {}), AUTH_TOKEN)
    https = sign("https://voice.example.org/ws/media/twilio/", {})
    assert not handshake_is_signed(path, https, AUTH_TOKEN)
    assert not handshake_is_signed(path, "", AUTH_TOKEN)


def test_an_unknown_number_is_told_politely(number: PhoneNumber) -> None:
    response = post(VOICE, To="+14155559999")
    assert verbs(response) == ["Say", "Hangup"]
    assert "not in service" in said(response)
    assert not Call.objects.exists()


def test_a_paused_agent_takes_no_calls(number: PhoneNumber, agent: Agent) -> None:
    Agent.objects.update(status=Agent.Status.PAUSED)
    assert verbs(post(VOICE)) == ["Say", "Hangup"]
    assert not Call.objects.exists()


def test_a_full_server_says_that_all_lines_are_busy(
    number: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "lag_seconds", 0.2)
    response = post(VOICE)
    assert "busy" in said(response)
    assert not Call.objects.exists()


# ---- how it goes ----------------------------------------------------------------------------


@pytest.fixture
def call(number: PhoneNumber) -> Call:
    post(VOICE, CallStatus="ringing")
    return Call.objects.get()


def test_states_that_come_late_and_twice_change_nothing(call: Call) -> None:
    actions.connect_call(call.pk, line="twilio")
    for status, sequence in (("in-progress", 2), ("completed", 3), ("ringing", 1), ("completed", 3)):
        assert post(STATUS, CallStatus=status, SequenceNumber=str(sequence)).status_code == 204
    call.refresh_from_db()
    assert (call.status, call.end_reason) == ("completed", "caller_hung_up")
    told = call.events.filter(kind="provider_status_received").values_list("payload__applied", flat=True)
    assert list(told) == [False, True, False, False]
    assert kinds_of(call).count("call_ended") == 1


@pytest.mark.parametrize("status", ["failed", "busy", "no-answer", "canceled"])
def test_the_ways_in_which_a_call_does_not_come_about_are_kept_apart(call: Call, status: str) -> None:
    post(STATUS, CallStatus=status, SequenceNumber="1")
    call.refresh_from_db()
    assert (call.status, call.end_reason) == (status, "never_connected")
    assert call.card["status"] == status


def test_our_own_end_and_the_providers_are_one_end(call: Call) -> None:
    actions.connect_call(call.pk, line="twilio")
    assert actions.end_call(call.pk, reason="agent_hung_up")
    post(STATUS, CallStatus="completed", SequenceNumber="3")
    assert not actions.end_call(call.pk, reason="line_lost")
    call.refresh_from_db()
    assert call.end_reason == "agent_hung_up"
    assert kinds_of(call).count("call_ended") == 1


def test_a_status_of_a_call_that_is_not_ours_is_taken_and_forgotten(number: PhoneNumber) -> None:
    assert post(STATUS, CallStatus="completed", SequenceNumber="1").status_code == 204


def test_another_account_cannot_speak_of_a_call_nor_announce_it_again(call: Call) -> None:
    other = save_credential(provider="twilio", account="AC" + "2" * 32, secret="another token", label="Other")
    PhoneNumber.objects.create(number="+14155550124", credential=other, agent=call.agent)
    form = {"AccountSid": other.account, "CallSid": CALL_SID, "CallStatus": "completed"}
    for path, to in ((STATUS, NUMBER), (VOICE, "+14155550124")):
        fields = form | {"From": "+14155550199", "To": to}
        signature = sign(PUBLIC_URL + path, fields, token="another token")
        answer = post(path, signature=signature, **fields)
        assert answer.status_code == (204 if path == STATUS else 403)
    call.refresh_from_db()
    assert (call.status, call.ended_at) == ("ringing", None)
    assert MediaToken.objects.count() == 1


def test_a_status_that_twilio_does_not_have_is_refused(call: Call) -> None:
    assert post(STATUS, CallStatus="enthusiastic").status_code == 400
    assert post(STATUS, CallStatus="completed", SequenceNumber="last").status_code == 400


# ---- after the stream -----------------------------------------------------------------------


def after(call: Call, **fields: str) -> HttpResponse:
    return post(f"/telephony/twilio/after/{call.pk}/", **fields)


def test_after_a_transfer_the_caller_is_put_through(call: Call) -> None:
    actions.connect_call(call.pk, line="twilio")
    actions.end_call(call.pk, reason="transferred", transfer_to="+14155550100")
    response = after(call)
    assert verbs(response) == ["Dial"]
    assert ElementTree.fromstring(response.content).findtext("Dial") == "+14155550100"


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("completed", ["Hangup"]),
        ("no-answer", ["Say", "Hangup"]),
        ("busy", ["Say", "Hangup"]),
        ("failed", ["Say", "Hangup"]),
        ("canceled", ["Say", "Hangup"]),
    ],
)
def test_a_caller_who_could_not_be_put_through_is_told(call: Call, status: str, answer: list[str]) -> None:
    actions.connect_call(call.pk, line="twilio")
    actions.end_call(call.pk, reason="transferred", transfer_to="+14155550100")
    dial = ElementTree.fromstring(after(call).content).find("Dial")
    assert dial is not None
    address = dial.get("action", "")
    assert address == f"{PUBLIC_URL}/telephony/twilio/dialled/"
    for _told_twice in range(2):
        told = {"DialCallStatus": status, "DialCallDuration": "61" if status == "completed" else "0"}
        assert verbs(post(address.removeprefix(PUBLIC_URL), **told)) == answer
    ended = call.events.get(kind="transfer_ended").payload
    assert ended == {"status": status, "seconds": 61 if status == "completed" else 0}
    (note,) = [line for line in transcript_of(call).lines if line.who == "note"]
    words = filled(NOTES[note.kind][2], named(note.values))
    assert (
        words
        == {
            "completed": "Put through: they spoke for 61 s",
            "no-answer": "Not put through: nobody answered",
            "busy": "Not put through: it was busy",
            "failed": "Not put through: it could not be reached",
            "canceled": "Not put through: the caller hung up before",
        }[status]
    )


def test_after_the_agents_goodbye_the_call_is_hung_up(call: Call) -> None:
    actions.connect_call(call.pk, line="twilio")
    actions.end_call(call.pk, reason="agent_hung_up")
    assert verbs(after(call)) == ["Hangup"]


def test_a_call_outlives_a_server_that_died(call: Call, agent: Agent) -> None:
    """The stream ended and nobody had ended the call."""
    Agent.objects.update(on_failure="transfer", fallback_number="+14155550177")
    actions.connect_call(call.pk, line="twilio")
    response = after(call)
    assert verbs(response) == ["Dial"]
    call.refresh_from_db()
    assert call.end_reason == "line_lost"


def test_without_a_fallback_the_caller_hears_an_apology(call: Call) -> None:
    actions.connect_call(call.pk, line="twilio")
    assert verbs(after(call)) == ["Say", "Hangup"]


def test_another_call_cannot_ask_what_comes_after_this_one(call: Call) -> None:
    assert after(call, CallSid="CA" + "8" * 32).status_code == 404
