"""The live board in Chromium with 300 calls at 5 events a second each:

    python -m tests.bench.board --calls 300 --seconds 30 --json OUT

A real server stores and publishes the events, a real socket carries the cards. Told are the tasks of the
page's main thread (Chromium's own trace), its memory (the JavaScript heap, and the resident memory of its
process, with a page of the site without calls for comparison), and how late a card is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import httpx
from django.core.management import call_command
from django.db.models import Sum
from playwright.sync_api import Browser, Page, sync_playwright

from tests.site.ports import free_port

django.setup()
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from django.test import Client  # noqa: E402

from telephony.models import Call  # noqa: E402
from telephony.session.events import CallAnswered  # noqa: E402
from tests.bench.capacity import Load  # noqa: E402
from tests.bench.memory import size_of  # noqa: E402
from tests.browser.conftest import CHROMIUM, DESK, FLAGS  # noqa: E402
from tests.factories import make_agent, make_call  # noqa: E402
from voiceforge_site.models import User  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[2]
SETTLE_SECONDS = 5.0
TASKS = ("RunTask", "ThreadControllerImpl::RunTask")  # of older and newer versions
TARGETS = {"task_p95_ms": 100, "memory_mb": 150}
# Counts what comes over the socket, and the number of the newest event of each call.
LISTEN_IN = """
window.heard = {messages: 0, bytes: 0};
window.newest = {};
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({data}) => {
      window.heard.messages += 1;
      window.heard.bytes += data.length;
      const told = JSON.parse(data);
      const cards = told.calls ?? told.cards ?? (told.card ? [told.card] : []);
      for (const card of cards) window.newest[card.id] = card.seq;
    });
  }
};
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--events", type=float, default=5.0, help="of each call in a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    prepare(options.calls)
    with running_server(options.calls, options.events) as (url, pid):
        result = {"calls": options.calls, "events": options.events, **watch(url, pid, options.seconds)}
    print(json.dumps(result, indent=1))  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


def prepare(calls: int) -> None:
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    User.objects.create_user("bench", password="bench", role="operator")
    agents = [make_agent(name) for name in ("Front desk", "Hotel concierge", "Deliveries", "Night line")]
    for number in range(calls):
        make_call(agents[number % 4], [CallAnswered(line="twilio")], caller=f"+1415555{number:04}")


@contextmanager
def running_server(calls: int, events: float) -> Iterator[tuple[str, int]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {"BENCH_EVENTS": str(events), "PUBLIC_URL": url, "PORT": str(port)}
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0"]
    process = subprocess.Popen(
        [*command, "tests.bench.board_asgi:application"], cwd=REPOSITORY, env=environment
    )
    try:
        wait_for(url, process)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 40
    while True:
        try:
            httpx.get(f"{url}/login/", timeout=5)
            return
        except httpx.TransportError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.2)


def watch(url: str, server: int, seconds: float) -> dict[str, Any]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport=DESK, base_url=url)
        client = Client()
        client.force_login(User.objects.get(username="bench"))
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])
        context.add_init_script(LISTEN_IN)
        page = context.new_page()
        page.goto("/calls/messages/")
        page.wait_for_load_state("networkidle")
        without_calls = memory(browser, page)
        page.goto("/calls/live/")
        page.locator("[data-call]").nth(20).wait_for(state="attached")
        page.wait_for_timeout(SETTLE_SECONDS * 1000)
        result = measure(browser, page, server, seconds)
        result["memory_of_a_page_without_calls"] = without_calls
        browser.close()
    return result


def measure(browser: Browser, page: Page, server: int, seconds: float) -> dict[str, Any]:
    page.evaluate("() => (window.heard = {messages: 0, bytes: 0})")
    before, stored, started = Load.of(server), events_stored(), time.monotonic()
    browser.start_tracing(page=page, categories=["toplevel", "devtools.timeline"])
    page.wait_for_timeout(seconds * 1000)
    trace = json.loads(browser.stop_tracing())["traceEvents"]
    elapsed, after = time.monotonic() - started, Load.of(server)
    heard = page.evaluate("() => window.heard")
    rate = (events_stored() - stored) / elapsed
    known = sum(page.evaluate("() => window.newest").values())
    behind = Call.objects.aggregate(all=Sum("last_seq"))["all"] - known
    return {
        "events_stored_a_second": round(rate),
        "messages_a_second": round(heard["messages"] / elapsed, 1),
        "kilobytes_a_second": round(heard["bytes"] / 1000 / elapsed),
        "behind_seconds": round(behind / rate, 2),
        **tasks_of(trace, elapsed),
        "memory": memory(browser, page),
        "server_core_share": round((after.cpu_seconds - before.cpu_seconds) / elapsed, 2),
        "targets": TARGETS,
    }


def events_stored() -> int:
    return Call.objects.aggregate(all=Sum("last_seq"))["all"]


def tasks_of(trace: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """Of the busiest main thread of a page: all tasks, and those that took a millisecond or more."""
    threads = {
        (event["pid"], event["tid"])
        for event in trace
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    by_thread: dict[tuple[int, int], list[float]] = {thread: [] for thread in threads}
    for event in trace:
        key = (event["pid"], event["tid"])
        if event["name"] in TASKS and "dur" in event and key in by_thread:
            by_thread[key].append(event["dur"] / 1000)
    tasks = sorted(max(by_thread.values(), key=sum))
    worked = [task for task in tasks if task >= 1]
    return {
        "tasks": len(tasks),
        "task_p95_ms": percentile(tasks, 0.95),
        "tasks_from_1_ms": len(worked),
        "task_from_1_ms_p50_ms": percentile(worked, 0.5),
        "task_from_1_ms_p95_ms": percentile(worked, 0.95),
        "task_longest_ms": round(tasks[-1], 1),
        "tasks_over_50_ms": sum(task > 50 for task in tasks),
        "main_thread_share": round(sum(tasks) / 1000 / seconds, 3),
    }


def memory(browser: Browser, page: Page) -> dict[str, Any]:
    own = page.context.new_cdp_session(page)
    own.send("HeapProfiler.collectGarbage")
    own.send("Performance.enable")
    metrics = {each["name"]: each["value"] for each in own.send("Performance.getMetrics")["metrics"]}
    own.detach()
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = [size_of(int(each["id"])) for each in processes if each["type"] == "renderer"]
    resident, proportional = max(sizes)
    return {
        "js_heap_mb": round(metrics["JSHeapUsedSize"] / 1e6, 1),
        "elements": int(metrics["Nodes"]),
        "process_rss_mb": round(resident),
        "process_pss_mb": round(proportional),
    }


def percentile(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2) if ordered else None


if __name__ == "__main__":
    main()
