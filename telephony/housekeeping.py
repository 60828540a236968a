"""Ties the switchboard to the life of the web server that runs it."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from mlservices.ledger import ledger
from mlservices.writers import Writer

from .outbound.dialler import dialler
from .switchboard import Switchboard


class Housekeeping:
    """ASGI middleware: with the first thing a server asks of us the switchboard begins to watch over its
    calls, and what they ask of models is noted, as is what `writers` note; when the server stops they are
    ended.

    uvicorn and granian tell of both by lifespan; daphne knows none, its reactor tells of the stop.
    """

    def __init__(self, app: Any, switchboard: Switchboard, *writers: Writer) -> None:
        self._app = app
        self._switchboard = switchboard
        self._writers: tuple[Writer, ...] = (ledger, *writers)
        self._begun = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not self._begun:
            self._begun = True
            self._switchboard.start()
            dialler.start()
            for writer in self._writers:
                writer.open()
            self._close_with_daphne()
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await self._close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _close(self) -> None:
        dialler.close()
        await self._switchboard.close()
        for writer in self._writers:
            await asyncio.to_thread(writer.close)

    def _close_with_daphne(self) -> None:
        reactor: Any = sys.modules.get("twisted.internet.reactor")
        if reactor is None or not reactor.running:
            return
        deferred: Any = sys.modules[
            "twisted.internet.defer"
        ].Deferred  # daphne has loaded it; others do without

        def close() -> Any:  # the reactor waits for it
            return deferred.fromFuture(asyncio.ensure_future(self._close()))

        reactor.addSystemEventTrigger("before", "shutdown", close)
