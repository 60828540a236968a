"""No message goes to an address of this network, however it is written or looked up."""

from __future__ import annotations

import ipaddress

import httpx
import pytest

from agents import outside
from tests.fakes.webhook_receiver import Answer
from tests.hooks.conftest import happens, only, send
from voiceforge_site.hooks import actions
from voiceforge_site.hooks.models import Delivery, Webhook

pytestmark = pytest.mark.django_db


def add(url: str) -> Webhook:
    return actions.add_webhook(by="alice", description="CRM", url=url, kinds=["call.ended"])[0]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://127.0.0.1/hook", "127.0.0.1:443 to TOOL_PRIVATE_HOSTS"),
        ("https://localhost:8000/", "localhost:8000 to TOOL_PRIVATE_HOSTS"),
        ("https://app.localhost/", "TOOL_PRIVATE_HOSTS"),
        ("https://10.1.2.3/", "private network"),
        ("https://169.254.169.254/latest", "private network"),
        ("https://[::1]/", "private network"),
        ("https://[::ffff:127.0.0.1]/", "private network"),
        ("https://[64:ff9b::7f00:1]/", "private network"),
        ("http://example.com/hook", "https://"),
        ("ftp://example.com/hook", "https://"),
        ("example.com/hook", "https://"),
        ("https://", "https://"),
        ("https://user:password@example.com/", "name or password"),
        ("https://[::1", "no address"),
        ("https://example.com:99999/", "no address"),
        ("", "blank"),
    ],
)
def test_an_address_that_may_not_be_told_is_refused_when_it_is_entered(url, why) -> None:
    with pytest.raises(actions.ValidationError) as refused:
        add(url)
    assert why in str(refused.value.message_dict["url"])


def test_one_inside_the_network_is_allowed_by_name(settings) -> None:
    settings.TOOL_PRIVATE_HOSTS = ["crm.internal"]
    assert add("http://crm.internal/hook").pk


@pytest.mark.parametrize(
    "leads_to", ["127.0.0.1", "10.0.0.7", "::ffff:10.0.0.7", "fd00::7", "64:ff9b::7f00:1", "169.254.169.254"]
)
def test_a_name_that_leads_inside_is_not_asked(monkeypatch, leads_to) -> None:
    async def found(host, port):
        return [ipaddress.ip_address("93.184.216.34"), ipaddress.ip_address(leads_to)]

    monkeypatch.setattr(outside, "_addresses", found)
    add("https://crm.example.com/hook")
    happens()
    send()
    assert only().state == Delivery.State.WAITING and only().status is None
    assert "an address of a private network" in only().problem


def test_a_number_that_is_an_address_inside_is_not_asked() -> None:
    add("https://2130706433/hook")  # 127.0.0.1, as some resolvers read it
    happens()
    send()
    assert "private network" in only().problem or "no server by the name" in only().problem


def test_the_connection_goes_to_the_address_that_was_looked_at(receiver, settings, monkeypatch) -> None:
    """A name that leads elsewhere at a second look-up changes nothing; the next message is refused."""
    port = httpx.URL(receiver.url).port
    settings.TOOL_PRIVATE_HOSTS = [f"crm.example.com:{port}"]
    looked_up = []

    async def found(host, port):
        looked_up.append(host)
        if len(looked_up) > 1:
            settings.TOOL_PRIVATE_HOSTS = []
        return [ipaddress.ip_address("127.0.0.1")]

    monkeypatch.setattr(outside, "_addresses", found)
    add(f"http://crm.example.com:{port}/hook")
    happens()
    send()
    assert looked_up == ["crm.example.com"] and len(receiver.received) == 1
    assert receiver.received[0].headers["host"] == f"crm.example.com:{port}"
    happens()
    send()
    assert len(receiver.received) == 1


@pytest.mark.parametrize("target", ["http://127.0.0.1:8000/", "http://169.254.169.254/", "/elsewhere", "//["])
def test_a_redirect_leads_nowhere(subscribe, receiver, target) -> None:
    subscribe("call.ended")
    receiver.answers.append(Answer(307, {"Location": target}))
    happens()
    send()
    assert len(receiver.received) == 1 and only().status == 307


def test_a_test_is_refused_alike(monkeypatch) -> None:
    async def found(host, port):
        return [ipaddress.ip_address("10.0.0.7")]

    monkeypatch.setattr(outside, "_addresses", found)
    done = actions.send_test(webhook=add("https://crm.example.com/"), by="alice")
    assert done.state == Delivery.State.DEAD and "TOOL_PRIVATE_HOSTS" in done.problem
