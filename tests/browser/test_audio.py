"""The two worklets, rendered without a sound card and faster than time."""

from __future__ import annotations

import pytest

# Renders `seconds` through a worklet; `events` are [second, message] given to it on the way.
# Answers {sound, said: [[second, message]]}, the sound as the loudspeaker would get it.
RENDER = """async ([url, name, rate, seconds, events, tone]) => {
  const context = new OfflineAudioContext(1, rate * seconds, rate);
  await context.audioWorklet.addModule(url);
  const inputs = name === "capture" ? 1 : 0;
  const node = new AudioWorkletNode(context, name, {numberOfInputs: inputs, outputChannelCount: [1]});
  const said = [];
  node.port.onmessage = ({data}) => {
    said.push([context.currentTime, data.pcm ? [...new Int16Array(data.pcm)] : data]);
  };
  for (const hertz of tone) {
    const source = new OscillatorNode(context, {frequency: hertz});
    const half = new GainNode(context, {gain: 0.4});
    source.connect(half).connect(node);
    source.start();
  }
  if (!inputs) node.connect(context.destination);
  const settle = () => new Promise((done) => setTimeout(done, 30));
  for (const [second, message] of events) {
    const pcm = message.samples && Int16Array.from(message.samples).buffer;
    const give = () => node.port.postMessage(pcm ? {pcm} : message);
    if (second === 0) give();
    else context.suspend(second).then(async () => { give(); await settle(); await context.resume(); });
  }
  await settle();
  const rendered = await context.startRendering();
  await settle();
  return {sound: [...rendered.getChannelData(0)], said};
}"""
RATES = [48000, 44100]


@pytest.fixture
def render(page):
    page.goto("/login/")

    def run(name: str, *, rate: int = 48000, seconds: float = 1.0, events=(), tone=()):
        url = f"/static/js/audio/{name}.worklet.js"
        return page.evaluate(RENDER, [url, name, rate, seconds, list(events), list(tone)])

    return run


def power(samples: list[float], hertz: float, rate: int) -> float:
    """How much of one frequency is in the samples; 0.5 for a full sine of amplitude 1."""
    return abs(sum(s * complex_unit(hertz * n / rate) for n, s in enumerate(samples))) / len(samples)


def complex_unit(turns: float) -> complex:
    return 2.718281828459045 ** (2j * 3.141592653589793 * turns)


def loud(sound: list[float]) -> list[int]:
    return [n for n, sample in enumerate(sound) if abs(sample) > 0.01]


@pytest.mark.parametrize("rate", RATES)
def test_the_microphone_comes_as_frames_of_20_ms_at_16_khz(render, rate):
    frames = [frame for _, frame in render("capture", rate=rate, tone=[1000])["said"]]
    assert {len(frame) for frame in frames} == {320}
    assert 48 <= len(frames) <= 50
    samples = [sample / 32767 for frame in frames[5:45] for sample in frame]
    assert power(samples, 1000, 16000) == pytest.approx(0.2, rel=0.02)


@pytest.mark.parametrize("rate", RATES)
def test_what_lies_above_8_khz_does_not_come_back_as_something_else(render, rate):
    frames = [frame for _, frame in render("capture", rate=rate, tone=[10_000])["said"]]
    assert max(abs(sample) for frame in frames[2:] for sample in frame) < 15  # of 13,000 that went in


def test_sound_is_played_as_it_was_sent(render):
    tone = [int(16000 * complex_unit(500 * n / 16000).imag) for n in range(8000)]
    sound = render("playback", events=[[0, {"samples": tone}]])["sound"]
    begin = loud(sound)[0]
    assert len(loud(sound)) / 48000 == pytest.approx(0.5, abs=0.02)
    assert power(sound[begin + 2400 : begin + 12000], 500, 48000) == pytest.approx(
        16000 / 32768 / 2, rel=0.02
    )


def test_a_mark_comes_back_when_the_sound_before_it_was_heard_and_not_sooner(render):
    events = [[0, {"samples": [8000] * 4800}], [0, {"mark": "said"}], [0, {"latency": 0.1}]]
    result = render("playback", events=events)
    [told] = [second for second, message in result["said"] if message.get("mark") == "said"]
    heard = (loud(result["sound"])[-1] + 1) / 48000 + 0.1
    assert told >= heard - 0.005


def test_clearing_is_silence_within_20_ms_and_returns_marks_at_once(render):
    events = [[0, {"samples": [8000] * 16000}], [0, {"mark": "said"}], [0.4, {"clear": True}]]
    result = render("playback", events=events)
    assert 0.39 < loud(result["sound"])[-1] / 48000 < 0.42
    said = [message for _, message in result["said"]]
    assert said.count({"mark": "said"}) == 1
    assert {"cleared": True} in said


def test_sound_after_clearing_is_played(render):
    events = [[0, {"samples": [8000] * 16000}], [0.3, {"clear": True}], [0.5, {"samples": [8000] * 3200}]]
    sound = render("playback", events=events)["sound"]
    assert not loud(sound[int(0.34 * 48000) : int(0.5 * 48000)])
    assert len(loud(sound[24000:])) / 48000 == pytest.approx(0.2, abs=0.02)


def test_a_short_word_is_played_though_no_more_comes(render):
    sound = render("playback", events=[[0, {"samples": [8000] * 320}]])["sound"]
    assert len(loud(sound)) / 48000 == pytest.approx(0.02, abs=0.01)


def test_late_sound_makes_it_wait_longer_and_a_pause_of_the_speaker_does_not(render):
    piece = {"samples": [8000] * 1600}  # 100 ms
    late = render("playback", events=[[0, piece], [0.2, piece]], seconds=1.0)
    assert [m for _, m in late["said"] if "targetSeconds" in m][-1]["targetSeconds"] == pytest.approx(0.1)
    ended = [[0, piece], [0, {"mark": "sentence"}], [0.2, piece]]
    paused = render("playback", events=ended, seconds=1.0)
    assert [m for _, m in paused["said"] if "targetSeconds" in m][-1]["targetSeconds"] == pytest.approx(0.06)
