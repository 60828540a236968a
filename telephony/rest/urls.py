from django.urls import path

from .accounts import Accounts
from .calls import Calls
from .exports import Exports
from .messages import Messages
from .numbers import Blocked, Numbers
from .outbound import Never, Planned
from .sip import SipLines

app_name = "telephony_rest"
_CALL = "calls/<uuid:id>"
_ACCOUNT = "credentials/<int:id>"
_NUMBER = "numbers/<str:id>"
_EXPORT = "exports/<uuid:id>"
_ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}


urlpatterns = [
    path("calls", Calls.as_view({"get": "list"}), name="calls"),
    path("outbound-calls", Planned.as_view({"get": "list", "post": "create"}), name="planned_calls"),
    path(
        "outbound-calls/<uuid:id>",
        Planned.as_view({"get": "retrieve", "delete": "destroy"}),
        name="planned_call",
    ),
    path("do-not-call", Never.as_view({"get": "list", "post": "create"}), name="never"),
    path("do-not-call/<str:id>", Never.as_view({"delete": "destroy"}), name="may_be_called"),
    path("lines", SipLines.as_view({"get": "list", "post": "create"}), name="sip_lines"),
    path("lines/<int:id>", SipLines.as_view(_ONE), name="sip_line"),
    path(_CALL, Calls.as_view({"get": "retrieve", "delete": "destroy"}), name="call"),
    path(f"{_CALL}/events", Calls.as_view({"get": "events"}), name="call_events"),
    path(f"{_CALL}/transcript", Calls.as_view({"get": "transcript"}), name="call_transcript"),
    path(f"{_CALL}/recording", Calls.as_view({"get": "recording"}), name="call_recording"),
    path(f"{_CALL}/messages", Calls.as_view({"get": "messages"}), name="call_messages"),
    path(f"{_CALL}/usage", Calls.as_view({"get": "usage"}), name="call_usage"),
    path(f"{_CALL}/say", Calls.as_view({"post": "say"}), name="call_say"),
    path(f"{_CALL}/whisper", Calls.as_view({"post": "whisper"}), name="call_whisper"),
    path(f"{_CALL}/transfer", Calls.as_view({"post": "transfer"}), name="call_transfer"),
    path(f"{_CALL}/hang-up", Calls.as_view({"post": "hang_up"}), name="call_hang_up"),
    path(f"{_CALL}/tags", Calls.as_view({"post": "tag"}), name="call_tags"),
    path(f"{_CALL}/tags/<str:name>", Calls.as_view({"delete": "untag"}), name="call_tag"),
    path(f"{_CALL}/notes", Calls.as_view({"get": "notes", "post": "note"}), name="call_notes"),
    path(f"{_CALL}/notes/<int:number>", Calls.as_view({"delete": "unnote"}), name="call_note"),
    path("exports", Exports.as_view({"get": "list", "post": "create"}), name="exports"),
    path(_EXPORT, Exports.as_view({"get": "retrieve", "delete": "destroy"}), name="export"),
    path(f"{_EXPORT}/cancel", Exports.as_view({"post": "cancel"}), name="cancel_export"),
    path(f"{_EXPORT}/file", Exports.as_view({"get": "file"}), name="export_file"),
    path("messages", Messages.as_view({"get": "list"}), name="messages"),
    path("messages/<int:id>", Messages.as_view(_ONE), name="message"),
    path("credentials", Accounts.as_view({"get": "list", "post": "create"}), name="accounts"),
    path(_ACCOUNT, Accounts.as_view(_ONE), name="account"),
    path(f"{_ACCOUNT}/check", Accounts.as_view({"post": "check"}), name="account_check"),
    path(f"{_ACCOUNT}/import", Accounts.as_view({"post": "import_numbers"}), name="account_import"),
    path("numbers", Numbers.as_view({"get": "list"}), name="numbers"),
    path("numbers/offers", Numbers.as_view({"get": "offers"}), name="offers"),
    path("numbers/buy", Numbers.as_view({"post": "buy"}), name="buy"),
    path(_NUMBER, Numbers.as_view(_ONE), name="number"),
    path(f"{_NUMBER}/give-back", Numbers.as_view({"post": "give_back"}), name="give_back"),
    path(f"{_NUMBER}/hooks", Numbers.as_view({"post": "hooks"}), name="hooks"),
    path("blocked", Blocked.as_view({"get": "list", "post": "create"}), name="blocked"),
    path("blocked/<str:id>", Blocked.as_view({"delete": "destroy"}), name="unblock"),
]
