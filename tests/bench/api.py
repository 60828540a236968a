"""What the API and the audit trail cost, on the large database that `tests.bench.data` has built:

    python -m tests.bench.api --json OUT
    python -m tests.bench.api --only lists audit

`lists`: pages of 100 calls, one request after another. `load`: GET requests at a fixed rate, whether or not
those before are answered. `refusals`: of a key beyond its limit. `audit`: pages of the trail, the walk
through its chain, and what one entry costs on SQLite. `documents`: what tells of the API and of measures.
PostgreSQL if it is built, else SQLite.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import httpx

from tests.bench.audit import ENTRIES, entry_cost, fill_trail
from tests.bench.data import REPOSITORY, built, database, environment
from tests.bench.http import Connection
from tests.bench.pages import cpu_seconds, running_site

PARTS = ("lists", "load", "refusals", "audit", "documents")
WARM = 3
MOST_WAITING = 200  # requests: a server that is behind must not take the whole machine along
DAY = datetime.now(UTC).date() - timedelta(days=20)
CALLS = "/api/telephony/calls?limit=100"
LISTS = {
    "calls, newest": CALLS,
    "calls, 50th page by its cursor": "{cursor}",
    "calls, failed": f"{CALLS}&outcome=failed",
    "calls, handled": f"{CALLS}&outcome=handled",
    "calls, one agent": f"{CALLS}&agent={{agent}}",
    "calls, one day": f"{CALLS}&from={DAY}&to={DAY}",
    "calls, one agent's failed of one day": f"{CALLS}&agent={{agent}}&outcome=failed&from={DAY}&to={DAY}",
    "calls, oldest": f"{CALLS}&sort=oldest",
    "calls, longest first": f"{CALLS}&sort=duration",
    "calls, with slow turns": f"{CALLS}&slow=1",
    "calls, a number": f"{CALLS}&number=5550112",
    "calls, a frequent word": f"{CALLS}&q=appointment",
    "calls, a seldom word": f"{CALLS}&q=telescope",
    "calls, words of one agent": f"{CALLS}&q=parking&agent={{agent}}",
}
# Loads: (address, of a hundred requests)
LOADS = {
    "one thing each": (
        ("/api/users/me", 25),
        ("/api/agents/{agent}", 25),
        ("/api/telephony/numbers/{number}", 25),
        ("/api/telephony/calls/{call}", 25),
    ),
    "half of them lists": (
        ("/api/users/me", 30),
        ("/api/telephony/calls/{call}", 15),
        ("/api/agents", 15),
        ("/api/telephony/calls?limit=10", 20),
        ("/api/telephony/calls?limit=10&outcome=failed", 10),
        ("/api/telephony/numbers", 10),
    ),
}
AUDIT = {
    "trail, newest": "/audit/",
    "trail, an old page": f"/audit/?after={ENTRIES // 2}",
    "trail, a person": "/audit/?person=alice",
    "trail, a person who did little": "/audit/?person=seldom",
    "trail, a verb": "/audit/?verb=agent.saved",
    "trail, a kind": "/audit/?kind=agents.agent",
    "trail, a person's verb": "/audit/?person=seldom&verb=agent.saved",
    "trail, one day": f"/audit/?from={DAY}&to={DAY}",
    "trail, a frequent word": "/audit/?q=greeting",
    "trail, a seldom word": "/audit/?q=quokka",
    "trail, an old day's seldom word": f"/audit/?q=quokka&from={DAY}&to={DAY}",
    "trail by the API, 100": "/api/audit?limit=100",
}
DOCUMENTS = {"measures": "/api/metrics", "document": "/openapi.json", "page of the API": "/api/docs"}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--times", type=int, default=40, help="each page is asked for")
    parser.add_argument("--rate", type=int, default=300, help="requests a second of the load")
    parser.add_argument("--seconds", type=float, default=30.0, help="that the load lasts")
    parser.add_argument("--entries", type=int, default=ENTRIES, help="of the trail")
    parser.add_argument("--processes", type=int, default=1, help="of the web server, behind the load")
    parser.add_argument("--server", choices=("daphne", "uvicorn", "granian"), default="daphne")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a cluster must not outlive us
    if not built():
        sys.exit("No large database is built: make bench-data")
    name = "postgresql" if "postgresql" in built() else "sqlite"
    with database(name) as address:
        results = {"database": name, **built()[name], **measured(address, options)}
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def measured(address: str, options: argparse.Namespace) -> dict[str, Any]:
    """Part: its figures, and how busy the machine was before it."""
    open_database(address)
    keys = [made_key() for _ in range(8)]
    parts: dict[str, Callable[[], Any]] = {
        "lists": lambda: lists(address, keys[0], options.times),
        "load": lambda: load(address, keys, options),
        "refusals": lambda: refusals(address, made_key(requests_a_minute=1)),
        "audit": lambda: audit(address, keys[0], options.times, options.entries),
        "documents": lambda: documents(address, keys[0], options.times),
    }
    results = {}
    for part in options.only:
        busy = round(os.getloadavg()[0], 1)
        print(f"-- {part}, at a load of {busy}")  # noqa: T201
        results[part] = {"load": busy, "figures": parts[part]()}
    return results


def open_database(address: str) -> None:
    os.environ |= environment(address)
    import django

    django.setup()


def made_key(**limits: Any) -> str:
    from voiceforge_site.access import key_actions
    from voiceforge_site.models import User

    return key_actions.create("bench", User.objects.get(username="bench"), **limits)[1]


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def told(name: str, **figures: Any) -> dict[str, Any]:
    print(f"{name:40} " + "  ".join(f"{key} {value}" for key, value in figures.items()))  # noqa: T201
    return {"name": name, **figures}


def timed(ask: Callable[[], Any], times: int) -> dict[str, float]:
    taken = []
    for _ in range(WARM + times):
        begun = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - begun) * 1000)
    return quantiles(taken[WARM:])


def quantiles(milliseconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {f"p{part}_ms": round(ordered[int(len(ordered) * part / 100)], 1) for part in (50, 95, 99)}


@contextmanager
def server(address: str, **more: str) -> Iterator[tuple[str, int]]:
    """The web server as `manage.py up` starts it: its address, and the id of its process."""
    with running_site(address, API_REQUESTS_A_MINUTE="1000000", **more) as (browser, pid):
        yield str(browser.base_url), pid


# ---- lists --------------------------------------------------------------------------------------


def lists(address: str, key: str, times: int) -> list[dict[str, Any]]:
    with server(address) as (url, pid), httpx.Client(base_url=url, headers=headers(key), timeout=120) as api:
        return pages(api, pid, LISTS, times, agent=an_agent(api), cursor=far_page(api))


def an_agent(api: httpx.Client) -> str:
    return str(api.get("/api/agents").json()["results"][0]["id"])


def far_page(api: httpx.Client, pages: int = 50) -> str:
    address = CALLS
    for _ in range(pages):
        address = api.get(address).raise_for_status().json()["next"]
    return address


def pages(
    asker: httpx.Client, pid: int, addresses: dict[str, str], times: int, **known: str
) -> list[dict[str, Any]]:
    found = []
    for name, address in addresses.items():
        whole, before = address.format(**known), cpu_seconds(pid)
        figures = timed(lambda whole=whole: asker.get(whole).raise_for_status(), times)  # type: ignore[misc]
        cpu = (cpu_seconds(pid) - before) / (WARM + times) * 1000
        found.append(told(name, **figures, cpu_ms=round(cpu, 1)))
    return found


def documents(address: str, key: str, times: int) -> list[dict[str, Any]]:
    """`many` measures: a thousand routes more than anybody has, counted by a process of its own."""
    with server(address) as (url, pid), httpx.Client(base_url=url, headers=headers(key), timeout=120) as api:
        first = pages(api, pid, {f"{name}, first": DOCUMENTS[name] for name in DOCUMENTS}, 1)
        own = pages(api, pid, DOCUMENTS, times)
        many = [sys.executable, "-c", MANY_SERIES]
        subprocess.run(many, cwd=REPOSITORY, env=environment(address), check=True)
        return first + own + pages(api, pid, {"measures, 1,000 routes more": "/api/metrics"}, times)


MANY_SERIES = """
import django; django.setup()
from voiceforge_site.metrics.instruments import request_seconds
for number in range(1000): request_seconds.labels(f"bench-{number}").observe(0.1)
"""


# ---- load ---------------------------------------------------------------------------------------


def load(address: str, keys: Sequence[str], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Of several processes each gets its part, as a proxy before them would have it."""
    found = []
    for name, shares in LOADS.items():
        with ExitStack() as stack:
            servers = [
                stack.enter_context(server(address, server=options.server)) for _ in range(options.processes)
            ]
            found.append(loaded(f"{options.rate} GET a second, {name}", servers, shares, keys, options))
    return found


def loaded(
    name: str,
    servers: Sequence[tuple[str, int]],
    shares: Sequence[tuple[str, int]],
    keys: Sequence[str],
    options: argparse.Namespace,
) -> dict[str, Any]:
    urls, pids = [url for url, _ in servers], [pid for _, pid in servers]
    with httpx.Client(base_url=urls[0], headers=headers(keys[0]), timeout=60) as api:
        known = {
            "call": api.get(CALLS).json()["results"][7]["id"],
            "agent": an_agent(api),
            "number": api.get("/api/telephony/numbers").json()["results"][0]["id"],
        }
    mix = [path.format(**known) for path, share in shares for _ in range(share)]
    asyncio.run(fired(urls, keys, mix, rate=options.rate / 4, seconds=2))
    before, began = sum(map(cpu_seconds, pids)), time.monotonic()
    answers = asyncio.run(fired(urls, keys, mix, rate=options.rate, seconds=options.seconds))
    lasted = time.monotonic() - began
    statuses = Counter(status for status, _ in answers)
    done = len(answers) - statuses[0]
    cpu = sum(map(cpu_seconds, pids)) - before
    return told(
        name,
        **quantiles([ms for status, ms in answers if status]),
        a_second=round(done / lasted),
        cpu_ms=round(cpu / done * 1000, 1),
        processes=options.processes,
        server=options.server,
        statuses=dict(statuses),
    )


async def fired(
    urls: Sequence[str], keys: Sequence[str], paths: Sequence[str], *, rate: float, seconds: float
) -> list[tuple[int, float]]:
    """(status, milliseconds) of each; 0 where the connection broke, or where too many
    waited for one more to be sent. Each is due at its moment, and what it
    waits for a connection counts."""
    loop, made = asyncio.get_running_loop(), []
    waiting = unsent = 0
    free: list[list[Connection]] = [[] for _ in urls]
    began = loop.time()

    async def ask(number: int, due: float) -> tuple[int, float]:
        nonlocal waiting
        place = number % len(urls)
        connection = free[place].pop() if free[place] else Connection(urls[place])
        path = paths[number * 37 % len(paths)]  # 37: all of a hundred, well mixed
        status = await connection.get(path, headers(keys[number % len(keys)]))
        taken = (loop.time() - due) * 1000
        waiting -= 1
        free[place].append(connection)
        return status, taken

    for number in range(round(rate * seconds)):
        due = began + number / rate
        if (wait := due - loop.time()) > 0:
            await asyncio.sleep(wait)
        if waiting >= MOST_WAITING:
            unsent += 1
            continue
        waiting += 1
        made.append(asyncio.create_task(ask(number, due)))
    answers = await asyncio.gather(*made)
    for connection in chain.from_iterable(free):
        connection.close()
    return answers + [(0, 0.0)] * unsent


# ---- refusals -----------------------------------------------------------------------------------


def refusals(address: str, key: str, times: int = 300) -> list[dict[str, Any]]:
    """By HTTP, and in this process, where only the middleware is at work."""
    found = []
    with server(address) as (url, pid), httpx.Client(base_url=url, headers=headers(key), timeout=60) as api:
        found.append(refused("a refusal, HTTP", lambda: api.get("/api/users/me").status_code, pid, times))
    from django.test import Client

    client = Client(headers=headers(key))
    ask = lambda: client.get("/api/users/me", SERVER_NAME="127.0.0.1").status_code  # noqa: E731
    return [*found, refused("a refusal, in process", ask, os.getpid(), times)]


def refused(name: str, ask: Callable[[], int], pid: int, times: int) -> dict[str, Any]:
    ask()
    before, statuses = cpu_seconds(pid), Counter[int]()
    figures = timed(lambda: statuses.update([ask()]), times)
    cpu = (cpu_seconds(pid) - before) / (WARM + times) * 1000
    return told(name, **figures, cpu_ms=round(cpu, 2), statuses=dict(statuses))


# ---- the trail ----------------------------------------------------------------------------------


def audit(address: str, key: str, times: int, entries: int) -> list[dict[str, Any]]:
    fill_trail(entries)
    with running_site(address) as (browser, pid):
        browser.headers.update(headers(key))
        found = pages(browser, pid, AUDIT, times)
    begun = time.perf_counter()
    walk = [sys.executable, "manage.py", "verify_audit"]
    subprocess.run(walk, cwd=REPOSITORY, env=environment(address), check=True, stdout=subprocess.DEVNULL)
    found.append(told("verify_audit", seconds=round(time.perf_counter() - begun, 1), entries=entries))
    return [*found, told("an entry on SQLite", **entry_cost())]


if __name__ == "__main__":
    main()
