"""How long answers take: what the software says and what can be heard on the recording are one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from mlservices.audio import read_wav, resample, to_float
from mlservices.catalog import BY_ID
from mlservices.engines.vad.silero import Silero
from mlservices.interfaces import WINDOW_SECONDS, VoiceDetector
from telephony.line import Line
from telephony.measure import HeardTurn, heard_turns, sounds
from telephony.providers.twilio.codec import TwilioCodec
from telephony.session.events import Event, TurnMeasured
from telephony.session.parts import Engines, SessionSettings
from telephony.session.session import CallSession
from tests.fakes.clock import run_in_virtual_time
from tests.fakes.exchange import InstantStt, Parrot
from tests.fakes.scripted_engines import EnergyDetector, ScriptedTts
from tests.fakes.stage import PROMPTS

RATE = 8000
FRAME_BYTES = 320
PROMPTS_FOLDER = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
SILERO = settings.MODELS_DIR / "silero-vad"


def tone(seconds: float) -> bytes:
    return (np.sin(np.arange(int(RATE * seconds)) * 0.3) * 6000).astype("<i2").tobytes()


def silence(seconds: float) -> bytes:
    return bytes(int(RATE * seconds) * 2)


def converse(caller: bytes, detector: VoiceDetector) -> tuple[list[float], list[HeardTurn]]:
    """Play the caller's sound in virtual time: (what was measured, what is heard on both legs)."""

    async def call() -> tuple[list[float], list[HeardTurn]]:
        line = Line(TwilioCodec())
        legs = bytearray(), bytearray()
        line.tap = lambda *pieces: [leg.extend(piece) for leg, piece in zip(legs, pieces, strict=True)]
        events: list[Event] = []
        session = line.sink = CallSession(
            line=line,
            engines=Engines(InstantStt(), ScriptedTts(), None, detector),
            conversation=Parrot(),
            settings=SessionSettings("en", "default", 1.0, 0.5, True, 60.0, 900.0, ""),
            prompts=PROMPTS,
            emit=events.append,
        )

        async def ring() -> None:
            loop = asyncio.get_running_loop()
            for number in range(len(caller) // FRAME_BYTES):
                await asyncio.sleep((number + 1) * 0.02 - loop.time())
                line.hear(caller[number * FRAME_BYTES : (number + 1) * FRAME_BYTES], 100 + number * 20)
            session.line_closed("hangup")

        ringing = asyncio.create_task(ring())
        await session.run()
        await ringing
        measured = [event for event in events if isinstance(event, TurnMeasured)]
        left, right = (np.frombuffer(bytes(leg), "<i2") for leg in legs)
        return [event.voice_to_voice_seconds for event in measured], heard_turns(left, right, RATE)

    return run_in_virtual_time(call())


def test_recording_and_software_agree_within_40_ms() -> None:
    turns = [tone(1.0), tone(0.7), tone(1.31), tone(2.07), tone(0.53)]
    caller = silence(3.3) + b"".join(turn + silence(5) for turn in turns)
    measured, heard = converse(caller, EnergyDetector())
    assert len(measured) == len(turns)
    assert [turn.voice_to_voice_seconds for turn in heard] == pytest.approx(measured, abs=0.04)


class DirectSilero:
    """The real model, asked at once and in this thread."""

    def __init__(self) -> None:
        self._engine = Silero(SILERO, BY_ID["silero-vad"])

    def open(self, on_window: Callable[[float], None], *, rate: int) -> DirectSilero.Track:
        return self.Track(self._engine, on_window, rate)

    class Track:
        dropped_windows = 0

        def __init__(self, engine: Silero, on_window: Callable[[float], None], rate: int) -> None:
            self._engine, self._on_window = engine, on_window
            self._stream, self._size, self._sound = engine.open(rate), int(rate * WINDOW_SECONDS) * 2, b""

        def feed(self, pcm: bytes) -> None:
            self._sound += pcm
            while len(self._sound) >= self._size:
                window, self._sound = self._sound[: self._size], self._sound[self._size :]
                self._on_window(float(self._engine.probabilities([self._stream], to_float(window)[None])[0]))

        def close(self) -> None: ...


@pytest.mark.models
@pytest.mark.skipif(not SILERO.exists(), reason="`manage.py models prepare` has not run")
@pytest.mark.skipif(
    not PROMPTS_FOLDER.exists(), reason="Debian's asterisk-core-sounds-en-wav is not installed"
)
def test_they_agree_on_real_speech_too() -> None:
    names = ("transfer", "call-forwarding", "number-not-answering", "conf-now-recording", "vm-reachoper")
    turns = [resample(*read_wav(PROMPTS_FOLDER / f"{name}.wav"), RATE) for name in names]
    caller = silence(3.3) + b"".join(turn + silence(5) for turn in turns)
    measured, heard = converse(caller, DirectSilero())
    assert len(measured) == len(turns)
    differences = [turn.voice_to_voice_seconds - ours for turn, ours in zip(heard, measured, strict=True)]
    assert max(map(abs, differences)) < 0.04


def test_pauses_between_words_do_not_end_a_sound() -> None:
    leg = np.frombuffer(silence(0.5) + tone(0.4) + silence(0.2) + tone(0.3) + silence(0.5), "<i2")
    (sound,) = sounds(leg, RATE)
    assert (sound.start, sound.end) == (pytest.approx(0.5, abs=0.011), pytest.approx(1.4, abs=0.011))


def test_a_click_is_no_sound_and_silence_has_none() -> None:
    assert sounds(np.frombuffer(silence(0.5) + tone(0.03) + silence(0.5), "<i2"), RATE) == []
    assert sounds(np.zeros(8000, "<i2"), RATE) == []
    assert sounds(np.zeros(10, "<i2"), RATE) == []


def test_noise_of_the_line_is_no_speech() -> None:
    random = np.random.default_rng(1)
    noise = random.normal(0, 60, 16000)
    leg = noise.copy()
    leg[4000:8000] += np.frombuffer(tone(0.5), "<i2")
    (sound,) = sounds(leg.astype("<i2"), RATE)
    assert sound.start == pytest.approx(0.5, abs=0.03)


def test_an_answer_after_nobody_spoke_is_no_turn() -> None:
    agent = np.frombuffer(tone(0.5) + silence(3.5), "<i2")
    caller = np.frombuffer(silence(1) + tone(1) + silence(2), "<i2")
    assert heard_turns(caller, agent, RATE) == []
