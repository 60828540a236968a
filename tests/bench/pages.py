"""How long overview, agents and history take on the large databases that `tests.bench.data` has built:

    python -m tests.bench.pages --json OUT

One web process, one request after another over HTTP, the page as a browser gets it. A database that is not
built is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.bench.data import REPOSITORY, built, database, environment
from tests.site.ports import free_port

TARGET_MS = 300
WARM = 2
TODAY = datetime.now(UTC).date()
MONTH = f"from={TODAY - timedelta(days=29)}&to={TODAY}"
PAGES = {
    "home, today": "/",
    "home, 7 days": "/?period=7-days",
    "home, 30 days": "/?period=30-days",
    "agents": "/agents/",
    "agents, most calls first": "/agents/?sort=-calls",
    "an agent": "/agents/{agent}/",
    "an agent's usage": "/agents/{agent}/usage/",
    "figures of an agent": "/calls/usage/?agent={agent}",
    "history, newest": "/calls/",
    "history, fifth page": "/calls/?page=5",
    "history, one agent": "/calls/?agent={agent}",
    "history, failed": "/calls/?outcome=failed",
    "history, 30 days": f"/calls/?{MONTH}",
    "history, 30 days, slowest first": f"/calls/?sort=response&{MONTH}",
    "history, with slow turns": "/calls/?slow=1",
    "history, a number": "/calls/?q=555%200112",
    "history, a frequent word": "/calls/?q=appointment",
    "history, a seldom word": "/calls/?q=telescope",
    "history, a new agent's none": "/calls/?agent=nobody",
    "history, words of one agent": "/calls/?q=parking%20station&agent={agent}",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--times", type=int, default=40, help="each page is asked for")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a cluster must not outlive us
    results = []
    for name, size in built().items():
        with database(name) as address, running_site(address) as (browser, pid):
            results += [{"database": name, **size, **row} for row in measure(browser, options.times, pid)]
    if not results:
        sys.exit("No large database is built: make bench-data")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def measure(browser: httpx.Client, times: int, pid: int) -> Iterator[dict[str, Any]]:
    agent = re.findall(r'href="/agents/(?!new/)([\w-]+)/"', browser.get("/agents/?q=Concierge").text)[0]
    for name, path in PAGES.items():
        taken, size, before = [], 0, cpu_seconds(pid)
        for _ in range(WARM + times):
            begun = time.perf_counter()
            answer = browser.get(path.format(agent=agent))
            taken.append((time.perf_counter() - begun) * 1000)
            answer.raise_for_status()
            size = len(answer.content)
        ordered = sorted(taken[WARM:])
        row = {
            "page": name,
            "first_ms": round(taken[0]),
            "p50_ms": round(ordered[len(ordered) // 2]),
            "p95_ms": round(ordered[int(len(ordered) * 0.95)]),
            # of the web process alone, whatever else the machine is busy with
            "cpu_ms": round((cpu_seconds(pid) - before) / len(taken) * 1000),
            "kilobytes": round(size / 1000),
            "target_ms": TARGET_MS,
        }
        print(  # noqa: T201
            f"{name:34} p50 {row['p50_ms']:5} p95 {row['p95_ms']:5} first {row['first_ms']:5} ms"
            f"  cpu {row['cpu_ms']:5} ms"
        )
        yield row


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busiest_child(pid: int) -> int:
    """Granian and uvicorn serve from a process of their own beneath the one that was started."""
    children = psutil.Process(pid).children()
    return max(children, key=lambda child: child.memory_info().rss, default=psutil.Process(pid)).pid


@contextmanager
def running_site(address: str, *, server: str = "daphne", **more: str) -> Iterator[tuple[httpx.Client, int]]:
    """A signed-in browser of one web process on that database; `more` is of its environment."""
    from voiceforge_site.management.commands.web import arguments  # reads the settings, and so DATABASE_URL

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    own = environment(address) | {"PORT": str(port), "PUBLIC_URL": url, **more}
    command = arguments(server, port=port, application="tests.bench.asgi:application")
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=REPOSITORY, env=own)
    try:
        with httpx.Client(base_url=url, timeout=120) as browser:
            wait_for(browser, process)
            sign_in(browser)
            yield browser, busiest_child(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(browser: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            browser.get("/login/")
            return
        except httpx.TransportError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.2)


def sign_in(browser: httpx.Client) -> None:
    """As the user that `tests.bench.data` has made."""
    form = {"username": "bench", "password": "bench", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    answer = browser.post("/login/", data=form, headers={"Referer": str(browser.base_url)})
    assert answer.has_redirect_location, answer.text


if __name__ == "__main__":
    main()
