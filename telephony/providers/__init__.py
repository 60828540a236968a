"""The kinds of line a call can come by. To add one, copy a neighbour's folder and list it here."""

from __future__ import annotations

from functools import cache

from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from .base import Codec

# key: (label, dotted path of the codec class); a codec is made for each socket
REGISTRY = {
    "twilio": ("Twilio", "telephony.providers.twilio.codec.TwilioCodec"),
    "browser": (_("Browser"), "telephony.providers.browser.codec.BrowserCodec"),
    "sip": ("SIP", "telephony.providers.sip.codec.SipCodec"),
}


@cache
def codec_class(line: str) -> type[Codec]:
    """Raises KeyError for a line that is not registered."""
    return import_string(REGISTRY[line][1])
