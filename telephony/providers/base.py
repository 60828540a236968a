"""What every provider's media socket says, whatever its words for it, and the translator's shape.

A codec is sans-I/O: one message in, one happening out, and back. It never closes a socket and never
raises on what a peer sends: what it cannot read is `Unreadable`, what does not concern it `Ignored`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

# No message of any provider is longer than a few hundred bytes; a reader may refuse longer ones unread.
LONGEST_MESSAGE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Started:
    """The socket says whose it is."""

    token: str
    provider_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """Sound of the caller. `at_ms` is the provider's own clock, where it tells one."""

    pcm: bytes
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """All that was sent before this mark has been played, or was dropped by a clear."""

    mark: str


@dataclass(frozen=True, slots=True)
class Pressed:
    digit: str


@dataclass(frozen=True, slots=True)
class OnHold:
    """The caller has put us on hold, or is back."""

    held: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """The caller hung up, or the provider ended the stream."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that asks for nothing."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that is none; `why` quotes nothing of it."""

    why: str


WireEvent = Started | Heard | Played | Pressed | OnHold | Stopped | Ignored | Unreadable
IGNORED = Ignored()
KEYS = frozenset("0123456789*#ABCD")


class Encoder(Protocol):
    """What a line says to one socket. Messages out are text or bytes, ready to be sent."""

    rate: int

    def media(self, pcm: bytes) -> str | bytes: ...

    def mark(self, name: str) -> str: ...

    def clear(self) -> str: ...

    def keys(self, digits: str) -> str | None:
        """Keys to be pressed by signals of the line's own; None where it has none."""

    def ended(self, reason: str, transfer_to: str) -> str | None:
        """What to say before closing, if anything."""


class Codec(Encoder, Protocol):
    """One socket's translator, both ways."""

    def decode(self, message: str | bytes) -> WireEvent: ...

    def ready(self, call_id: str) -> str | None:
        """What to say once admitted, if anything."""
