"""Which ability each address asks for. An address that is not here is refused to everybody.

`tests/access` walks all of them with every role and with nobody signed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Rule:
    """The abilities needed to read (GET, HEAD) and to change (everything else), `delete` where that asks for
    another; None refuses it to all, ANYBODY asks for no account, SIGNED_IN only for one."""

    read: str | None = None
    change: str | None = None
    delete: str | None = None

    def needed(self, method: str | None) -> str | None:
        if method == "DELETE" and self.delete:
            return self.delete
        return self.read if method in READING else self.change


ANYBODY, SIGNED_IN = "anybody", "signed in"
BY_KEY = "by key"  # of a socket that may be sent an API key in its first message, and then asks who it is of


def meets(user: Any, needed: str) -> bool:
    """Whether somebody who is signed in has what a rule names."""
    return needed in (ANYBODY, SIGNED_IN) or user.has_perm(needed)


_CALLS = "telephony.view_calls"
_DIRECT = "telephony.direct_calls"
_ANNOTATE = "telephony.annotate_calls"
_EXPORT = "telephony.export_calls"
_LINES = "telephony.view_lines"
_MANAGE_LINES = "telephony.manage_lines"
_PLACE = "telephony.place_calls"
_MODELS = "mlservices.view_models"
_MANAGE = "mlservices.manage_models"
_USE = "mlservices.use_models"
_PEOPLE = "voiceforge_site.manage_people"
_KEYS = "voiceforge_site.have_keys"
_STATUS = "voiceforge_site.view_status"
_AUDIT = "voiceforge_site.view_audit"

# Name of an address: what it asks for.
PAGES: dict[str, Rule] = {
    "home": Rule(_CALLS),
    "services": Rule(_CALLS),
    "status": Rule(_STATUS),
    "service_status": Rule(_STATUS, "voiceforge_site.check_services"),
    "palette": Rule(SIGNED_IN),
    "session": Rule(SIGNED_IN),
    "health": Rule(ANYBODY),
    "login": Rule(ANYBODY, ANYBODY),
    "login_code": Rule(ANYBODY, ANYBODY),
    "logout": Rule(None, ANYBODY),
    "invitation": Rule(ANYBODY, ANYBODY),
    "password_rules": Rule(None, ANYBODY),
    "profile:profile": Rule(SIGNED_IN, SIGNED_IN),
    "profile:password": Rule(None, SIGNED_IN),
    "profile:end_session": Rule(None, SIGNED_IN),
    "profile:codes": Rule(SIGNED_IN, SIGNED_IN),
    "profile:codes_off": Rule(None, SIGNED_IN),
    "profile:recovery_codes": Rule(None, SIGNED_IN),
    "usage:usage": Rule("mlservices.view_usage"),
    "usage:add_price": Rule(None, "mlservices.set_prices"),
    "usage:delete_price": Rule(None, "mlservices.set_prices"),
    "audit:list": Rule(_AUDIT),
    "audit:entry": Rule(_AUDIT),
    "audit:check": Rule(None, _AUDIT),
    "audit:export": Rule(None, _AUDIT),
    "audit:account": Rule(_LINES),
    "people:list": Rule(_PEOPLE),
    "people:invite": Rule(_PEOPLE, _PEOPLE),
    "people:roles": Rule(_PEOPLE),
    "people:withdraw": Rule(None, _PEOPLE),
    "people:person": Rule(_PEOPLE),
    "people:role": Rule(None, _PEOPLE),
    "people:deactivate": Rule(None, _PEOPLE),
    "people:reactivate": Rule(None, _PEOPLE),
    "people:sign_out": Rule(None, _PEOPLE),
    "people:new_password": Rule(None, _PEOPLE),
    "people:codes_off": Rule(None, _PEOPLE),
    "keys:list": Rule(_KEYS),
    "keys:new": Rule(_KEYS, _KEYS),
    "keys:key": Rule(_KEYS, _KEYS),
    "keys:rotate": Rule(None, _KEYS),
    "keys:revoke": Rule(None, _KEYS),
    "agents:list": Rule("agents.view_agents"),
    "agents:new": Rule("agents.change_agents", "agents.change_agents"),
    "agents:edit": Rule("agents.view_agents", "agents.change_agents"),
    "agents:duplicate": Rule(None, "agents.change_agents"),
    "agents:bulk": Rule(None, "agents.change_agents"),
    "agents:history": Rule("agents.view_agents"),
    "agents:restore": Rule(None, "agents.change_agents"),
    "agents:speak": Rule(None, "agents.try_agents"),
    "agents:tokens": Rule(None, "agents.change_agents"),
    "agents:try": Rule("agents.try_agents", "agents.try_agents"),
    "agents:with_voice": Rule("agents.change_agents"),
    "flows:list": Rule("agents.view_agents"),
    "flows:new": Rule(None, "agents.change_agents"),
    "flows:generate": Rule("agents.change_agents"),
    "flows:write": Rule(None, "agents.change_agents"),
    "flows:keep": Rule(None, "agents.change_agents"),
    "flows:templates": Rule("agents.change_agents"),
    "flows:from_template": Rule(None, "agents.change_agents"),
    "flows:import": Rule(None, "agents.change_agents"),
    "flows:edit": Rule("agents.view_agents"),
    "flows:draft": Rule(None, "agents.change_agents"),
    "flows:try": Rule(None, "agents.try_agents"),
    "flows:review": Rule("agents.change_agents"),
    "flows:publish": Rule(None, "agents.change_agents"),
    "flows:export": Rule("agents.view_agents"),
    "flows:versions": Rule("agents.view_agents"),
    "flows:version": Rule("agents.view_agents"),
    "flows:roll_back": Rule(None, "agents.change_agents"),
    "flows:tests": Rule("agents.view_agents"),
    "flows:new_test": Rule("agents.change_agents", "agents.change_agents"),
    "flows:require_tests": Rule(None, "agents.change_agents"),
    "flows:test": Rule("agents.view_agents", "agents.change_agents"),
    "flows:run_test": Rule(None, "agents.try_agents"),
    "flows:delete_test": Rule(None, "agents.change_agents"),
    "flows:duplicate": Rule(None, "agents.change_agents"),
    "flows:delete": Rule(None, "agents.change_agents"),
    "knowledge:list": Rule("agents.view_agents", "agents.change_agents"),
    "knowledge:base": Rule("agents.view_agents"),
    "knowledge:add": Rule(None, "agents.change_agents"),
    "knowledge:ask": Rule(None, "agents.try_agents"),
    "knowledge:delete": Rule(None, "agents.change_agents"),
    "knowledge:source": Rule(None, "agents.change_agents"),
    "tools:list": Rule("agents.view_agents"),
    "tools:new": Rule("agents.change_agents", "agents.change_agents"),
    "tools:edit": Rule("agents.view_agents", "agents.change_agents"),
    "tools:try": Rule(None, "agents.change_agents"),
    "tools:try_new": Rule(None, "agents.change_agents"),
    "tools:delete": Rule(None, "agents.change_agents"),
    "tools:servers": Rule("agents.view_agents"),
    "tools:new_server": Rule("agents.change_agents", "agents.change_agents"),
    "tools:server": Rule("agents.view_agents", "agents.change_agents"),
    "tools:read_server": Rule(None, "agents.change_agents"),
    "tools:choose_tools": Rule(None, "agents.change_agents"),
    "tools:delete_server": Rule(None, "agents.change_agents"),
    "voices:list": Rule("agents.view_agents"),
    "voices:preview": Rule(None, "agents.try_agents"),
    "voices:favourite": Rule(None, "agents.change_agents"),
    "models:list": Rule(_MODELS),
    "models:memory": Rule(_MODELS),
    "models:row": Rule(_MODELS),
    "models:change": Rule(None, _MANAGE),
    "telephony:talk": Rule("agents.try_agents"),
    "telephony:talk_start": Rule(None, "agents.try_agents"),
    "telephony:agent_usage": Rule("agents.view_agents"),
    "telephony:agents_numbers": Rule("agents.view_agents"),
    "telephony:pauses": Rule("agents.view_agents"),
    "telephony:numbers": Rule("agents.view_agents", "telephony.assign_numbers"),
    "lines:accounts": Rule(_LINES),
    "lines:account_new": Rule(_MANAGE_LINES, _MANAGE_LINES),
    "lines:credential": Rule(_LINES, _MANAGE_LINES),
    "lines:account_secret": Rule(None, _MANAGE_LINES),
    "lines:account_check": Rule(None, _MANAGE_LINES),
    "lines:account_import": Rule(None, _MANAGE_LINES),
    "lines:account_notices": Rule(None, _MANAGE_LINES),
    "lines:account_delete": Rule(None, _MANAGE_LINES),
    "lines:sip": Rule(_LINES),
    "lines:sip_new": Rule(_MANAGE_LINES, _MANAGE_LINES),
    "lines:sip_line": Rule(_LINES, _MANAGE_LINES),
    "lines:sip_delete": Rule(None, _MANAGE_LINES),
    "lines:numbers": Rule(_LINES),
    "lines:search": Rule(_MANAGE_LINES),
    "lines:buy": Rule(None, _MANAGE_LINES),
    "lines:blocked": Rule(_LINES, "telephony.assign_numbers"),
    "lines:unblock": Rule(None, "telephony.assign_numbers"),
    "lines:number": Rule(_LINES, "telephony.assign_numbers"),
    "lines:import": Rule(None, _MANAGE_LINES),
    "lines:hooks": Rule(None, _MANAGE_LINES),
    "lines:remove": Rule(None, _MANAGE_LINES),
    "outbound:dial": Rule(_PLACE, _PLACE),
    "outbound:follow": Rule(_PLACE),
    "outbound:about_number": Rule(_PLACE),
    "outbound:never": Rule(_PLACE, _PLACE),
    "outbound:allow": Rule(None, _PLACE),
    "outbound:cancel": Rule(None, _PLACE),
    "telephony:history": Rule(_CALLS),
    "telephony:live": Rule(_CALLS),
    "telephony:live_count": Rule(_CALLS),
    "telephony:messages": Rule(_CALLS),
    "telephony:change_messages": Rule(None, "telephony.handle_messages"),
    "telephony:usage": Rule(_CALLS),
    "telephony:call": Rule(_CALLS),
    "telephony:recording": Rule("telephony.hear_recordings"),
    "telephony:provider_recording": Rule("telephony.hear_recordings"),
    "telephony:recording_again": Rule(None, "telephony.hear_recordings"),
    "telephony:hang_up": Rule(None, _DIRECT),
    "telephony:say": Rule(None, _DIRECT),
    "telephony:whisper": Rule(None, _DIRECT),
    "telephony:take_over": Rule(None, _DIRECT),
    "telephony:give_back": Rule(None, _DIRECT),
    "telephony:transfer": Rule(None, _DIRECT),
    "telephony:walk": Rule(_CALLS),
    "telephony:flow_traffic": Rule(_CALLS),
    "telephony:afterwards": Rule(_CALLS),
    "telephony:transcript_file": Rule(_CALLS),
    "telephony:events_file": Rule(_CALLS),
    "telephony:csv_file": Rule(_CALLS),
    "telephony:call_tags": Rule(_CALLS, _ANNOTATE),
    "telephony:call_notes": Rule(_CALLS, _ANNOTATE),
    "telephony:tag_chosen": Rule(None, _ANNOTATE),
    "telephony:delete_chosen": Rule(None, "telephony.delete_calls"),
    "telephony:exports": Rule(_EXPORT, _EXPORT),
    "telephony:cancel_export": Rule(None, _EXPORT),
    "telephony:export_file": Rule(_EXPORT),
    "api:tts": Rule(None, _USE),
    "api:stt": Rule(None, _USE),
    "api:vad": Rule(None, _USE),
    "api:chat": Rule(None, _USE),
    "api:voices": Rule(_USE),
    "api:voice_library": Rule(_USE),
    "api:models": Rule(_USE),
    "api:model": Rule(_MODELS, _MANAGE),
    "api:change_model": Rule(None, _MANAGE),
    "api:usage": Rule(_USE),
    "api:metrics": Rule(_USE),
    "agents_rest:agents": Rule("agents.view_agents", "agents.change_agents"),
    "agents_rest:agent": Rule("agents.view_agents", "agents.change_agents"),
    "agents_rest:duplicate_agent": Rule(None, "agents.change_agents"),
    "agents_rest:agent_versions": Rule("agents.view_agents"),
    "agents_rest:restore_agent": Rule(None, "agents.change_agents"),
    "telephony_rest:calls": Rule(_CALLS),
    "telephony_rest:call": Rule(_CALLS, delete="telephony.delete_calls"),
    "site_rest:keys": Rule(_KEYS, _KEYS),
    "site_rest:key": Rule(_KEYS, _KEYS),
    "site_rest:rotate_key": Rule(None, _KEYS),
    "site_rest:audit": Rule("voiceforge_site.view_audit"),
    "site_rest:users": Rule(_PEOPLE),
    "site_rest:me": Rule(SIGNED_IN),
    "site_rest:invite": Rule(None, _PEOPLE),
    "site_rest:user": Rule(_PEOPLE, _PEOPLE),
    "site_rest:sign_out": Rule(None, _PEOPLE),
    "telephony_rest:messages": Rule(_CALLS),
    "telephony_rest:message": Rule(_CALLS, "telephony.handle_messages"),
    "telephony_rest:accounts": Rule(_LINES, _MANAGE_LINES),
    "telephony_rest:account": Rule(_LINES, _MANAGE_LINES),
    "telephony_rest:account_check": Rule(None, _MANAGE_LINES),
    "telephony_rest:account_import": Rule(None, _MANAGE_LINES),
    "telephony_rest:numbers": Rule(_LINES),
    "telephony_rest:offers": Rule(_MANAGE_LINES),
    "telephony_rest:buy": Rule(None, _MANAGE_LINES),
    "telephony_rest:number": Rule(_LINES, "telephony.assign_numbers", delete=_MANAGE_LINES),
    "telephony_rest:give_back": Rule(None, _MANAGE_LINES),
    "telephony_rest:hooks": Rule(None, _MANAGE_LINES),
    "telephony_rest:blocked": Rule(_LINES, "telephony.assign_numbers"),
    "telephony_rest:unblock": Rule(None, "telephony.assign_numbers"),
    "telephony_rest:call_events": Rule(_CALLS),
    "telephony_rest:call_transcript": Rule(_CALLS),
    "telephony_rest:call_recording": Rule("telephony.hear_recordings"),
    "telephony_rest:call_messages": Rule(_CALLS),
    "telephony_rest:call_say": Rule(None, _DIRECT),
    "telephony_rest:call_whisper": Rule(None, _DIRECT),
    "telephony_rest:call_transfer": Rule(None, _DIRECT),
    "telephony_rest:call_hang_up": Rule(None, _DIRECT),
    "telephony_rest:call_tags": Rule(None, _ANNOTATE),
    "telephony_rest:call_tag": Rule(None, _ANNOTATE),
    "telephony_rest:call_notes": Rule(_CALLS, _ANNOTATE),
    "telephony_rest:call_note": Rule(None, _ANNOTATE),
    # asked by machines that keep the service running, and told no more than /health/ tells
    "docs": Rule(SIGNED_IN),
    "docs_of_a_space": Rule(SIGNED_IN),
    "openapi": Rule(ANYBODY),
    "api:health": Rule(ANYBODY),
    "api:ready": Rule(ANYBODY),
    "api:live": Rule(ANYBODY),
    # signed by the provider instead
    "telephony:twilio_voice": Rule(None, ANYBODY),
    "telephony:twilio_answered": Rule(None, ANYBODY),
    "telephony:twilio_placed": Rule(None, ANYBODY),
    "telephony:twilio_recording": Rule(None, ANYBODY),
    "telephony:twilio_status": Rule(None, ANYBODY),
    "telephony:twilio_after": Rule(None, ANYBODY),
    "telephony:twilio_dialled": Rule(None, ANYBODY),
    "telephony:zadarma_webhook": Rule(ANYBODY, ANYBODY),
}
# Path of a socket: the ability needed to open it. Media sockets are admitted by a token for one call.
SOCKETS: dict[str, str] = {
    "ws/live/": _CALLS,
    "ws/calls/<uuid:call_id>/": _CALLS,  # to listen or speak asks for more, on each message
    "ws/stt": BY_KEY,
    "ws/media/twilio/": ANYBODY,
    "ws/media/browser/": ANYBODY,
    "ws/media/sip/": ANYBODY,
}
