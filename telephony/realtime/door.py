"""What the API's sockets ask of the site, which knows keys and people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who opened a socket: a person by name, and the id of the key that stands for them, if one does."""

    name: str
    key: str = ""


Admit = Callable[..., Awaitable[Visitor]]
"""(scope, the key of the first message or "", the abilities it takes) -> who it is. Raises
`mlservices.api.socket.NotAdmitted`, with the code that closes the socket. Who was admitted is asked again
`after` seconds, or sooner if their key is revoked."""
