import gc
import os
import sys
from typing import Any
from urllib.parse import ParseResult

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import re_path

from voiceforge_site.handler import http_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceforge_site.settings")
try:
    http = http_application()
except ImproperlyConfigured as error:
    sys.exit(str(error))

from mlservices.api.routing import sockets as model_sockets
from telephony.housekeeping import Housekeeping
from telephony.routing import api_sockets, switchboard, websocket_urlpatterns
from voiceforge_site.access.gate import admit, admit_to_api, guarded
from voiceforge_site.access.key_use import uses
from voiceforge_site.parting import MayLeave


class OwnPages(OriginValidator):
    """Keeps other sites' pages from opening our sockets with a visitor's cookie.

    A provider's media stream is no page and says no origin; it has no cookie to misuse either.
    """

    def valid_origin(self, parsed_origin: ParseResult | None) -> bool:
        return parsed_origin is None or super().valid_origin(parsed_origin)


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    """An address that no socket has."""
    await send({"type": "websocket.close"})


programs = [*api_sockets(switchboard, admit), *model_sockets(admit_to_api)]
patterns = guarded([*websocket_urlpatterns, *programs])
last = re_path("", nowhere)  # type: ignore[arg-type]  # Django knows views alone
sockets = MayLeave(OwnPages(URLRouter([*patterns, last]), settings.ALLOWED_HOSTS))
application = Housekeeping(ProtocolTypeRouter({"http": http, "websocket": sockets}), switchboard, uses)
# What is loaded by now stays: looking through all of it for garbage stops every call for a tenth of a second.
gc.freeze()
