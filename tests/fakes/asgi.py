"""The site with engines that answer at once: what real servers run in tests of sockets."""

import os

import django
from channels.routing import ProtocolTypeRouter, URLRouter

from voiceforge_site.handler import http_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceforge_site.settings")
django.setup()

from mlservices import registry  # noqa: E402
from telephony import capacity  # noqa: E402
from telephony.housekeeping import Housekeeping  # noqa: E402
from telephony.routing import api_sockets, sockets  # noqa: E402
from telephony.switchboard import Switchboard  # noqa: E402
from tests.agents.fakes import WordEmbedder  # noqa: E402
from tests.fakes import workbench  # noqa: E402
from tests.fakes.exchange import FakeSuppliers  # noqa: E402
from tests.fakes.scripted_engines import EnergyDetector  # noqa: E402
from voiceforge_site.access.gate import admit, guarded  # noqa: E402
from voiceforge_site.access.key_use import uses  # noqa: E402

capacity.FULL_LAG_SECONDS = 5.0  # beside a browser and other tests it is late, and takes calls all the same
registry.embedder = WordEmbedder  # what a trial by text asks
workbench.install()
# G.711's silence is 8 in A-law, and 2 as some decode mu-law.
switchboard = Switchboard(FakeSuppliers(detector=lambda: EnergyDetector(floor=8)))
patterns = [*sockets(switchboard), *api_sockets(switchboard, admit)]
application = Housekeeping(
    ProtocolTypeRouter({"http": http_application(), "websocket": URLRouter(guarded(patterns))}),
    switchboard,
    uses,
)
