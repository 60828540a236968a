"""The site with engines that answer at once: what real servers run in tests of sockets."""

import os

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceforge_site.settings")
django.setup()

from telephony.routing import sockets  # noqa: E402
from telephony.switchboard import Housekeeping, Switchboard  # noqa: E402
from tests.fakes.exchange import FakeSuppliers  # noqa: E402

switchboard = Switchboard(FakeSuppliers())
application = Housekeeping(
    ProtocolTypeRouter({"http": get_asgi_application(), "websocket": URLRouter(sockets(switchboard))}),
    switchboard,
)
