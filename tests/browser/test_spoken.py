"""A person asks the demo agent by microphone, and what comes out of the loudspeaker is the answer."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from mlservices.audio import read_wav, resample, wav_bytes
from tests.browser.conftest import speaking

pytestmark = [pytest.mark.models, pytest.mark.alone]

RATE = 48_000
QUESTION = "Where can I park my car?"
SILENCE_BEFORE, SILENCE_AFTER = 7.0, 30.0  # the agent greets first

# Takes what is rendered to the loudspeaker, beside the page's own nodes and without their knowledge.
LISTEN = """
const connect = AudioNode.prototype.connect;
window.heard = [];
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode && !this.isEar) {
    const ear = this.context.createScriptProcessor(4096, 1, 1);
    ear.isEar = true;
    ear.onaudioprocess = ({inputBuffer}) => window.heard.push([...inputBuffer.getChannelData(0)]);
    window.heardRate = this.context.sampleRate;
    connect.call(this, ear);
    connect.call(ear, target);
  }
  return connect.call(this, target, ...rest);
};
"""


@pytest.fixture
def caller(product, tmp_path) -> Path:
    """The question as a microphone hears it: after the greeting, then silence."""
    answer = httpx.post(f"{product.ml_url}/api/tts", json={"text": QUESTION}, timeout=30).raise_for_status()
    path = tmp_path / "caller.wav"
    path.write_bytes(base64.b64decode(answer.json()["audio_base64"]))
    pcm, rate = read_wav(path)
    silence = [bytes(2 * int(RATE * seconds)) for seconds in (SILENCE_BEFORE, SILENCE_AFTER)]
    path.write_bytes(wav_bytes(silence[0] + resample(pcm, rate, RATE) + silence[1], RATE))
    return path


def words_heard(product, page) -> str:
    """What STT understands of the sound that reached the loudspeaker since the question was asked."""
    rate = page.evaluate("heardRate")
    sound = np.array(page.evaluate("heard.flat()"))
    pcm = (sound[-int(12 * rate) :].clip(-1, 1) * 32767).astype("<i2").tobytes()
    audio = base64.b64encode(wav_bytes(resample(pcm, int(rate), 16_000), 16_000)).decode()
    answer = httpx.post(f"{product.ml_url}/api/stt", json={"audio_base64": audio}, timeout=60)
    return answer.raise_for_status().json()["text"]


def test_a_spoken_question_is_answered_by_voice(product, playwright, caller):
    browser = speaking(playwright, caller)
    page = browser.new_page(base_url=product.url)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: said.type == "error" and faults.append(said.text))
    page.add_init_script(LISTEN)
    page.goto("/agents/front-desk/talk/")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password", exact=True).fill("password")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Start talking").click()

    log = page.get_by_role("log")
    expect(log).to_contain_text("Harbour Street Clinic", timeout=20_000)
    expect(log).to_contain_text(re.compile("park", re.IGNORECASE), timeout=30_000)
    answer = log.locator("[data-who=agent]").last
    expect(answer).to_contain_text("You can park free of charge", timeout=20_000)
    expect(page.locator("[data-talk-latency]")).to_have_text(re.compile(r"\d+ ms|\d\.\d\d s"))
    expect(page.locator("[data-talk-state]")).to_have_text("Listening", timeout=30_000)
    said = answer.locator("[data-said]").inner_text()
    heard = words_heard(product, page)
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_text("The caller hung up")).to_be_visible()
    browser.close()

    wanted, got = (set(re.findall(r"[a-z]+", text.lower())) for text in (said, heard))
    assert len(wanted & got) >= 0.7 * len(wanted), f"said: {said}\nheard: {heard}"
    assert not faults
