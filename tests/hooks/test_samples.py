"""What pages show to check signatures with really checks them; tests/browser runs the JavaScript."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.hooks.conftest import happens, send
from voiceforge_site.hooks import actions
from voiceforge_site.hooks.models import Webhook
from voiceforge_site.hooks.samples.verify import verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(subscribe, receiver) -> Any:
    """A message as it came: secret, headers and body."""
    subscribe("call.ended")
    happens(words="Grüße")
    send()
    [received] = receiver.received
    return receiver.secrets[0], received.headers, received.body.encode()


def test_a_genuine_message_is_taken(sent) -> None:
    secret, headers, body = sent
    assert verified(secret, headers, body)["data"] == {"words": "Grüße"}


def test_one_that_was_changed_or_is_of_somebody_else_or_late_is_not(sent, monkeypatch) -> None:
    secret, headers, body = sent
    for others in (
        (secret, headers, body.replace(b"ended", b"begun")),
        (secret, {**headers, "webhook-id": "another"}, body),
        ("whsec_" + "A" * 43 + "=", headers, body),
        (secret, {**headers, "webhook-signature": "v2,abcd v1,abcd"}, body),
    ):
        with pytest.raises(ValueError, match="Not signed"):
            verified(*others)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 400)
    with pytest.raises(ValueError, match="too long ago"):
        verified(secret, headers, body)


def test_either_secret_does_while_one_takes_the_place_of_the_other(subscribe, receiver) -> None:
    subscribe("call.ended")
    new = actions.rotate_secret(webhook=Webhook.objects.get(), by="alice")
    happens()
    send()
    [received] = receiver.received
    for secret in (*receiver.secrets, new):
        assert verified(secret, received.headers, received.body.encode())["type"] == "call.ended"
