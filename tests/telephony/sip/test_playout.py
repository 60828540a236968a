from __future__ import annotations

from telephony.sip.playout import AHEAD_BYTES, Playout
from telephony.sip.referrals import user_of


def test_the_stack_gets_no_more_than_a_little_ahead() -> None:
    playout = Playout()
    playout.add(bytes(3 * AHEAD_BYTES))
    assert len(playout.next(0)) == AHEAD_BYTES
    assert playout.next(AHEAD_BYTES) == b""
    assert len(playout.next(AHEAD_BYTES - 320)) == 320


def test_a_mark_comes_back_when_all_before_it_was_sent_and_only_once() -> None:
    playout = Playout()
    playout.add(bytes(320))
    playout.mark("first")
    playout.add(bytes(320))
    playout.mark("second")
    assert playout.played(0) == []
    assert len(playout.next(0)) == 640
    assert playout.played(640) == []
    assert playout.played(320) == ["first"]
    assert playout.played(0) == ["second"]
    assert playout.played(0) == []


def test_what_is_cleared_is_not_said_and_its_marks_come_back_at_once() -> None:
    playout = Playout()
    playout.add(bytes(640))
    playout.mark("cut short")
    playout.next(0)
    assert playout.clear() == ["cut short"]
    assert (playout.next(0), playout.played(0)) == (b"", [])
    playout.add(b"\1\1")
    playout.mark("after")
    assert playout.next(0) == b"\1\1"
    assert playout.played(0) == ["after"]


def test_a_number_is_read_from_any_form_of_address() -> None:
    assert user_of('"Ann" <sip:+14155550100@sip.test;user=phone>;tag=1') == "+14155550100"
    assert user_of("sip:100-agent@192.0.2.1:5060") == "100-agent"
    assert user_of("tel:+14155550100") == "+14155550100"
    assert user_of("sip:192.0.2.1") == "192.0.2.1"
    assert user_of("") == ""
