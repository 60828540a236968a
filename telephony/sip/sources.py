"""What the stack logs: its trace of messages, of which we learn where calls come from, and its complaints.

The trace goes no further: it holds what people dial, and how they sign in. A complaint may quote an account.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
from collections import OrderedDict

from ..sip_lines import Network

COMPLAINTS, TRACE = "baresip.native", "baresip.native.sip"
MOST_KEPT = 1000
WAIT_SECONDS = 1.0  # the trace may come a moment after the call itself
LOOK_SECONDS = 0.01

_INVITE = re.compile(r"RX \w+ (?P<source>\S+) -> \S+\s+INVITE ")
_PASSWORD = re.compile(r'(auth_pass="?)[^";]*')
_CALL_ID = re.compile(r"^(?:call-id|i)\s*:\s*(?P<call_id>\S+)", re.IGNORECASE | re.MULTILINE)


class Sources(logging.Handler):
    """The addresses that INVITEs came from, by Call-ID; of the newest only."""

    def __init__(self) -> None:
        super().__init__()
        self._addresses: OrderedDict[str, str] = OrderedDict()

    def listen(self) -> None:
        """To the trace, and keep it, and passwords, from the log."""
        logging.getLogger("baresip").setLevel(logging.WARNING)
        logging.getLogger(COMPLAINTS).addFilter(without_passwords)
        trace = logging.getLogger(TRACE)
        trace.setLevel(logging.DEBUG)
        trace.propagate = False
        trace.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """On the stack's own thread."""
        message = record.getMessage()
        invite, call_id = _INVITE.match(message), _CALL_ID.search(message)
        if invite and call_id:
            address = invite["source"].rpartition(":")[0].strip("[]")
            self._addresses[call_id["call_id"]] = address
            while len(self._addresses) > MOST_KEPT:
                self._addresses.popitem(last=False)

    async def of(self, call_id: str) -> str:
        """Empty if nothing is known of that call."""
        for _ in range(int(WAIT_SECONDS / LOOK_SECONDS)):
            if address := self._addresses.get(call_id):
                return address
            await asyncio.sleep(LOOK_SECONDS)
        return ""


def without_passwords(record: logging.LogRecord) -> bool:
    """A filter that lets everything pass."""
    record.msg, record.args = _PASSWORD.sub(r"\1***", record.getMessage()), ()
    return True


async def networks_of(host: str) -> list[Network]:
    """The addresses that a name has at the moment; none if it has no address of its own."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except OSError:
        return []
    return [ipaddress.ip_network(str(address[0]).partition("%")[0]) for *_, address in found]
