"""Who may ring a line is decided by where the call really comes from."""

from __future__ import annotations

import logging

import pytest

from telephony.sip.sources import Sources, networks_of

TRACE = """RX UDP {source} -> 192.0.2.9:5060
INVITE sip:agent@192.0.2.9 SIP/2.0
Via: SIP/2.0/UDP 10.9.9.9
{name}: {id}
"""


def hear(sources: Sources, source: str, call_id: str, name: str = "Call-ID") -> None:
    text = TRACE.format(source=source, name=name, id=call_id)
    sources.emit(logging.LogRecord("trace", logging.DEBUG, "", 0, text, None, None))


async def test_the_packet_s_own_address_counts_and_not_what_the_message_says() -> None:
    sources = Sources()
    hear(sources, "198.51.100.7:5060", "one@there")
    hear(sources, "[2001:db8::7]:5060", "two@there", name="i")
    assert await sources.of("one@there") == "198.51.100.7"
    assert await sources.of("two@there") == "2001:db8::7"


async def test_of_old_calls_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.sip.sources.MOST_KEPT", 2)
    monkeypatch.setattr("telephony.sip.sources.WAIT_SECONDS", 0.02)
    sources = Sources()
    for number in range(3):
        hear(sources, "198.51.100.7:5060", f"{number}@there")
    assert await sources.of("0@there") == ""
    assert await sources.of("2@there") == "198.51.100.7"


def test_the_stack_s_complaints_quote_no_password(caplog: pytest.LogCaptureFixture) -> None:
    Sources().listen()
    complaint = 'bad account <sip:a@b>;auth_pass="hush, hush";regint=60'
    logging.getLogger("baresip.native").warning("%s", complaint)
    assert "hush" not in caplog.text
    assert 'auth_pass="***";regint=60' in caplog.text


async def test_a_registrar_s_addresses_are_looked_up() -> None:
    assert "127.0.0.1/32" in [str(network) for network in await networks_of("127.0.0.1")]
