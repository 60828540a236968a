"""Which client answers for what, by the settings."""

import pytest

from mlservices import registry
from mlservices.catalog import BY_ID
from mlservices.clients.detector import BatchedDetector
from mlservices.clients.openai import OpenAIChat
from mlservices.clients.service import ServiceClient
from mlservices.errors import EngineError
from mlservices.prepare import stamp
from mlservices.service.layout import configured_models, plans


@pytest.fixture(autouse=True)
async def fresh():
    """No client of another test, and none left for the next."""

    def forget():
        for cached in (registry._client, registry._openai_chat, registry.voice_detector):
            cached.cache_clear()

    forget()
    yield
    await registry.close()
    forget()


async def test_all_engines_are_reached_by_one_client_of_the_service():
    clients = {
        id(client())
        for client in (
            registry.speech_to_text,
            registry.text_to_speech,
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
    settings.AI_INTEGRATIONS_OPENAI_API_KEY = "sk-test"
    settings.NVIDIA_API_KEY = "nv-test"
    assert isinstance(registry.chat_model("openai"), OpenAIChat)
    assert isinstance(registry.chat_model("nvidia"), OpenAIChat)
    assert registry.chat_model("nvidia") is not registry.chat_model("openai")
    assert registry.chat_model("local") is registry.service()


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
    settings.HF_ML_API_URL = "https://someone-voice.hf.space"
    assert registry.service()._clients.get().headers["authorization"] == "Bearer hf-secret"
    assert "authorization" not in registry.own_service()._clients.get().headers


async def test_a_space_does_the_large_work_and_the_service_beside_us_the_rest(settings):
    settings.HF_ML_API_URL = "https://someone-voice.hf.space"
    space, ours = registry.service(), registry.own_service()
    assert registry.speech_to_text() is registry.text_to_speech() is registry.chat_model("local") is space
    assert registry.embedder() is registry.turn_judge() is ours is not space
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
