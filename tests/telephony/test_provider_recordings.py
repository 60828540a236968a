"""Recordings that Twilio makes of our calls: asked for, told of, fetched, checked, kept, and removed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import numpy
import pytest
import soundfile
from django.core.cache import caches
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string

from telephony import actions, deleting
from telephony.credentials import save_credential
from telephony.deleting import delete_calls
from telephony.lines import twilio_media
from telephony.lines.reconciling import compare
from telephony.models import Call, Credential, PhoneNumber, ProviderRecording
from telephony.recordings import actions as recordings
from telephony.recordings import fetching
from telephony.recordings.fetching import fetch_due
from tests import trail
from tests.factories import make_agent, make_recording
from tests.fakes.twilio_rest import SID, FakeTwilio
from tests.telephony.lines.conftest import account as account
from tests.telephony.lines.conftest import twilio as twilio

pytestmark = pytest.mark.django_db
CALL_SID = "CA" + "7" * 32
VOICE = "https://voice.example.org/telephony/twilio/voice/"


@pytest.fixture(autouse=True)
def _kept_here(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(recordings, "async_task", lambda *_job: None)
    yield


@pytest.fixture
def number(account: Credential) -> PhoneNumber:
    Credential.objects.update(records="there")
    agent = make_agent("Front desk")
    return PhoneNumber.objects.create(number="+14155550123", credential=account, agent=agent)


def rings(twilio: FakeTwilio) -> ElementTree.Element:
    form = {"AccountSid": SID, "CallSid": CALL_SID, "From": "+14155550199", "To": "+14155550123"}
    return ElementTree.fromstring(twilio.post(Client(), VOICE, form).content)


@pytest.fixture
def call(twilio: FakeTwilio, number: PhoneNumber) -> Call:
    """That rang, was asked to be recorded, and is over."""
    rings(twilio)
    call = Call.objects.get()
    actions.connect_call(call.pk, line="twilio")
    actions.end_call(call.pk, reason="caller_hung_up")
    actions.let_go(call.pk)
    return call


def sound(*, seconds: float = 2.0, channels: int = 2, rate: int = 8000, kind: str = "WAV") -> bytes:
    """The caller loud, the agent half as loud."""
    tone = (8000 * numpy.sin(numpy.arange(int(seconds * rate)) / 5)).astype("int16")
    file = io.BytesIO()
    soundfile.write(file, numpy.stack([tone, tone // 2][:channels], axis=1), rate, format=kind)
    return file.getvalue()


def due_now() -> None:
    ProviderRecording.objects.filter(due_at__isnull=False).update(due_at=timezone.now())


def the_only() -> ProviderRecording:
    return ProviderRecording.objects.get()


class TestAskingForIt:
    def test_it_begins_before_the_sound_is_carried_and_both_sides_are_apart(self, twilio, number) -> None:
        answer = rings(twilio)
        assert [verb.tag for verb in answer] == ["Start", "Connect", "Redirect"]
        recording = answer.find("Start/Recording")
        assert recording.get("channels") == "dual"
        assert recording.get("recordingStatusCallback").endswith(
            "voice.example.org/telephony/twilio/recording/"
        )
        assert recording.get("recordingStatusCallbackEvent") == "in-progress completed absent"

    def test_a_webhook_that_comes_twice_expects_one_recording(self, twilio, number) -> None:
        rings(twilio)
        rings(twilio)
        assert the_only().state == "awaited"

    def test_an_account_says_whether(self, account, alices_browser) -> None:
        limits = {"label": "Main", "calls_per_second": "1"}
        alices_browser.post(account.get_absolute_url(), {**limits, "records": "here"})
        alices_browser.post(account.get_absolute_url(), limits)
        account.refresh_from_db()
        assert account.records == "here" and trail.verbs() == ["account.changed"]

    @pytest.mark.parametrize("why", ["the account does not record", "the agent does not record"])
    def test_nobody_is_recorded_who_should_not_be(self, twilio, number, why) -> None:
        if why.startswith("the account"):
            Credential.objects.update(records="no")
        else:
            type(number.agent).objects.update(record=False)
        assert [verb.tag for verb in rings(twilio)] == ["Connect", "Redirect"]
        assert not ProviderRecording.objects.exists()


class TestBeingTold:
    def test_it_is_fetched_and_kept_beside_our_own(self, twilio, call, alices_browser) -> None:
        make_recording(call, seconds=1)
        sid = twilio.records(CALL_SID, sound=sound())
        assert twilio.tells_of(Client(), sid).status_code == 204
        caches["noted"].clear()
        assert fetch_due() == "1 recordings" and fetch_due() == "0 recordings"
        assert trail.verbs("telephony.credential") == ["account.fetched"]
        kept = the_only()
        assert (kept.state, kept.provider_id, kept.problem, kept.due_at) == ("kept", sid, "", None)
        assert (kept.rate, kept.duration_seconds) == (8000, 2.0)
        assert max(kept.peaks["caller"]) > max(kept.peaks["agent"]) > 5
        assert call.events.last().payload["by"] == "Twilio"
        page = alices_browser.get(f"{call.get_absolute_url()}?sound={kept.pk}").text
        assert f'data-src="{kept.get_absolute_url()}"' in page
        assert "recording.wav" in alices_browser.get(call.get_absolute_url()).text
        part = alices_browser.get(kept.get_absolute_url(), headers={"Range": "bytes=0-99"})
        assert (part.status_code, part["Content-Range"]) == (206, f"bytes 0-99/{kept.bytes}")
        assert soundfile.info(kept.file.path).channels == 2

    def test_it_is_what_is_heard_where_we_have_none(self, twilio, call, bobs_browser) -> None:
        twilio.tells_of(Client(), twilio.records(CALL_SID, sound=sound()))
        fetch_due()
        page = bobs_browser.get(call.get_absolute_url()).text
        assert f'data-src="{the_only().get_absolute_url()}"' in page and "Recording by Twilio" in page
        replay = bobs_browser.get(f"{call.get_absolute_url()}?replay=1").text
        assert f'data-sound-url="{the_only().get_absolute_url()}"' in replay

    @pytest.mark.parametrize(
        "told",
        [
            ["in-progress", "completed"],
            ["completed", "in-progress"],
            ["completed", "completed", "in-progress", "absent"],
            ["absent", "completed"],
        ],
        ids=" ".join,
    )
    def test_in_whatever_order_it_is_told_it_is_one_recording_that_is_kept(self, twilio, call, told) -> None:
        sid = twilio.records(CALL_SID, sound=sound())
        for status in told:
            assert twilio.tells_of(Client(), sid, status).status_code == 204
        fetch_due()
        twilio.tells_of(Client(), sid, "completed")
        twilio.tells_of(Client(), sid, "absent")
        assert (the_only().state, fetch_due()) == ("kept", "0 recordings")

    def test_one_that_there_is_not_is_said(self, twilio, call, alices_browser) -> None:
        twilio.tells_of(Client(), twilio.records(CALL_SID), "absent", ErrorCode="16101")
        assert the_only().state == "absent"
        page = alices_browser.get(f"{call.get_absolute_url()}afterwards/").text
        assert "There is none: Twilio has no recording of this call (16101)." in page

    def test_of_a_call_that_we_do_not_know_nothing_is_kept(self, twilio, number) -> None:
        assert twilio.tells_of(Client(), twilio.records("CA" + "9" * 32)).status_code == 204
        assert not ProviderRecording.objects.exists()

    @pytest.mark.parametrize(
        "changed",
        [{"RecordingSid": "../../Balance"}, {"RecordingSid": ""}, {"RecordingStatus": "great"}],
        ids=["a path", "none", "a foreign state"],
    )
    def test_what_twilio_does_not_document_is_refused(self, twilio, call, changed) -> None:
        sid = twilio.records(CALL_SID)
        assert twilio.tells_of(Client(), sid, **{"status": "completed", **changed}).status_code == 400
        assert the_only().state == "awaited"

    def test_unsigned_it_changes_nothing(self, twilio, call) -> None:
        form = {"AccountSid": SID, "CallSid": CALL_SID, "RecordingSid": "RE1", "RecordingStatus": "completed"}
        assert Client().post("/telephony/twilio/recording/", form).status_code == 403
        assert the_only().state == "awaited"

    def test_one_whose_call_is_still_being_stored_waits(self, twilio, call) -> None:
        Call.objects.update(held_at=timezone.now())
        twilio.tells_of(Client(), twilio.records(CALL_SID, sound=sound()))
        assert fetch_due() == "0 recordings"


class TestWhatFails:
    @pytest.fixture
    def told(self, twilio, call) -> str:
        sid = twilio.records(CALL_SID, sound=sound())
        twilio.tells_of(Client(), sid)
        return sid

    def tried(self) -> ProviderRecording:
        due_now()
        assert fetch_due() == "1 recordings"
        return the_only()

    def test_one_that_is_not_there_yet_is_tried_later_and_later(self, twilio, told) -> None:
        was = twilio.media.pop(told)
        waits = []
        for _number in range(3):
            recording = self.tried()
            assert "no such recording, or not yet" in recording.problem
            waits.append(round((recording.due_at - timezone.now()).total_seconds() / 60))
        assert waits == [1, 5, 15]
        twilio.media[told] = was
        assert (self.tried().state, the_only().problem) == ("kept", "")

    def test_one_that_never_comes_is_given_up_until_somebody_asks_again(
        self, twilio, told, call, bobs_browser
    ) -> None:
        was = twilio.media.pop(told)
        tries = 0
        while the_only().state == "waiting":
            self.tried()
            tries += 1
        assert tries == 9 and the_only().due_at is None
        page = bobs_browser.get(f"{call.get_absolute_url()}afterwards/").text
        assert "Could not be fetched: Twilio has no such recording, or not yet." in page
        twilio.media[told] = was
        again = f"{call.get_absolute_url()}recordings/{the_only().pk}/again/"
        assert again in page
        assert "asked for again" in bobs_browser.post(again, follow=True).text
        assert self.tried().state == "kept"

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"<html>" + bytes(400), "neither a WAV nor an MP3"),
            (b"RIFF", "neither a WAV nor an MP3"),
            (b"RIFF\0\0\0\0WAVE" + bytes(400), "cannot be decoded"),
            (sound(seconds=0.0) + bytes(100), "it is empty"),
            (sound(rate=4000), "no telephone's"),
        ],
        ids=["a page", "a word", "a torn file", "nothing", "a strange rate"],
    )
    def test_what_is_no_sound_is_not_kept(self, twilio, told, tmp_path, content, words) -> None:
        twilio.media[told] = content
        recording = self.tried()
        assert recording.state == "waiting" and words in recording.problem
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]

    def test_one_that_is_too_large_is_not_read_to_its_end(self, twilio, told, monkeypatch) -> None:
        monkeypatch.setattr(twilio_media, "LARGEST", 1024)
        assert "larger than 0 MB" in self.tried().problem

    def test_one_that_comes_too_slowly_is_broken_off(self, twilio, told, monkeypatch) -> None:
        monkeypatch.setattr(twilio_media, "PATIENCE_SECONDS", -1.0)
        assert "too slowly" in self.tried().problem

    def test_one_that_is_cut_short_is_not_kept(self, twilio, told) -> None:
        twilio.told_length = 10**6
        recording = self.tried()
        assert recording.state == "waiting"
        assert "did not come whole" in recording.problem or "could not be reached" in recording.problem

    def test_a_token_that_no_longer_fits_is_said(self, twilio, told, account) -> None:
        save_credential(provider="twilio", account=SID, secret="another", label="Main")
        assert "does not know this account and token" in self.tried().problem

    def test_it_may_have_been_moved_but_not_to_anybody(self, twilio, told) -> None:
        twilio.moved[told] = "https://recordings.example.org/x.wav"
        assert "somebody who is not Twilio" in self.tried().problem
        twilio.moved[told] = f"{twilio.url}/moved/{told}.wav"
        assert self.tried().state == "kept"

    def test_a_full_disk_is_told_and_tried_again(self, twilio, told, monkeypatch) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("telephony.recordings.fetching.copy", full)
        assert "No space left on device" in self.tried().problem
        monkeypatch.undo()

    def test_of_an_account_that_is_gone_nothing_is_fetched(self, twilio, told) -> None:
        Credential.objects.all().delete()
        assert (self.tried().state, the_only().due_at) == ("failed", None)
        assert "not set up here any more" in the_only().problem

    def test_two_workers_do_not_fetch_the_same(self, twilio, told) -> None:
        assert fetching._next() is not None
        assert fetching._next() is None


class TestReconciling:
    @pytest.fixture
    def long_over(self, call) -> Call:
        Call.objects.update(ended_at=timezone.now() - timedelta(minutes=10), price=1)
        return call

    def test_one_whose_callback_never_came_is_found(self, twilio, long_over, account) -> None:
        sid = twilio.records(CALL_SID, sound=sound())
        compare(account)
        assert (the_only().provider_id, the_only().state) == (sid, "waiting")
        fetch_due()
        assert the_only().state == "kept"

    def test_one_that_is_still_being_made_is_awaited(self, twilio, long_over, account) -> None:
        twilio.records(CALL_SID, status="processing")
        compare(account)
        assert the_only().state == "awaited"

    @pytest.mark.parametrize("status", [None, "absent"])
    def test_none_is_awaited_where_there_is_none(self, twilio, long_over, account, status) -> None:
        if status:
            twilio.records(CALL_SID, status=status)
        compare(account)
        assert the_only().state == "absent"
        asked = len(twilio.asked)
        compare(account)
        assert len(twilio.asked) == asked

    def test_a_callback_that_comes_after_all_counts(self, twilio, long_over, account) -> None:
        compare(account)
        twilio.tells_of(Client(), twilio.records(CALL_SID, sound=sound()))
        fetch_due()
        assert the_only().state == "kept"


class TestRemoving:
    def test_it_is_removed_there_once_it_is_here_where_that_is_wanted(self, twilio, call) -> None:
        Credential.objects.update(records="here")
        sid = twilio.records(CALL_SID, sound=sound())
        twilio.tells_of(Client(), sid)
        assert fetch_due() == "2 recordings"
        assert not twilio.recordings
        assert (the_only().state, the_only().due_at) == ("kept", None)
        assert the_only().removed_at
        assert "account.removed" in trail.verbs()

    def test_it_goes_with_its_call_here_and_there(
        self, twilio, call, monkeypatch, django_capture_on_commit_callbacks
    ) -> None:
        sid = twilio.records(CALL_SID, sound=sound())
        twilio.tells_of(Client(), sid)
        fetch_due()
        path = Path(the_only().file.path)
        jobs = []
        monkeypatch.setattr(deleting, "async_task", lambda *job: jobs.append(job))
        with django_capture_on_commit_callbacks(execute=True):
            assert delete_calls(call_ids=[call.pk]) == 1
        assert not path.exists() and not ProviderRecording.objects.exists()
        ((name, *arguments),) = jobs
        assert import_string(name)(*arguments) == "1 removed"
        assert not twilio.recordings
        assert import_string(name)(*arguments) == "1 removed", "one that is gone is what was wanted"

    def test_a_call_that_is_deleted_while_its_recording_is_fetched_leaves_no_file(
        self, twilio, call, tmp_path, monkeypatch
    ) -> None:
        monkeypatch.setattr(deleting, "async_task", lambda *job: None)
        twilio.tells_of(Client(), twilio.records(CALL_SID, sound=sound()))

        def deleted_meanwhile(source: Path, target: Path) -> object:
            delete_calls(call_ids=[call.pk])
            return copied(source, target)

        copied = fetching.copy
        monkeypatch.setattr(fetching, "copy", deleted_meanwhile)
        fetch_due()
        assert not list(tmp_path.rglob("*.wav"))

    def test_the_page_that_asks_counts_it(self, twilio, call, alices_browser) -> None:
        make_recording(call, seconds=1)
        twilio.tells_of(Client(), twilio.records(CALL_SID, sound=sound()))
        fetch_due()
        assert "2 recordings go with them" in alices_browser.post("/calls/delete/", {"call": call.pk}).text
