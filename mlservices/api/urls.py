from django.urls import path

from . import chat, models, speech, status, usage

app_name = "api"
urlpatterns = [
    path("tts", speech.tts, name="tts"),
    path("stt", speech.stt, name="stt"),
    path("vad", speech.vad, name="vad"),
    path("vllm/chat", chat.chat, name="chat"),
    path("voices", status.voices, name="voices"),
    path("voice-library", status.voice_library, name="voice_library"),
    path("clone-voice", status.clone_voice, name="clone_voice"),
    path("models", models.models, name="models"),
    path("models/<str:model_id>", models.model, name="model"),
    path("models/<str:model_id>/<str:verb>", models.change_model, name="change_model"),
    path("health", status.health, name="health"),
    path("ready", status.ready, name="ready"),
    path("live", status.live, name="live"),
    path("usage", usage.usage, name="usage"),
]
