from django.urls import path

from . import afterwards, annotations, exports, history, messages, numbers, talk, views, webhooks

app_name = "telephony"
urlpatterns = [
    path("telephony/twilio/voice/", webhooks.twilio_voice, name="twilio_voice"),
    path("telephony/twilio/status/", webhooks.twilio_status, name="twilio_status"),
    path("telephony/twilio/after/<uuid:call_id>/", webhooks.twilio_after, name="twilio_after"),
    path("telephony/twilio/dialled/", webhooks.twilio_dialled, name="twilio_dialled"),
    path("agents/<slug:slug>/talk/", views.talk, name="talk"),
    path("agents/<slug:slug>/talk/start/", talk.talk_start, name="talk_start"),
    path("agents/<slug:slug>/numbers/", numbers.numbers, name="numbers"),
    path("calls/", history.history, name="history"),
    path("calls/tag/", history.tag_chosen, name="tag_chosen"),
    path("calls/delete/", history.delete_chosen, name="delete_chosen"),
    path("calls/exports/", exports.exports, name="exports"),
    path("calls/exports/<uuid:export_id>/cancel/", exports.cancel, name="cancel_export"),
    path("calls/exports/<uuid:export_id>/calls.csv", exports.download, name="export_file"),
    path("calls/live/", views.live_board, name="live"),
    path("calls/live/count/", views.live_count, name="live_count"),
    path("calls/messages/", messages.messages, name="messages"),
    path("calls/usage/", views.usage, name="usage"),
    path("calls/<uuid:call_id>/", views.call_page, name="call"),
    path("calls/<uuid:call_id>/recording.wav", views.recording, name="recording"),
    path("calls/<uuid:call_id>/tags/", annotations.tags, name="call_tags"),
    path("calls/<uuid:call_id>/notes/", annotations.notes, name="call_notes"),
    path("calls/<uuid:call_id>/afterwards/", afterwards.afterwards, name="afterwards"),
    path("calls/<uuid:call_id>/transcript.txt", afterwards.transcript_file, name="transcript_file"),
    path("calls/<uuid:call_id>/events.json", afterwards.events_file, name="events_file"),
    path("calls/<uuid:call_id>/call.csv", afterwards.csv_file, name="csv_file"),
    path("calls/<uuid:call_id>/hang-up/", views.hang_up_call, name="hang_up"),
]
