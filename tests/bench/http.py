"""HTTP in as little time as can be: whoever asks shares the machine with who answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit


class Connection:
    """One that is kept and asked again; opened anew once it is broken."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str, headers: Mapping[str, str]) -> int:
        """The status, once all of the answer is there; 0 where it did not come."""
        try:
            return await self._asked(path, headers)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return 0

    async def _asked(self, path: str, headers: Mapping[str, str]) -> int:
        if self._streams and self._streams[0].at_eof():  # the server closes what is idle for long
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        lines = [
            f"{name}: {value}\r\n"
            for name, value in {"Host": f"{self._host}:{self._port}", **headers}.items()
        ]
        writer.write(f"GET {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b"transfer-encoding: chunked" in head:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        else:
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        if self._streams:
            with suppress(OSError):
                self._streams[1].close()
        self._streams = None
