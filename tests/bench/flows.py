"""A flow of 300 steps: how soon its editor can be used and how smoothly it moves, how long its validation
takes, and how long a call takes to decide where to go on:

    python -m tests.bench.flows --steps 300 --json OUT

A real server and a real Chromium. The decision is a whole turn of a call without a language model, by
examples and by expressions; the embedding of the caller's words, a model's work, is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import django
import httpx
from django.core.management import call_command
from playwright.sync_api import Page, sync_playwright

from tests.site.ports import free_port

django.setup()
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from django.test import Client  # noqa: E402

from agents.flow.graph import problems_of, read  # noqa: E402
from agents.flow.matching import Meanings  # noqa: E402
from agents.flow.program import NO_TOOLS, Ports, Program  # noqa: E402
from agents.flow.runtime import FlowConversation  # noqa: E402
from agents.flows.actions import create_flow  # noqa: E402
from tests.agents.fakes import WordEmbedder  # noqa: E402
from tests.agents.flow.samples import edge, flow, node  # noqa: E402
from tests.browser.conftest import CHROMIUM, DESK, FLAGS  # noqa: E402
from voiceforge_site.models import User  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[2]
TARGETS = {"interactive_ms": 1500, "validation_ms": 50, "decision_ms": 5, "frame_p95_ms": 50}
# The time between two paints while something moves.
FRAMES = """
window.frames_ms = [];
let before = 0;
const note = (now) => {
  if (before) window.frames_ms.push(now - before);
  before = now;
  if (!window.enough) requestAnimationFrame(note);
};
requestAnimationFrame(note);
"""


def large_flow(steps: int) -> dict[str, Any]:
    """Rounds of a question, a decision and a menu with ways of its own, until there are so many steps."""
    parts: list[dict[str, Any]] = []
    rounds = steps // 5
    for n in range(rounds):
        names = [f"{kind}{n}" for kind in ("ask", "check", "menu", "more", "note")]
        ask, check, menu, more, note = names
        after = f"ask{n + 1}" if n + 1 < rounds else "bye"
        parts += [
            node(ask, "gather", label=f"Question {n}", prompt="How many?", variable=f"n{n}", kind="number"),
            node(check, "branch", label=f"Enough {n}?"),
            node(menu, "say", text=f"Round {n}. Shall we go on, or do you want more of this?"),
            node(more, "set", values={f"more{n}": f"= n{n} + 1"}),
            node(note, "note" if n % 2 else "wait", **({"text": "A remark."} if n % 2 else {"seconds": 0.1})),
            edge(ask, check, outcome="done"),
            edge(ask, "desk", outcome="failed"),
            edge(check, menu, when=f"n{n} >= 3 and n{n} < 1000"),
            edge(check, more, otherwise=True),
            edge(menu, after, examples=["go on please", f"the next round {n}", "yes of course"]),
            edge(menu, more, keys="2", examples=["more of this", f"once more round {n}"]),
            edge(menu, "desk", otherwise=True),
        ]
        if n % 2:
            parts.append(edge(more, ask))
        else:
            parts += [edge(more, note), edge(note, ask)]
    parts += [node("desk", "phone_transfer", phoneNumber="+14155550111"), node("bye", "end_call")]
    places = {part["id"]: place for place, part in enumerate(part for part in parts if "type" in part)}
    for part in parts:
        if "type" in part:
            column, row = divmod(places[part["id"]], 15)
            part["position"] = {"x": column * 420, "y": row * 130}
    return flow(*parts, name="Large", start="ask0")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    graph = large_flow(options.steps)
    result = {
        "steps": len(graph["nodes"]),
        "connections": len(graph["edges"]),
        "validation_ms": validation(graph, options.times),
        "decision_ms": asyncio.run(decision(graph)),
        **in_browser(graph, options.times),
        "targets": TARGETS,
    }
    print(json.dumps(result, indent=1))  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


def validation(graph: dict[str, Any], times: int) -> dict[str, float]:
    """Of what an editor sends: read and looked through."""
    taken = []
    gc.freeze()  # as voiceforge_site/asgi.py does
    for _ in range(times * 3):
        begun = time.perf_counter()
        flow, unreadable = read(graph)
        errors = [each for each in problems_of(flow) if each.severity == "error"]
        taken.append((time.perf_counter() - begun) * 1000)
        assert not errors and not unreadable, (errors, unreadable)
    return summary(taken)


async def decision(graph: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Of each turn: an answer with the decision by expression that follows, and a choice by examples."""
    by_kind: dict[str, list[float]] = {"expression": [], "examples": []}
    embedder = WordEmbedder()
    conversation = FlowConversation(Program({"": read(graph)[0]}), ports(embedder), variables={})
    _ = [step async for step in conversation.greet()]
    for _ in range(40):
        for kind, words in (("expression", "seven"), ("examples", "let us go on please")):
            apart, embed = 0.0, embedder.embed

            async def timed(texts: Any, embed: Any = embed) -> Any:
                nonlocal apart
                begun = time.perf_counter()
                try:
                    return await embed(texts)
                finally:
                    apart += time.perf_counter() - begun

            embedder.embed = timed  # type: ignore[method-assign]
            begun = time.perf_counter()
            _ = [step async for step in conversation.reply(words)]
            by_kind[kind].append((time.perf_counter() - begun - apart) * 1000)
            embedder.embed = embed  # type: ignore[method-assign]
    return {kind: summary(taken) for kind, taken in by_kind.items()}


def ports(embedder: WordEmbedder) -> Ports:
    def no_talk(**_: Any) -> Any:
        raise NotImplementedError

    now = datetime.now().astimezone()
    return Ports(
        meanings=Meanings(embedder, {}),
        model=None,
        now=lambda: now,
        talk=no_talk,
        tools=NO_TOOLS,
        other_agent=lambda _: None,
        transfer_number="",
        greeting="",
    )


def in_browser(graph: dict[str, Any], times: int) -> dict[str, Any]:
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    user = User.objects.create_superuser("bench", password="bench", role="administrator")
    address = create_flow(graph=graph, by="bench").get_absolute_url()
    client = Client()
    client.force_login(user)
    with running_server() as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport=DESK, base_url=url)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])
        page = context.new_page()
        interactive = [usable(page, address) for _ in range(times + 1)]
        moving = {name: frames(page, act) for name, act in (("pan", pan), ("zoom", zoom), ("drag", drag_one))}
        browser.close()
    return {
        "interactive_first_ms": round(interactive[0]),  # nothing in the browser's cache
        "interactive_ms": summary(interactive[1:]),
        "frame_ms": moving,
    }


def usable(page: Page, address: str) -> float:
    """Milliseconds from the start of the navigation until a click on a step is answered by its form."""
    page.goto("about:blank")
    page.goto(address, wait_until="commit")
    card = page.locator('.react-flow__node[data-id="ask0"]')
    card.click()
    page.get_by_label("Question", exact=True).wait_for()
    return page.evaluate("performance.now()")


def frames(page: Page, act: Any) -> dict[str, float]:
    page.evaluate("window.enough = false")
    page.evaluate(FRAMES)
    act(page)
    taken = page.evaluate("(window.enough = true, window.frames_ms)")
    return {**summary(taken), "over_50_ms": sum(each > 50 for each in taken), "frames": len(taken)}


def pan(page: Page) -> None:
    page.mouse.move(700, 820)
    page.mouse.down()
    page.mouse.move(100, 420, steps=60)
    page.mouse.move(700, 820, steps=60)
    page.mouse.up()


def zoom(page: Page) -> None:
    page.mouse.move(700, 500)
    for delta in [120] * 12 + [-120] * 12:
        page.mouse.wheel(0, delta)
        page.wait_for_timeout(30)


def drag_one(page: Page) -> None:
    box = page.locator('.react-flow__node[data-id="ask0"]').bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 200, y + 100, steps=60)
    page.mouse.up()


@contextmanager
def running_server() -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0"]
    process = subprocess.Popen(
        [*command, "tests.bench.asgi:application"],
        cwd=REPOSITORY,
        env=os.environ | {"PUBLIC_URL": url, "PORT": str(port)},
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{url}/login/", timeout=5)
                break
            except httpx.TransportError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def summary(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        "p50": round(median(ordered), 2),
        "p95": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 2),
        "max": round(ordered[-1], 2),
    }


if __name__ == "__main__":
    main()
