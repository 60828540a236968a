from __future__ import annotations

from django.urls import path

from . import agent_parts, board, messages, numbers, operate, talk, views, webhooks

app_name = "telephony"
urlpatterns = [
    path("telephony/twilio/voice/", webhooks.twilio_voice, name="twilio_voice"),
    path("telephony/twilio/status/", webhooks.twilio_status, name="twilio_status"),
    path("telephony/twilio/after/<uuid:call_id>/", webhooks.twilio_after, name="twilio_after"),
    path("telephony/twilio/dialled/", webhooks.twilio_dialled, name="twilio_dialled"),
    path("agents/<slug:slug>/talk/", views.talk, name="talk"),
    path("agents/<slug:slug>/talk/start/", talk.talk_start, name="talk_start"),
    path("agents/pauses/", agent_parts.pauses, name="pauses"),
    path("agents/numbers/", agent_parts.agents_numbers, name="agents_numbers"),
    path("agents/<slug:slug>/usage/", agent_parts.agent_usage, name="agent_usage"),
    path("agents/<slug:slug>/numbers/", numbers.numbers, name="numbers"),
    path("calls/", views.history, name="history"),
    path("calls/live/", board.live_board, name="live"),
    path("calls/live/count/", board.live_count, name="live_count"),
    path("calls/messages/", messages.messages, name="messages"),
    path("calls/usage/", views.usage, name="usage"),
    path("calls/<uuid:call_id>/", views.call_page, name="call"),
    path("calls/<uuid:call_id>/recording.wav", views.recording, name="recording"),
    path("calls/<uuid:call_id>/say/", operate.say, name="say"),
    path("calls/<uuid:call_id>/whisper/", operate.whisper, name="whisper"),
    path("calls/<uuid:call_id>/take-over/", operate.take_over, name="take_over"),
    path("calls/<uuid:call_id>/give-back/", operate.give_back, name="give_back"),
    path("calls/<uuid:call_id>/transfer/", operate.transfer, name="transfer"),
    path("calls/<uuid:call_id>/hang-up/", operate.hang_up_call, name="hang_up"),
]
