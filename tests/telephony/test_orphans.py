"""Calls that nobody holds: their process died, or their socket never came."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from telephony import actions
from telephony.admission import issue_token
from telephony.models import Call, MediaToken, PhoneNumber, Recording
from telephony.recorder import Saved, StereoFile, path_of
from telephony.recordings.own import save_recording
from tests.telephony.conftest import kinds_of
from tests.telephony.test_sockets import ringing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(number: PhoneNumber) -> Call:
    return ringing(number)


def die(call: Call) -> None:
    """As a process leaves a call that it held when it was killed a minute ago."""
    actions.connect_call(call.pk, line="twilio")
    StereoFile(path_of(call), 8000).write(0, bytes(16000), bytes(16000))
    minute_ago = timezone.now() - timedelta(seconds=60)
    os.utime(path_of(call), times=(minute_ago.timestamp(), minute_ago.timestamp()))
    Call.objects.update(held_at=minute_ago)


def test_calls_of_a_process_that_died_are_ended_and_their_recordings_kept(call: Call) -> None:
    die(call)
    held_at = Call.objects.get().held_at
    assert actions.end_orphans() == 1
    assert actions.end_orphans() == 0

    call.refresh_from_db()
    assert (call.status, call.end_reason) == ("completed", "server_restarted")
    assert call.ended_at == held_at, "the time that nobody was there is no part of the call"
    assert kinds_of(call)[-2:] == ["call_ended", "recording_saved"]
    recording = Recording.objects.get()
    assert recording.duration_seconds == 1.0
    assert Path(recording.file.path).exists()


def test_the_recording_of_a_call_that_others_ended_after_the_crash_is_kept_too(call: Call) -> None:
    die(call)
    actions.end_call(call.pk, reason="line_lost")
    assert actions.end_orphans() == 0
    call.refresh_from_db()
    assert (call.end_reason, call.held_at) == ("line_lost", None)
    assert Recording.objects.get().duration_seconds == 1.0


def test_a_recording_that_is_still_written_has_a_process_that_lives(call: Call) -> None:
    die(call)
    StereoFile(path_of(call), 8000).write(0, bytes(16000), bytes(16000))
    assert actions.end_orphans() == 0
    call.refresh_from_db()
    assert call.ended_at is None
    assert not Recording.objects.exists()


def test_a_recording_that_cannot_be_read_keeps_no_other_from_being_saved(
    call: Call, number: PhoneNumber
) -> None:
    other = ringing(number, "CA2")
    die(other)
    die(call)
    path_of(call).write_bytes(b"")
    os.utime(path_of(call), times=(0, 0))
    assert actions.end_orphans() == 2
    assert Recording.objects.get().call == other
    assert not Call.objects.filter(held_at__isnull=False).exists()


def test_a_recording_that_another_process_salvaged_is_replaced_by_the_whole(call: Call) -> None:
    die(call)
    actions.end_orphans()
    save_recording(call, Saved(duration_seconds=9.0, bytes=288044, peaks={}), rate=8000)
    assert Recording.objects.get().duration_seconds == 9.0


def test_tokens_long_past_their_time_are_forgotten(call: Call) -> None:
    issue_token(call)
    actions.forget_old_tokens()
    assert MediaToken.objects.count() == 1
    MediaToken.objects.update(expires_at=timezone.now() - timedelta(hours=2))
    actions.forget_old_tokens()
    assert not MediaToken.objects.exists()


def test_calls_of_another_process_that_lives_are_left_alone(call: Call) -> None:
    actions.connect_call(call.pk, line="twilio")
    assert actions.end_orphans() == 0


def test_a_call_that_never_got_its_socket_is_ended(call: Call) -> None:
    assert actions.end_orphans() == 0
    Call.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    assert actions.end_orphans() == 1
    call.refresh_from_db()
    assert (call.status, call.end_reason) == ("no-answer", "never_connected")


def test_hanging_up_a_call_that_nobody_holds_ends_it_here(call: Call) -> None:
    assert actions.hang_up(call.pk)
    call.refresh_from_db()
    assert call.end_reason == "operator_hung_up"
