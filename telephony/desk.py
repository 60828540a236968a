"""The operators at one live call, in the process that holds it.

They reach it through the channel layer, whichever process their page's socket ended up in: orders come in,
and for each page that attends go out the sound of both legs, or only its loudness. The call itself never
waits for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer

from .line import Line, Tap
from .session.events import Event, OperatorListened
from .session.operators import Direction, GiveBack, Operators, TakeOver, WordsToSay

logger = logging.getLogger(__name__)

PIECE_SECONDS = 0.06  # of sound in one message to a page
MOST_PIECES = 50  # waiting to be sent; more are dropped, the oldest first
ABSENT_SECONDS = 12.0  # a page says that it is there every 5 s
MICROPHONE_SILENT_SECONDS = 3.0  # without even silence from it, an operator is gone
ON_THE_WAY_SECONDS = 20.0  # until the operator who placed the call has opened their microphone
NOBODY_SPEAKS_SECONDS = 300.0  # an open microphone and a telephone off its hook
VOICE = 0.03  # loudest sample of 60 ms
_ORDERS = ("say", "whisper", "take_over", "give_back", "transfer")
FULL_SCALE = 32768


class DeskSession(Protocol):
    """What a desk needs of a `CallSession`."""

    operators: Operators

    def transfer(self, number: str, *, by: str) -> None: ...


@dataclass(slots=True)
class _Page:
    """One open page, by the channel of its socket."""

    by: str
    listens: bool
    orders: str  # the channel that it was told to send sound to
    seen_at: float


class Desk:
    """`record` stores an event; `recorder` is the line's tap while nobody attends."""

    def __init__(
        self, *, line: Line, session: DeskSession, recorder: Tap | None, record: Callable[[Event], None]
    ) -> None:
        self._line = line
        self._session = session
        self._recorder = recorder
        self._record = record
        self._pages: dict[str, _Page] = {}
        self._taken = False  # by somebody here; one who placed the call has it before they come
        self._heard_at = _now()  # loop time of the last sound from the operator who has the call
        self._voice_at = _now()  # of the last voice on either leg, while somebody attends
        self._caller, self._agent = bytearray(), bytearray()
        self._pieces: deque[tuple[bytes, bytes]] = deque(maxlen=MOST_PIECES)
        self._wake = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._piece_bytes = int(PIECE_SECONDS * line.rate) * 2

    # ---- orders -----------------------------------------------------------------------------

    def obey(self, order: dict[str, Any], channel: str) -> None:
        """`channel` is where this call takes orders; pages send their microphone's sound straight there.

        What is done to the call while somebody has taken it over is theirs alone to do. They have it in one
        of their windows: only from there it is spoken to and given back.
        """
        operators = self._session.operators
        window = order.get("window", "")
        here = window == operators.holder_window
        if order["type"] in _ORDERS and operators.holder not in ("", order["by"]):
            return
        match order:
            case {"type": "attend", "page": page, "by": by, "listens": listens}:
                self._attend(page, by, listens, channel)
            case {"type": "leave", "page": page}:
                self._leave(page)
            case {"type": "speech", "by": by, "pcm": pcm}:
                if by == operators.holder and here:
                    self._heard_at = _now()
                operators.hear(by, pcm, window)
            case {"type": "say", "text": text, "by": by}:
                operators.ask(WordsToSay(text, by))
            case {"type": "whisper", "text": text, "by": by}:
                operators.ask(Direction(text, by))
            case {"type": "take_over", "by": by}:
                if not operators.holder or not here:
                    self._heard_at = self._voice_at = _now()
                    self._taken = True
                    operators.ask(TakeOver(by, window))
                    self._tell_all(self._people())
            case {"type": "give_back", "note": note, "by": by}:
                if operators.holder == by and here:
                    operators.ask(GiveBack(by, note, lost=False))
                    self._tell_all(self._people(holder=""))
            case {"type": "transfer", "number": number, "by": by}:
                self._session.transfer(number, by=by)

    def watch(self, now: float) -> None:
        """Once a second: pages and operators that went without a word."""
        for page in [page for page, row in self._pages.items() if now - row.seen_at > ABSENT_SECONDS]:
            self._leave(page)
        holder = self._session.operators.holder
        patience = MICROPHONE_SILENT_SECONDS if self._taken else ON_THE_WAY_SECONDS
        gone = now - self._heard_at > patience
        if holder and (gone or now - self._voice_at > NOBODY_SPEAKS_SECONDS):
            self._session.operators.ask(GiveBack(holder, "", lost=True))
            self._tell_all(self._people(holder=""))
            self._heard_at = self._voice_at = now

    def close(self) -> None:
        """The call is over."""
        for page in list(self._pages):
            self._leave(page)
        if self._sending:
            self._sending.cancel()

    # ---- who is here ------------------------------------------------------------------------

    def _attend(self, page: str, by: str, listens: bool, channel: str) -> None:
        known = self._pages.get(page)
        self._pages[page] = _Page(by, listens, channel, _now())
        if known and (known.listens, known.orders) == (listens, channel):
            return
        if known is None or known.orders != channel:  # a layer that was away has forgotten the old one
            self._tell(page, {"t": "attending", "orders": channel, "rate": self._line.rate})
        if (known.listens if known else False) != listens:
            self._record_listening(by, listens)
        self._line.tap = self._tap
        self._start()
        self._tell_all(self._people())

    def _leave(self, page: str) -> None:
        row = self._pages.pop(page, None)
        if row is None:
            return
        if row.listens:
            self._record_listening(row.by, False)
        if not self._pages and self._line.tap is not None:
            self._line.tap = self._recorder
        self._tell_all(self._people())

    def _record_listening(self, by: str, listens: bool) -> None:
        self._record(OperatorListened(at_seconds=self._line.seconds, by=by, listens=listens))

    def _people(self, holder: str | None = None) -> dict[str, Any]:
        """Everybody who has a page of this call open, once, and what they do."""
        holder = self._session.operators.holder if holder is None else holder
        names = dict.fromkeys(row.by for row in self._pages.values())
        listening = {row.by for row in self._pages.values() if row.listens}
        people = [{"by": by, "listens": by in listening, "holds": by == holder} for by in names]
        return {"t": "people", "people": people}

    # ---- the way out ------------------------------------------------------------------------

    def _tap(self, caller: bytes, agent: bytes) -> None:
        if self._recorder:
            self._recorder(caller, agent)
        self._caller += caller
        self._agent += agent
        if len(self._caller) >= self._piece_bytes:
            self._pieces.append((bytes(self._caller), bytes(self._agent)))
            self._caller.clear()
            self._agent.clear()
            self._wake.set()

    def _start(self) -> None:
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send_pieces())

    async def _send_pieces(self) -> None:
        while self._pages:
            await self._wake.wait()
            self._wake.clear()
            while self._pieces:
                caller, agent = self._pieces.popleft()
                of_caller, of_agent = _level(caller), _level(agent)
                if max(of_caller, of_agent) > VOICE:
                    self._voice_at = _now()
                levels = {"t": "levels", "caller": of_caller, "agent": of_agent}
                listening = any(row.listens for row in self._pages.values())
                sound = {"t": "sound", "pcm": _stereo(caller, agent)} if listening else {}
                for page, row in list(self._pages.items()):
                    await _deliver(page, levels)
                    if sound and row.listens:
                        await _deliver(page, sound)

    def _tell_all(self, message: dict[str, Any]) -> None:
        for page in self._pages:
            self._tell(page, message)

    def _tell(self, page: str, message: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(_deliver(page, message))
        _telling.add(task)
        task.add_done_callback(_telling.discard)


_telling: set[asyncio.Task[None]] = set()


async def _deliver(page: str, message: dict[str, Any]) -> None:
    try:
        await get_channel_layer().send(page, {"type": "desk", **message})
    except ChannelFull:  # a page that is behind hears gaps
        pass
    except Exception as error:  # each layer has its own kinds
        logger.warning("A page that attends a call was not told: %s", type(error).__name__)


def _stereo(caller: bytes, agent: bytes) -> bytes:
    return np.column_stack((np.frombuffer(caller, "<i2"), np.frombuffer(agent, "<i2"))).tobytes()


def _level(pcm: bytes) -> float:
    """The loudest sample, 0..1."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int32)
    return round(float(np.abs(samples).max(initial=0)) / FULL_SCALE, 4)


def _now() -> float:
    return asyncio.get_running_loop().time()
