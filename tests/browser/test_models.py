"""The page of models in a browser: what is under way moves by itself, and asks before calls would miss it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from playwright.sync_api import Page, expect

from mlservices.catalog import BY_ID
from mlservices.service.app import create_app
from mlservices.service.layout import Plan
from mlservices.service.placement import CPU, Device
from tests.browser.conftest import Server
from tests.browser.looks import AXE, faults
from tests.fakes.hub import StandInHub
from tests.mlservices.conftest import serving

VOICE = replace(BY_ID["mms-tts-tam"], engine="tests.mlservices.stand_ins.SlowToLoad")
EARS = replace(BY_ID["whisper-tiny.en"], engine="tests.mlservices.stand_ins.Ears", recipe="")


@pytest.fixture
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInHub]:
    """Beside it the ML service that the site asks, with a voice that the hub has."""
    with StandInHub() as hub:
        hub.add("facebook/mms-tts-tam", {"config.json": b"{}", "model.safetensors": bytes(1_500_000)})
        hub.bytes_per_second = 50_000  # until a test has seen it
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        plans = [Plan(EARS), Plan(VOICE, at_start=False)]
        machine = Device(CPU, "Machine", 8000, 6000)
        app = create_app(plans, server.models_dir, devices=lambda: [machine])
        with serving(app, port=server.ml_port):
            yield hub


def test_a_model_that_the_palette_finds_is_shown_with_all_about_it(page: Page) -> None:
    page.goto("/models/")
    page.keyboard.press("Control+k")
    page.keyboard.type("chatterbox multi")
    option = page.locator("#palette").get_by_role("option", name="Chatterbox Multilingual chatterbox")
    option.click()
    row = page.locator("#model-chatterbox")
    expect(row.get_by_text("Speaks in the voice of a sample")).to_be_in_viewport()
    expect(row.locator("[data-more]")).to_be_focused()


def test_a_model_is_fetched_loaded_and_unloaded_and_the_page_follows(
    page: Page, hub: StandInHub, server: Server
) -> None:
    page.goto("/models/?kind=tts")
    page.get_by_role("searchbox").fill("tamil")  # and is left for a button of the list
    row = page.locator("#model-mms-tts-tam")
    expect(page.locator("[id^=model-]")).to_have_count(1)
    row.get_by_role("button", name="MMS Tamil (VITS)", exact=True).click()
    expect(row.get_by_text("Tamil", exact=True).last).to_be_visible()
    row.get_by_role("button", name="Download").click()
    expect(row.get_by_role("progressbar")).to_be_visible()
    page.evaluate(AXE)
    assert faults(page) == []
    first = row.get_by_role("progressbar").get_attribute("value")
    expect(row.get_by_role("progressbar")).not_to_have_attribute("value", first or "")
    hub.bytes_per_second = 0
    expect(row.get_by_text("Not loaded")).to_be_visible()
    expect(row.locator("[data-more]")).to_have_attribute("aria-expanded", "true")  # as it was left
    row.get_by_role("button", name="Load:").click()
    expect(row.get_by_text("Loaded", exact=True).first).to_be_visible()
    expect(page.locator("#memory")).to_contain_text("MMS Tamil")
    row.get_by_role("button", name="Unload").click()
    expect(row.get_by_text("Not loaded")).to_be_visible()
    row.get_by_role("button", name="Remove files").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Remove files").click()
    expect(row.get_by_text("Not here")).to_be_visible()
    assert not (server.models_dir / "mms-tts-tam").exists()


def test_what_others_do_with_a_model_is_seen_within_seconds(
    page: Page, hub: StandInHub, server: Server
) -> None:
    def change(verb: str) -> None:
        httpx.post(f"http://127.0.0.1:{server.ml_port}/models/whisper-tiny.en/{verb}", json={}, timeout=20)

    page.goto("/models/?kind=stt&state=loaded")
    row = page.locator("[id='model-whisper-tiny.en']")
    expect(row.get_by_text("Loaded", exact=True).first).to_be_visible()
    change("unload")
    expect(row).to_have_count(0, timeout=8000)  # of those that are loaded
    page.goto("/models/?kind=stt")
    expect(row.get_by_text("Not loaded")).to_be_visible()
    change("load")
    expect(row.get_by_text("Loaded", exact=True).first).to_be_visible(timeout=8000)


def test_unloading_what_every_call_uses_is_asked_about(page: Page, hub: StandInHub) -> None:
    page.goto("/models/?kind=stt")
    row = page.locator("[id='model-whisper-tiny.en']")
    expect(row.get_by_text("Loaded", exact=True).first).to_be_visible()
    row.get_by_role("button", name="Unload").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("callers are not heard")
    dialog.get_by_role("button", name="Cancel").click()
    expect(row.get_by_text("Loaded", exact=True).first).to_be_visible()
    row.get_by_role("button", name="Unload").click()
    dialog.get_by_role("button", name="Unload").click()
    expect(row.get_by_text("Not loaded")).to_be_visible()
