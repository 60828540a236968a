"""The site with engines that take no time but the real voice detector: what the web process itself costs."""

import gc
import os

import django
from channels.routing import ProtocolTypeRouter, URLRouter

from voiceforge_site.handler import http_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceforge_site.settings")
django.setup()

from mlservices import registry  # noqa: E402
from telephony.housekeeping import Housekeeping  # noqa: E402
from telephony.routing import sockets  # noqa: E402
from telephony.switchboard import Switchboard  # noqa: E402
from tests.fakes.exchange import FakeSuppliers  # noqa: E402
from voiceforge_site.access.gate import guarded  # noqa: E402

switchboard = Switchboard(FakeSuppliers(detector=registry.voice_detector))
application = Housekeeping(
    ProtocolTypeRouter({"http": http_application(), "websocket": URLRouter(guarded(sockets(switchboard)))}),
    switchboard,
)

gc.freeze()  # as the site does
