"""What a call through a flow left in its log."""

from __future__ import annotations

from tests.agents.conftest import Talk


def walked(talk: Talk) -> list[str]:
    return [note.name for note in talk.noted("node")]


def decided(talk: Talk) -> list[tuple[str, str]]:
    return [(note.data["id"], note.data["by"]) for note in talk.noted("edge")]
