from django.urls import path

from .calls import Calls

app_name = "telephony_rest"
_CALL = "telephony/calls/<uuid:id>"


urlpatterns = [
    path("telephony/calls", Calls.as_view({"get": "list"}), name="calls"),
    path(_CALL, Calls.as_view({"get": "retrieve", "delete": "destroy"}), name="call"),
    path(f"{_CALL}/events", Calls.as_view({"get": "events"}), name="call_events"),
    path(f"{_CALL}/transcript", Calls.as_view({"get": "transcript"}), name="call_transcript"),
    path(f"{_CALL}/recording", Calls.as_view({"get": "recording"}), name="call_recording"),
    path(f"{_CALL}/messages", Calls.as_view({"get": "messages"}), name="call_messages"),
    path(f"{_CALL}/say", Calls.as_view({"post": "say"}), name="call_say"),
    path(f"{_CALL}/whisper", Calls.as_view({"post": "whisper"}), name="call_whisper"),
    path(f"{_CALL}/transfer", Calls.as_view({"post": "transfer"}), name="call_transfer"),
    path(f"{_CALL}/hang-up", Calls.as_view({"post": "hang_up"}), name="call_hang_up"),
    path(f"{_CALL}/tags", Calls.as_view({"post": "tag"}), name="call_tags"),
    path(f"{_CALL}/tags/<str:name>", Calls.as_view({"delete": "untag"}), name="call_tag"),
    path(f"{_CALL}/notes", Calls.as_view({"get": "notes", "post": "note"}), name="call_notes"),
    path(f"{_CALL}/notes/<int:number>", Calls.as_view({"delete": "unnote"}), name="call_note"),
]
