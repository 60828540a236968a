"""What the worker does for knowledge bases."""

from __future__ import annotations

import logging

from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.utils import timezone

from mlservices import registry
from mlservices.errors import EngineError
from mlservices.happenings import tell_of_job
from mlservices.interfaces import Embedder

from .. import outside
from ..models import Passage, Source
from .actions import changed
from .passages import embedded, passages_of
from .reading import LARGEST_BYTES, Block, Unreadable, blocks_of, title_of

logger = logging.getLogger(__name__)

AT_ONCE = 32  # passages in one request: live calls get between two of them
_PAGE_SECONDS = 20.0


def read_source(source_id: int) -> str:
    """Read a source and embed its passages, which then take the place of those that it had."""
    source = Source.objects.select_related("base").filter(pk=source_id).first()
    if source is None:
        return "gone"
    return async_to_sync(_read)(source)


async def _read(source: Source) -> str:
    try:
        blocks = passages_of(await _blocks(source))
        await _told(source, state=Source.State.READING, found=len(blocks), done=0, reason="")
        rows = await _embedded(source, blocks, registry.embedder())
        await sync_to_async(_put)(source, rows)
    except (Unreadable, outside.Refused, outside.Unanswered, EngineError) as error:
        await sync_to_async(_fail)(source, str(error)[:500])
        return f"failed: {error}"
    except Exception:
        logger.exception("source %s", source.pk)
        reason = "It could not be read. The log of the worker says why; try it in another form."
        await sync_to_async(_fail)(source, reason)
        raise
    finally:
        await registry.close()  # its connections belong to this loop
    return f"{len(rows)} passages"


async def _blocks(source: Source) -> list[Block]:
    if source.kind == Source.Kind.PAIRS:
        return blocks_of(bytes(source.content), "pairs.json")
    if source.kind == Source.Kind.FILE:
        return blocks_of(bytes(source.content), source.name)
    request = outside.Request("GET", source.address, {"Accept": "text/html, text/plain, application/pdf"})
    answer = await outside.ask(request, seconds=_PAGE_SECONDS, largest=LARGEST_BYTES)
    if answer.status != 200:
        raise Unreadable(f"The server answered {answer.status} instead of a page. Check the address.")
    if answer.content_type == "text/html" and (title := title_of(answer.body)):
        source.name = title[:200]
    return blocks_of(answer.body, source.address)


async def _embedded(source: Source, blocks: list[Block], embedder: Embedder) -> list[Passage]:
    rows: list[Passage] = []
    for start in range(0, len(blocks), AT_ONCE):
        batch = blocks[start : start + AT_ONCE]
        vectors = await embedder.embed([embedded(block) for block in batch], priority="batch")
        rows += [
            Passage(
                source=source,
                place=start + number,
                heading=block.heading[:300],
                page=block.page,
                text=block.text,
                answer=block.answer,
                vector=vector.astype("float32").tobytes(),
            )
            for number, (block, vector) in enumerate(zip(batch, vectors, strict=True))
        ]
        await _told(source, done=len(rows))
    return rows


async def _told(source: Source, **fields: object) -> None:
    await Source.objects.filter(pk=source.pk).aupdate(**fields, at=timezone.now())


@transaction.atomic
def _put(source: Source, rows: list[Passage]) -> None:
    if not Source.objects.select_for_update().filter(pk=source.pk).exists():
        return  # removed meanwhile
    Passage.objects.filter(source=source).delete()
    Passage.objects.bulk_create(rows, batch_size=500)
    ready = {"state": Source.State.READY, "done": len(rows), "found": len(rows), "at": timezone.now()}
    Source.objects.filter(pk=source.pk).update(name=source.name, reason="", **ready)
    changed(source.base_id)
    tell_of_job("knowledge", id=str(source.pk), name=source.name, done=len(rows))


@transaction.atomic
def _fail(source: Source, reason: str) -> None:
    failed = Source.objects.filter(pk=source.pk)
    if failed.update(state=Source.State.FAILED, reason=reason, at=timezone.now()):
        tell_of_job("knowledge", id=str(source.pk), name=source.name, problem=reason)
