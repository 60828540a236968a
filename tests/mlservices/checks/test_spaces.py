"""A Space by its six probes: what works, what is cold, what takes sound in another form, what is broken."""

from __future__ import annotations

import pytest
from starlette.responses import JSONResponse, Response

from mlservices.checks.http import COLD, WAKE
from mlservices.checks.probing import ask
from mlservices.checks.spaces import (
    ANOTHER_FORM,
    AWAY,
    LOOK,
    MOVED,
    NO_SPACE,
    ROUTE,
    TOKEN,
    UPDATE,
    WAV_ALONE,
    configured,
    judge_health,
    space,
)
from tests.mlservices.checks.space import ASLEEP, PAGE, PATHS, SpaceStandIn
from tests.mlservices.conftest import serving


@pytest.fixture(scope="module")
def served():
    stand_in = SpaceStandIn()
    with serving(stand_in.app()) as url:
        yield stand_in, url


@pytest.fixture
def stand_in(served):
    stand_in, _ = served
    fresh = SpaceStandIn()
    stand_in.__dict__.update(fresh.__dict__)
    return stand_in


@pytest.fixture
def check(served, stand_in):
    async def check():
        report = await ask(space(served[1], "hf-secret"))
        return report, {probe.name: outcome for probe, outcome in report.answers}

    return check


async def test_all_six_pass_and_the_token_is_sent(check, stand_in):
    report, found = await check()
    assert (report.status, report.passes, len(found)) == ("pass", 6, 6)
    assert found["client"].words == "Said and heard: hello can you hear me"
    assert found["health"].words == "2 models loaded"
    assert all(outcome.latency_ms is not None for outcome in report.outcomes)
    assert stand_in.tokens == {"Bearer hf-secret"}
    assert 0 < found["tts"].figures["seconds"] < 30


async def test_one_that_sleeps_is_a_warning_for_all_and_nobody_waits_for_it(check, stand_in):
    stand_in.answers = dict.fromkeys(PATHS, ASLEEP)
    report, found = await check()
    assert {outcome.status for outcome in report.outcomes} == {"warn"}
    assert {outcome.reason for outcome in report.outcomes} == {COLD}
    assert found["client"].remedy == WAKE
    assert report.latency_ms < 5000


async def test_a_model_that_loads_is_named(check, stand_in):
    stand_in.models = {"mms-tts": "loaded", "whisper-tiny": "loading"}
    not_loaded = JSONResponse({"error": "Model not loaded"}, status_code=500)
    stand_in.answers = {"/api/stt": not_loaded}
    _, found = await check()
    assert (found["health"].status, found["health"].words) == ("warn", "Not loaded yet: whisper-tiny")
    assert (found["stt"].status, found["client"].status) == ("warn", "warn")
    assert found["tts"].status == "pass"


async def test_sound_in_another_form_is_a_warning_that_says_which(check, stand_in):
    stand_in.takes_raw = False
    report, found = await check()
    assert (found["stt"].status, found["stt"].reason, found["stt"].remedy) == ("warn", WAV_ALONE, UPDATE)
    assert found["vad"].reason == WAV_ALONE
    # calls send raw sound, so they would fail
    assert (found["client"].status, report.passes) == ("fail", 3)


async def test_sound_that_is_refused_in_every_form_quotes_the_refusal(check, stand_in):
    stand_in.answers = {"/api/stt": JSONResponse({"error": "FLAC only"}, status_code=422)}
    _, found = await check()
    assert found["stt"].reason == ANOTHER_FORM
    assert found["stt"].words.endswith("FLAC only")


@pytest.mark.parametrize(
    ("path", "answer", "probe", "words"),
    [
        ("/api/health", PAGE, "health", "The service sent a page and no answer: Building"),
        ("/api/health", JSONResponse({"status": "degraded", "models": {}}), "health", "“degraded”"),
        (
            "/api/health",
            JSONResponse({"status": "degraded", "problems": ["/app/.cache cannot be written"]}),
            "health",
            "/app/.cache cannot be written",
        ),
        ("/api/models", JSONResponse({"available_models": {"tts": {}}}), "models", "no model for stt"),
        ("/api/models", JSONResponse([]), "models", "It sent no JSON"),
        ("/api/tts", JSONResponse({"audio_base64": "AAAA"}), "tts", "sound that is no WAV"),
        ("/api/tts", JSONResponse({}), "tts", "sound that is no WAV"),
        ("/api/stt", JSONResponse({"text": "  "}), "stt", "heard nothing"),
        ("/api/stt", JSONResponse({"transcript": "hello"}), "stt", "It sent no text"),
        ("/api/vad", JSONResponse({"segments": []}), "vad", "heard nothing"),
        (
            "/api/vad",
            JSONResponse({"error": "no such thing"}, status_code=404),
            "vad",
            "It does not offer what",
        ),
        ("/api/vad", JSONResponse({"error": "a bug"}, status_code=500), "vad", "The service: a bug"),
    ],
)
async def test_a_wrong_answer_is_a_failure_that_quotes_it(check, stand_in, path, answer, probe, words):
    stand_in.answers = {path: answer}
    report, found = await check()
    assert (found[probe].status, report.status) == ("fail", "fail")
    assert words in found[probe].words
    assert found[probe].remedy


async def test_a_key_that_is_refused_is_never_quoted(check, stand_in):
    refused = JSONResponse({"error": "bad token hf-secret"}, status_code=401)
    stand_in.answers = dict.fromkeys(PATHS, refused)
    report, found = await check()
    assert found["tts"].words == "It does not take the key (HTTP 401)"
    assert not [outcome for outcome in report.outcomes if "hf-secret" in outcome.words]


@pytest.mark.parametrize(
    ("answer", "remedy", "names"),
    [
        (JSONResponse({"error": "who?"}, status_code=401), TOKEN, ("HF_ML_API_TOKEN", "HF_TOKEN")),
        (JSONResponse({"error": "not you"}, status_code=403), TOKEN, ("HF_ML_API_TOKEN", "HF_TOKEN")),
        (JSONResponse({"error": "no such thing"}, status_code=404), ROUTE, ("HF_ML_API_URL", "HF_TOKEN")),
        (Response("", 302, {"Location": "https://elsewhere.example/"}), MOVED, ("HF_ML_API_URL",)),
        (PAGE, NO_SPACE, ("HF_ML_API_URL",)),
        (JSONResponse({"error": "text: too long"}, status_code=422), UPDATE, ()),
        (JSONResponse({"error": "a bug"}, status_code=500), LOOK, ("Wait",)),
    ],
)
async def test_what_to_do_follows_from_what_went_wrong(check, stand_in, answer, remedy, names):
    stand_in.answers = {"/api/models": answer, "/api/tts": answer}
    _, found = await check()
    assert (found["models"].remedy, found["tts"].remedy) == (remedy, remedy)
    assert all(name in remedy for name in names)


async def test_one_that_is_gone_says_so():
    report = await ask(space("http://127.0.0.1:9", ""))
    assert {outcome.status for outcome in report.outcomes} == {"fail"}
    assert "cannot be reached at http://127.0.0.1:9: " in report.outcomes[0].words
    assert len({outcome.words for outcome in report.outcomes}) == 1
    assert {outcome.remedy for outcome in report.outcomes} == {AWAY}
    assert "HF_ML_API_URL" in AWAY


async def test_what_an_address_holds_of_a_password_is_not_told():
    report = await ask(space("http://me:hush@127.0.0.1:9", ""))
    assert "hush" not in "".join(outcome.words for outcome in report.outcomes)


async def test_an_address_that_leads_nowhere_says_so_too():
    report = await ask(space("http://no-such-host.invalid", ""))
    assert {outcome.remedy for outcome in report.outcomes} == {AWAY}


def test_it_is_checked_where_one_is_configured(settings):
    settings.HF_ML_API_URL = ""
    assert not list(configured())
    settings.HF_ML_API_URL = "https://me-voice.hf.space"
    [service] = configured()
    assert (service.key, service.about) == ("space-me-voice-hf-space", "me-voice.hf.space")
    assert space("http://127.0.0.1:8141", "").key == "space-127-0-0-1-8141"
    assert [probe.name for probe in service.probes] == ["health", "models", "tts", "stt", "vad", "client"]


def test_figures_of_a_service_of_ours_are_those_of_its_pools_together():
    pools = {
        "stt": {"served": 90, "failed": 1, "busy": 2, "refused": 9, "mean_seconds": 0.4},
        "tts": {"served": 10, "failed": 0, "busy": 0, "refused": 0, "mean_seconds": 6.0},
    }
    outcome = judge_health({"status": "healthy", "models": {}, "pools": pools})
    assert outcome.figures == {"served": 100, "failed": 3, "seconds": 6.0}
