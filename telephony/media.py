"""The words between a provider's media socket and a call session.

A *line* carries sound both ways as s16le mono PCM at its own rate. Nothing here waits: a line queues
what it is given and a session what it hears, both bounded, both counting what they drop.
"""

from __future__ import annotations

from typing import Protocol


class MediaLine(Protocol):
    """What a session may do to the caller's line. All calls return at once."""

    @property
    def rate(self) -> int:
        """Hz, 8000 or 16000, of the sound both ways."""

    @property
    def queued_seconds(self) -> float:
        """Of sound that was sent and has not been played yet."""

    @property
    def tells_played(self) -> bool:
        """Whether marks come back when their sound has been played; else when it must have been."""

    def send(self, pcm: bytes) -> None:
        """Queue sound to be played after all that was sent before."""

    def mark(self, name: str) -> None:
        """Ask to be told (`MediaSink.mark_played`) when all that was sent before has been played."""

    def press(self, digits: str) -> bool:
        """Press keys by the line's own signals, with "," and "w" for half a second between. False where the
        line has none: then only their sound can be sent."""

    def clear(self) -> None:
        """Drop all that has not been played yet. Outstanding marks come back at once."""


class MediaSink(Protocol):
    """What a line tells the session. All calls return at once."""

    def feed(self, pcm: bytes) -> None:
        """The next piece of the caller's sound, in order; pieces make up the media clock."""

    def mark_played(self, name: str) -> None: ...

    def press(self, digit: str) -> None:
        """A key on the caller's telephone: one of 0-9 * # A-D."""

    def hold(self, held: bool) -> None:
        """The caller has put us on hold, or is back."""

    def write(self, text: str) -> None:
        """A turn of the caller's in writing."""

    def pause(self, paused: bool) -> None:
        """The caller wants the agent neither to speak nor to listen, or wants it back."""

    def line_closed(self, reason: str) -> None:
        """The caller hung up, or the socket is gone."""
