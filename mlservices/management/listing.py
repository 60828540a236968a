"""The catalogue as `manage.py models` shows it: a table, one model at length, or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.conf import settings

from ..catalog import Model
from ..prepare import FileState, state
from ..roster.memory import measured_mb
from .meter import size, told

Held = dict[str, dict[str, Any]] | None
"""What the ML service tells of its models; None while it does not run."""

_HEADINGS = ("ID", "KIND", "POOL", "SIZE", "MEMORY", "DISK", "FILES")
_ON_THE_RIGHT = ("SIZE", "MEMORY", "DISK")
_NOT_FOR_SALE = "!"


def matches(model: Model, words: Sequence[str], kind: str | None, language: str | None) -> bool:
    """Whether it is of this kind, knows this language, and each word is in what the catalogue says of it."""
    if kind not in (None, model.kind.value) or (language and language.lower() not in model.languages):
        return False
    source = model.source
    said = f"{model.id} {model.name} {model.pool} {source.hub} {source.package} {model.licence}".lower()
    return all(word.lower() in said for word in words)


def table(models: Iterable[Model], held: Held, columns: int | None = None) -> Iterator[str]:
    """Its lines, a model each, cut to `columns`; below them what they leave open."""
    headings = (*_HEADINGS, *(() if held is None else ("SERVICE",)))
    rows, remarks, barred = [], [], False
    for model in models:
        files = state(model, settings.MODELS_DIR)
        rows.append(_row(model, files, held))
        barred |= not model.commercial_use
        for reason in (files.reason, _service(model, held).get("reason")):
            if reason:
                remarks.append(f"{model.id}: {reason}")
    widths = [max(len(row[at]) for row in (headings, *rows)) for at in range(len(headings))]
    for row in ((*headings, "LICENCE"), *rows):
        cells = zip(headings, row, widths, strict=False)
        shown = (f"{cell:{'>' if name in _ON_THE_RIGHT else '<'}{width}}" for name, cell, width in cells)
        yield "  ".join((*shown, row[-1]))[:columns].rstrip()
    if barred:
        yield f"\n{_NOT_FOR_SALE} not for commercial use"
    if remarks:
        yield ""
        yield from remarks


def _row(model: Model, files: FileState, held: Held) -> tuple[str, ...]:
    return (
        model.id,
        model.kind.value,
        model.pool,
        model.size or "-",
        _mb(model.memory_mb),
        size(files.size_bytes) if files.size_bytes else _mb(model.disk_mb),
        _files(files),
        *(() if held is None else (_service(model, held).get("state", "-"),)),
        model.licence if model.commercial_use else f"{_NOT_FOR_SALE} {model.licence}",
    )


def _mb(count: int) -> str:
    return f"{count} MB" if count < 1000 else f"{count / 1000:.1f} GB"


def _files(files: FileState) -> str:
    share = f" {files.done_bytes * 100 // files.total_bytes} %" if files.total_bytes else ""
    return f"{files.state}{share}" if files.state == "downloading" else files.state


def _service(model: Model, held: Held) -> dict[str, Any]:
    return (held or {}).get(model.id, {})


def at_length(model: Model, held: Held, configured: bool) -> Iterator[str]:
    """Everything about one model, a line each."""
    files, source, service = state(model, settings.MODELS_DIR), model.source, _service(model, held)
    disk = f"{_mb(model.disk_mb)} needed to prepare it"
    needs = [f"{_mb(model.memory_mb)} of {'a GPU' if model.gpu else 'memory'}", disk]
    languages = ", ".join(model.languages[:12])
    more = len(model.languages) - 12
    lines = {
        "name": model.name,
        "kind": f"{model.kind.value}, pool {model.pool}",
        "from": f"{source.hub} ({source.revision})" if source.hub else f"{source.package} {source.version}",
        "and": ", ".join(beside.hub for beside in source.also),
        "commit": files.commit,
        "size": f"{model.size} parameters" if model.size else "",
        "needs": ", ".join(needs),
        "libraries": model.extra,
        "languages": f"{languages} and {more} more" if more > 0 else languages,
        "rate": f"{model.rate} Hz" if model.rate else "",
        "cloning": "yes" if model.cloning else "",
        "licence": model.licence + ("" if model.commercial_use else " (not for commercial use)"),
        "note": model.note,
        "configured": "yes" if configured else "no",
        "files": _files_at_length(files),
        "service": _service_at_length(service) if held is not None else "does not run",
    }
    yield model.id
    yield from (f"  {name:11} {text}" for name, text in lines.items() if text.strip())


def _files_at_length(files: FileState) -> str:
    parts = [files.state, size(files.size_bytes) if files.size_bytes else "", files.reason]
    if files.state == "downloading":
        parts += [told(files), files.by]
    return ", ".join(part for part in parts if part)


def _service_at_length(service: dict[str, Any]) -> str:
    if not service:
        return "not loaded"
    workers = service.get("workers", ())
    counted = f"{len(workers)} worker{'s' if len(workers) > 1 else ''}" if workers else ""
    measured = sum(map(measured_mb, workers))
    taken = f"{_mb(measured)} measured" if measured else ""
    parts = [service.get("state", ""), counted, taken, service.get("reason") or ""]
    return ", ".join(part for part in parts if part)
