"""Which client answers for what, by the settings."""

import pytest

from mlservices import registry, services
from mlservices.catalog import BY_ID
from mlservices.clients.detector import BatchedDetector
from mlservices.clients.openai import OpenAIChat
from mlservices.clients.openai_audio import OpenAIHearing, OpenAIVoice
from mlservices.clients.service import ServiceClient
from mlservices.errors import EngineError
from mlservices.prepare import stamp
from mlservices.service.layout import configured_models, plans

CACHED = (
    services._own,
    services._a_space,
    services._waking,
    registry._openai_chat,
    registry._openai_hearing,
    registry._openai_voice,
    registry._fallback_hearing,
    registry._fallback_voice,
    registry._fallback_chat,
    registry.voice_detector,
)
SPACE = "https://someone-voice.hf.space"


@pytest.fixture(autouse=True)
async def fresh():
    """No client of another test, and none left for the next."""

    def forget():
        for cached in CACHED:
            cached.cache_clear()

    forget()
    yield
    await registry.close()
    forget()


def names(fallback):
    return [choice.name for choice in fallback._choices]


def test_the_rate_is_that_of_the_engine_that_will_speak(settings):
    settings.TTS_ENGINE = "piper-joe"
    assert registry.speech_rate() == registry.speech_rate("default") == BY_ID["piper-joe"].rate
    assert registry.speech_rate(model="styletts2") == BY_ID["styletts2"].rate != BY_ID["piper-joe"].rate
    settings.HF_ML_API_URL = "https://you-voice.hf.space"
    assert registry.speech_rate() == 24000


async def test_all_engines_are_reached_by_one_client_of_the_service():
    clients = {
        id(metered().client)
        for metered in (
            registry.speech_to_text,
            registry.text_to_speech,
            registry.speech_finder,
            registry.embedder,
            registry.turn_judge,
        )
    }
    assert clients == {id(registry.service())}
    assert isinstance(registry.service(), ServiceClient)
    assert isinstance(registry.voice_detector(), BatchedDetector)
    assert registry.voice_detector() is registry.voice_detector()


async def test_the_configured_language_models_are_offered_the_best_first(settings):
    assert [id for id, _ in registry.chat_models()] == ["local"]
    settings.AI_INTEGRATIONS_OPENAI_API_KEY = "sk-test"
    settings.NVIDIA_API_KEY = "nv-test"
    assert [id for id, _ in registry.chat_models()] == ["openai", "nvidia", "local"]
    assert all(label for _, label in registry.chat_models())
    settings.ML_LLM_WORKERS = 0
    assert [id for id, _ in registry.chat_models()] == ["openai", "nvidia"]


async def test_each_language_model_has_its_client(settings):
    assert registry.chat_model("local").client is registry.service()
    settings.AI_INTEGRATIONS_OPENAI_API_KEY = "sk-test"
    assert isinstance(registry.chat_model("openai").client, OpenAIChat)
    settings.NVIDIA_API_KEY = "nv-test"
    settings.ML_FALLBACK = ("local",)
    assert isinstance(registry.chat_model("nvidia").client, OpenAIChat)
    assert registry.chat_model("nvidia").client is not registry.chat_model("openai").client
    assert registry.chat_model("local").client is registry.service()


async def test_remote_models_stand_in_for_the_services_own_and_for_each_other(settings):
    settings.AI_INTEGRATIONS_OPENAI_API_KEY = "sk-test"
    settings.NVIDIA_API_KEY = "nv-test"
    assert names(registry.chat_model("local")) == ["local", "NVIDIA", "OpenAI"]
    assert names(registry.chat_model("openai")) == ["OpenAI", "NVIDIA"], (
        "never a small one that makes things up"
    )
    assert names(registry.chat_model("nvidia")) == ["NVIDIA", "OpenAI"]
    assert registry.chat_model("local") is registry.chat_model("local")
    settings.HF_ML_API_URL = SPACE
    settings.ML_FALLBACK = ("space", "local", "openai")
    space = "Space someone-voice.hf.space"
    assert names(registry.chat_model("local")) == [space, "local", "NVIDIA", "OpenAI"]
    settings.ML_LLM_WORKERS = 0
    assert names(registry.chat_model("local")) == [space, "NVIDIA", "OpenAI"]


async def test_further_models_of_ours_are_asked_before_a_remote_one(settings):
    settings.NVIDIA_API_KEY = "nv-test"
    settings.LLM_FALLBACK = ["transformers-smollm2-135m"]
    fallback = registry.chat_model("local")
    assert names(fallback) == ["local", "transformers-smollm2-135m", "NVIDIA"]
    assert fallback is registry.chat_model("local")


async def test_the_local_pools_stand_in_for_a_space_where_they_are_named(settings):
    settings.HF_ML_API_URL = SPACE
    settings.ML_FALLBACK = ("space", "local")
    hearing, voice = registry.speech_to_text(), registry.text_to_speech()
    assert hearing._choices[0].outage is voice._choices[0].outage, "what one learns both know"
    for fallback in (hearing, voice):
        assert names(fallback) == ["Space someone-voice.hf.space", "local"]
        space, local = fallback._choices
        assert local.client is registry.own_service()
        assert space.client is not registry.service(), "while it sleeps it is not waited for"
        assert space.wake
    assert registry.speech_to_text() is registry.speech_to_text()
    assert {settings.STT_ENGINE, settings.TTS_ENGINE, settings.LLM_ENGINE} < set(configured_models())
    settings.ML_FALLBACK = ("local", "space")
    assert names(registry.text_to_speech()) == ["local", "Space someone-voice.hf.space"]


async def test_who_stands_in_does_not_know_the_voices_of_the_first(settings):
    settings.HF_ML_API_URL = SPACE
    settings.ML_FALLBACK = ("space", "local")
    space, local = registry.text_to_speech()._choices
    assert [local.voice(voice) for voice in ("anna", settings.TTS_ENGINE)] == ["default", settings.TTS_ENGINE]
    assert space.voice("anna") == "default"
    assert local.voice("de-anna-f") == "default"
    settings.ML_MODELS = ["parler-tts-multilingual"]
    assert local.voice("de-anna-f") == "de-anna-f", "a model that runs speaks it"
    assert registry.first_voice().client is registry.service(), "what is recorded is not spoken by a stand-in"


def test_what_is_wrong_with_a_language_or_model_is_known_of_our_own_models_alone(settings):
    assert registry.unheard("en") == registry.unheard("auto") == {}
    assert registry.unheard("de", "whisper-large-v3-turbo") == {}
    assert set(registry.unheard("de")) == {"language"}
    assert set(registry.unheard("de", "piper-joe")) == {"model"}
    settings.HF_ML_API_URL = SPACE
    assert registry.unheard("tlh", "whatever") == {}


async def test_voices_leave_this_machine_only_where_a_model_is_named(settings):
    settings.AI_INTEGRATIONS_OPENAI_API_KEY = "sk-test"
    settings.ML_FALLBACK = ("local", "openai")
    assert registry.speech_to_text().client is registry.text_to_speech().client is registry.own_service()
    settings.OPENAI_STT_MODEL, settings.OPENAI_TTS_MODEL = "whisper-1", "tts-1"
    assert names(registry.speech_to_text()) == names(registry.text_to_speech()) == ["local", "OpenAI"]
    settings.ML_FALLBACK = ("openai",)
    assert isinstance(registry.speech_to_text().client, OpenAIHearing)
    assert isinstance(registry.text_to_speech().client, OpenAIVoice)
    assert settings.STT_ENGINE not in configured_models()
    assert registry.chat_models() == [("openai", "gpt-4o-mini (OpenAI)")]
    settings.OPENAI_STT_MODEL = ""
    with pytest.raises(EngineError, match=r"Nothing hears.*ML_FALLBACK") as caught:
        registry.speech_to_text()
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("model_id", "remedy"),
    [
        ("openai", "set AI_INTEGRATIONS_OPENAI_API_KEY"),
        ("nvidia", "set NVIDIA_API_KEY"),
        ("gone", "choose one of local"),
    ],
)
async def test_a_language_model_that_is_not_configured_names_the_remedy(model_id, remedy):
    with pytest.raises(EngineError, match=remedy) as caught:
        registry.chat_model(model_id)
    assert caught.value.permanent


async def test_the_hubs_token_goes_to_a_space_and_to_nobody_else(settings):
    settings.HF_TOKEN = "hf-secret"
    assert "authorization" not in registry.service()._clients.get().headers
    settings.HF_ML_API_URL = SPACE
    assert registry.service()._clients.get().headers["authorization"] == "Bearer hf-secret"
    assert "authorization" not in registry.own_service()._clients.get().headers


async def test_a_space_does_the_large_work_and_the_service_beside_us_the_rest(settings):
    settings.HF_ML_API_URL = SPACE
    space, ours = registry.service(), registry.own_service()
    assert (
        registry.speech_to_text().client
        is registry.text_to_speech().client
        is registry.chat_model("local").client
        is space
    )
    assert registry.embedder().client is registry.turn_judge().client is ours is not space
    assert str(ours._clients.get().base_url) == f"http://127.0.0.1:{settings.ML_PORT}"
    assert {plan.model.pool for plan in plans() if plan.at_start} == {"embed", "vad"}
    assert {"minilm-l6", "silero-vad"} < set(configured_models())


def test_where_there_is_a_gpu_the_large_models_that_are_here_are_loaded_at_the_start(settings, tmp_path):
    settings.MODELS_DIR = tmp_path
    (tmp_path / "chatterbox").mkdir()
    stamp.write(tmp_path / "chatterbox", BY_ID["chatterbox"], {})
    at_start = {plan.model.id: plan.workers for plan in plans(has_gpu=True) if plan.at_start}
    assert at_start["chatterbox"] == settings.ML_TTS_WORKERS
    assert "higgs_audio_v2" not in at_start
    assert "chatterbox" not in {plan.model.id for plan in plans() if plan.at_start}


async def test_closing_ends_what_was_open():
    service, detector = registry.service(), registry.voice_detector()
    http = service._clients.get()
    detector.open(lambda probability: None, rate=8000)
    thread = detector._thread
    await registry.close()
    assert http.is_closed
    assert not thread.is_alive()
