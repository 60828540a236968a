"""A file over HTTP, whole or the part that a player asks for (RFC 9110, section 14)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import IO

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

CHUNK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})$")


def ranged(request: HttpRequest, file: IO[bytes], *, size: int, content_type: str) -> HttpResponseBase:
    """200 with all of it, 206 with the one range asked for, or 416 where that lies outside the file.

    Several ranges at once are answered with the whole file, as the RFC allows. Closes the file.
    """
    asked = _RANGE.match(request.headers.get("Range", ""))
    partial = asked is not None and asked.group(0) != "bytes=-"
    start, end = _bounds(asked.group(1), asked.group(2), size) if asked and partial else (0, size - 1)
    if partial and (start > end or start >= size):
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    response = StreamingHttpResponse(
        _read(file, start, end - start + 1), status=206 if partial else 200, content_type=content_type
    )
    response["Accept-Ranges"] = "bytes"
    response["Content-Length"] = str(end - start + 1)
    if partial:
        response["Content-Range"] = f"bytes {start}-{end}/{size}"
    return response


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """First and last byte asked for; `-500` are the last 500."""
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1


async def _read(file: IO[bytes], start: int, length: int) -> AsyncIterator[bytes]:
    """Piece by piece in a thread: the event loop carries calls and never waits for a disk."""
    with file:
        file.seek(start)
        while length > 0:
            chunk = await asyncio.to_thread(file.read, min(CHUNK_BYTES, length))
            if not chunk:
                return
            length -= len(chunk)
            yield chunk
