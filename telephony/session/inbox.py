"""What happens to a call, in its order, and what of it waits until the agent has been heard out."""

from __future__ import annotations

import asyncio

from .listener import Turn
from .operators import Request
from .reply import Reply


class TimeUp:
    """The longest call has lasted."""


# Ends of turns and replies, digits, what operators ask; None is only a reason to look at the clock anew.
Happening = Turn | str | Request | Reply | TimeUp | None


class Inbox(asyncio.Queue[Happening]):
    def __init__(self) -> None:
        super().__init__()
        self._put_aside: list[Turn | str | Request] = []
        self.awaited: Turn | None = None  # the turn at hand, until it is taken in

    def put_aside(self, happening: Turn | str | Request) -> None:
        self._put_aside.append(happening)

    def take_up_again(self) -> bool:
        """What was put aside happens now; whether there was any."""
        put_aside, self._put_aside = self._put_aside, []
        for happening in put_aside:
            self.put_nowait(happening)
        return bool(put_aside)

    def turns_left(self) -> list[Turn]:
        """Those that ended, and were not taken in."""
        left = [self.awaited, *self._put_aside, *(self.get_nowait() for _ in range(self.qsize()))]
        return [happening for happening in left if isinstance(happening, Turn)]
