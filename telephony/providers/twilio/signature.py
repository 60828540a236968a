"""Whether a request or a handshake comes from Twilio.

Twilio signs the address it was given, so it is rebuilt from PUBLIC_URL: behind a TLS proxy the server
itself sees another scheme, host and port.
"""

from __future__ import annotations

from django.http import HttpRequest
from twilio.request_validator import HMAC_SHA1, RequestValidator, get_signature_algorithm

from ...addresses import public_url


def request_is_signed(request: HttpRequest, auth_token: str) -> bool:
    """Of a form; a JSON body, whose account could not be read here, is never asked about."""
    signature = request.headers.get("X-Twilio-Signature", "")
    # Another algorithm means another key (a SharedKey), which we do not hold.
    settings_header = request.headers.get("X-Twilio-Webhooks-Signature-Settings", "")
    if not signature or get_signature_algorithm(settings_header) != HMAC_SHA1:
        return False
    url = public_url(request.get_full_path())
    return RequestValidator(auth_token).validate(url, request.POST, signature)


def handshake_is_signed(path: str, signature: str, auth_token: str) -> bool:
    """The media socket's handshake carries no body; a slash at the end may be there or not."""
    validator = RequestValidator(auth_token)
    url = public_url(path, websocket=True)
    return any(validator.validate(candidate, {}, signature) for candidate in (url, url.rstrip("/")))
