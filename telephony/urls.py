from __future__ import annotations

from django.urls import path

from . import webhooks

app_name = "telephony"
urlpatterns = [
    path("telephony/twilio/voice/", webhooks.twilio_voice, name="twilio_voice"),
    path("telephony/twilio/status/", webhooks.twilio_status, name="twilio_status"),
    path("telephony/twilio/after/<uuid:call_id>/", webhooks.twilio_after, name="twilio_after"),
    path("agents/<slug:slug>/talk/start/", webhooks.talk_start, name="talk_start"),
]
