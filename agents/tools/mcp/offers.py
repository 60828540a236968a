"""What an MCP server offers: read from it, made safe, and kept in its row."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from ... import outside
from ...models import ToolServer
from .client import session
from .schemas import BadSchema, plain
from .texts import one_line

MOST_TOOLS = 200
LONGEST_NAME = 128  # of a tool, as the protocol has it
LONGEST_OWN_NAME = 64
READING_SECONDS = 20.0
_MOST_PAGES = 20
_USABLE_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")

# Why a tool cannot be used.
BAD_NAME, BAD_SCHEMA, LARGE_SCHEMA = "name", "schema", "large"


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool of a server. `name` is what it calls it; `problem` says why it cannot be used, "" otherwise."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    name: str
    version: str
    offers: Sequence[Offer]


async def read(url: str, secrets: dict[str, str]) -> Reading:
    """What the server says of itself and offers now. Raises Refused and Unanswered."""
    try:
        async with session(url, secrets, seconds=READING_SECONDS) as opened:
            told: list[Any] = []
            params: dict[str, Any] = {}
            for _ in range(_MOST_PAGES):
                result = await opened.ask("tools/list", params)
                tools, cursor = result.get("tools"), result.get("nextCursor")
                told += tools if isinstance(tools, list) else []
                if not (isinstance(cursor, str) and cursor) or len(told) >= MOST_TOOLS:
                    break
                params = {"cursor": cursor}
            about = opened.about.get("serverInfo")
    except outside.Unanswered as error:
        if not error.timed_out:
            raise
        reason = f"It did not tell its tools within {READING_SECONDS:g} seconds."
        raise outside.Unanswered(reason, timed_out=True) from None
    about = about if isinstance(about, dict) else {}
    named = one_line(about.get("title") or about.get("name"), 64)
    offers = await asyncio.to_thread(offers_of, told)  # a call that goes on here does not wait for it
    return Reading(named, one_line(about.get("version"), 64), offers)


def offers_of(told: Iterable[Any]) -> list[Offer]:
    """Of what `tools/list` answers; each name once."""
    found: dict[str, Offer] = {}
    for each in islice(told, MOST_TOOLS):  # a schema takes up to half a second
        name = one_line(each.get("name"), LONGEST_NAME) if isinstance(each, dict) else ""
        if name and name not in found:
            found[name] = _offer(each)
    return list(found.values())


def kept(server: ToolServer) -> list[Offer]:
    """As they were read last."""
    return [Offer(**each) for each in server.offered]


def keep(offers: Iterable[Offer]) -> list[dict[str, Any]]:
    return [asdict(offer) for offer in offers]


def own_name(server: ToolServer, name: str, taken: set[str]) -> str:
    """What flows call a tool of the server: by our rules, and not one of those `taken`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    made = re.sub(r"[^a-z0-9]+", "_", f"{server.slug}_{words}").strip("_")
    made = made if made[:1].isalpha() else f"tool_{made}"
    number, own = 1, made[:LONGEST_OWN_NAME]
    while own in taken:
        number += 1
        ending = f"_{number}"
        own = made[: LONGEST_OWN_NAME - len(ending)] + ending
    return own


def _offer(told: dict[str, Any]) -> Offer:
    name, schema = told.get("name"), told.get("inputSchema")
    shown = one_line(name, LONGEST_NAME)
    description = one_line(told.get("description") or told.get("title"), 1_000)
    if not isinstance(name, str) or not _USABLE_NAME.fullmatch(name):
        return Offer(shown, description, problem=BAD_NAME)
    try:
        return Offer(name, description, plain({} if schema is None else schema))
    except BadSchema as error:
        return Offer(name, description, problem=LARGE_SCHEMA if error.too_large else BAD_SCHEMA)
