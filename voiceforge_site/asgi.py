import gc
import os
import sys
from urllib.parse import ParseResult

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

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


class OwnPages(OriginValidator):
    """Keeps other sites' pages from opening our sockets with a visitor's cookie.

    A provider's media stream is no page and says no origin; it has no cookie to misuse either.
    """

    def valid_origin(self, parsed_origin: ParseResult | None) -> bool:
        return parsed_origin is None or super().valid_origin(parsed_origin)


programs = [*api_sockets(switchboard, admit), *model_sockets(admit_to_api)]
patterns = guarded([*websocket_urlpatterns, *programs])
sockets = OwnPages(URLRouter(patterns), settings.ALLOWED_HOSTS)
application = Housekeeping(ProtocolTypeRouter({"http": http, "websocket": sockets}), switchboard)
# What is loaded by now stays: looking through all of it for garbage stops every call for a tenth of a second.
gc.freeze()
