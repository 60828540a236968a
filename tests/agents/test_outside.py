"""Asking servers of the outside world."""

from __future__ import annotations

import gzip
import ipaddress

import httpx
import pytest

from agents import outside
from agents.outside import Refused, Request, Unanswered, allowed_address, ask, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # where clouds keep the keys of a machine
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "::169.254.169.254",
        "fec0::1",
        "64:ff9b:1::808:808",
        "168.63.129.16",
    ],
)
def test_addresses_of_private_networks_are_no_public_ones(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::808:808"]
)
def test_those_of_the_internet_are(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url, reason",
    [
        ("http://localhost/", "TOOL_PRIVATE_HOSTS"),
        ("http://127.0.0.1:8000/", "127.0.0.1:8000 to TOOL_PRIVATE_HOSTS"),
        ("http://2130706433/", "TOOL_PRIVATE_HOSTS"),  # 127.0.0.1 as one number
        ("http://[::ffff:127.0.0.1]/", "TOOL_PRIVATE_HOSTS"),
        ("ftp://example.com/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("http://user:password@example.com/", "secret header"),
    ],
)
async def test_what_may_not_be_asked_is_refused_with_the_remedy(url, reason):
    with pytest.raises(Refused, match=reason):
        await allowed_address(httpx.URL(url))


async def test_a_name_that_leads_to_a_private_address_as_well_is_refused(monkeypatch):
    async def found(host, port):
        return [ipaddress.ip_address("93.184.216.34"), ipaddress.ip_address("10.0.0.7")]

    monkeypatch.setattr(outside, "_addresses", found)
    with pytest.raises(Refused, match=r"10\.0\.0\.7"):
        await allowed_address(httpx.URL("https://example.com/"))


async def test_the_connection_goes_to_the_address_that_was_looked_at(other, monkeypatch):
    """A name that leads elsewhere at the second look-up changes nothing."""
    looked_up = []

    async def found(host, port):
        looked_up.append(host)
        return [ipaddress.ip_address("127.0.0.1" if len(looked_up) == 1 else "10.0.0.7")]

    port = httpx.URL(other.url).port
    monkeypatch.setattr(outside, "_addresses", found)
    monkeypatch.setattr(outside.settings, "TOOL_PRIVATE_HOSTS", ["booking.test"])
    other.answer("/", {"ok": 1})
    answer = await ask(Request("GET", f"http://booking.test:{port}/"), seconds=5)
    assert (answer.status, looked_up) == (200, ["booking.test"])
    assert other.asked[0][2]["Host"] == f"booking.test:{port}"


async def test_a_redirect_into_a_private_network_is_refused(other):
    other.answer("/", status=302, Location="http://169.254.169.254/latest/meta-data")
    with pytest.raises(Refused, match=r"169\.254\.169\.254"):
        await ask(Request("GET", f"{other.url}/"), seconds=5)


async def test_a_redirect_keeps_secrets_at_home_and_loses_the_body(other, settings):
    port = httpx.URL(other.url).port
    settings.TOOL_PRIVATE_HOSTS = [f"127.0.0.1:{port}", f"localhost:{port}"]
    other.answer("/a", status=302, Location="/b")
    other.answer("/b", status=303, Location=f"http://localhost:{port}/c")
    other.answer("/c", {})
    request = Request("POST", f"{other.url}/a", {"X-Plain": "1"}, {"X-Key": "secret"}, b"{}")
    answer = await ask(request, seconds=5)
    assert answer.url == f"http://localhost:{port}/c"
    assert [(method, headers.get("X-Key"), body) for method, _, headers, body in other.asked] == [
        ("POST", "secret", b"{}"),
        ("GET", "secret", b""),
        ("GET", None, b""),
    ]
    assert [headers.get("X-Plain") for _, _, headers, _ in other.asked] == ["1", "1", None]


async def test_what_was_sent_does_not_go_to_another_server(other, settings):
    port = httpx.URL(other.url).port
    settings.TOOL_PRIVATE_HOSTS = [f"127.0.0.1:{port}", f"localhost:{port}"]
    other.answer("/a", status=307, Location=f"http://localhost:{port}/b")
    with pytest.raises(Unanswered, match="to go to localhost"):
        await ask(Request("POST", f"{other.url}/a", body=b"{}"), seconds=5)
    assert len(other.asked) == 1


@pytest.mark.parametrize("target", ["http://[::1", "//[", "http://x:99999999/", "https://xn--a/"])
async def test_a_redirect_to_nonsense_is_no_answer(other, target):
    other.answer("/a", status=302, Location=target)
    with pytest.raises(Unanswered):
        await ask(Request("GET", f"{other.url}/a"), seconds=5)


async def test_a_packed_answer_is_refused(other):
    other.answer("/", gzip.compress(b"0" * 10_000_000), Content_Encoding="gzip")
    with pytest.raises(Unanswered, match="packed"):
        await ask(Request("GET", f"{other.url}/"), seconds=5)


async def test_a_charset_that_is_none_does_no_harm(other):
    other.answer("/", b"Caf\xc3\xa9", Content_Type="text/plain; charset=base64")
    assert (await ask(Request("GET", f"{other.url}/"), seconds=5)).text == "Caf\u00e9"


@pytest.mark.parametrize(
    ("charset", "body"),
    [("utf-7", b"+2AA-"), ("unicode_escape", rb"\ud800"), ("raw_unicode_escape", rb"\ud800")],
)
async def test_no_charset_lets_half_a_sign_through(other, charset, body):
    other.answer("/", body, Content_Type=f"text/plain; charset={charset}")
    assert (await ask(Request("GET", f"{other.url}/"), seconds=5)).text == "?"


async def test_a_name_that_is_none_is_refused():
    with pytest.raises(Refused, match="no address"):
        await ask(Request("GET", "https://xn--a/"), seconds=5)


async def test_redirects_end(other):
    other.answer("/", status=307, Location="/")
    with pytest.raises(Unanswered, match="more than 5 times"):
        await ask(Request("GET", f"{other.url}/"), seconds=5)
    assert len(other.asked) == 6


async def test_an_answer_has_a_limit(other):
    other.answer("/", b"x" * 2_000)
    with pytest.raises(Unanswered, match="larger than 1,000 bytes"):
        await ask(Request("GET", f"{other.url}/"), seconds=5, largest=1_000)


async def test_so_has_the_time(other):
    other.answer("/", {})
    other.seconds = 0.5
    with pytest.raises(Unanswered, match=r"within 0\.1 seconds") as caught:
        await ask(Request("GET", f"{other.url}/"), seconds=0.1)
    assert caught.value.timed_out


async def test_who_does_not_listen_was_not_asked(settings):
    settings.TOOL_PRIVATE_HOSTS = ["127.0.0.1"]
    with pytest.raises(Unanswered, match="cannot be reached") as caught:
        await ask(Request("GET", "http://127.0.0.1:1/"), seconds=5)
    assert not caught.value.sent
