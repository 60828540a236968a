"""Memory: of the whole product at rest, and of a web process over 500 calls one after another:

    python -m tests.bench.memory --calls 500 --json OUT

At rest: resident (RSS) and proportional (PSS, shared pages counted once) of each of the product's
processes with what it has started. The calls run against the web process of `capacity`, with engines
that take no time: each is rung, greeted and hung up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from telephony.providers.twilio.simulator import Account, Carrier, Stream
from tests.bench import capacity
from tests.product import running_product

GREETED_SECONDS = 0.3
LOOKED_AT = (20, 100, 250, 500)  # calls; the first fill what is allocated once


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = {"at_rest": at_rest(), "over_calls": over_calls(options.calls)}
    print(json.dumps(result, indent=1))  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


# ---- at rest ------------------------------------------------------------------------------------


def at_rest() -> list[dict[str, Any]]:
    with (
        tempfile.TemporaryDirectory(prefix="voiceforge-bench-") as name,
        running_product(Path(name)) as product,
    ):
        rows = []
        for pid in children(product.pid):
            family = [pid, *descendants(pid)]
            sizes = [size_of(member) for member in family]
            rows.append(
                {
                    "process": command_of(pid),
                    "processes": len(family),
                    "rss_mb": round(sum(rss for rss, _ in sizes)),
                    "pss_mb": round(sum(pss for _, pss in sizes)),
                }
            )
        return rows


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descendants(pid: int) -> list[int]:
    return [member for child in children(pid) for member in (child, *descendants(child))]


def size_of(pid: int) -> tuple[float, float]:
    """RSS and PSS in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return kilobytes["Rss"] / 1000, kilobytes["Pss"] / 1000


def command_of(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return next((word for word in words if word in ("daphne", "qcluster", "mlservice", "web")), words[0])


# ---- over calls ---------------------------------------------------------------------------------


def over_calls(calls: int) -> list[dict[str, Any]]:
    capacity.prepare()
    account = Account(
        capacity.ACCOUNT_SID,
        capacity.AUTH_TOKEN,
        server=f"http://127.0.0.1:{settings.PORT}",
        public_url=settings.PUBLIC_URL,
    )
    with capacity.running_server("daphne", settings.PORT, "0") as pid:
        return asyncio.run(ring_one_after_another(account, calls, pid))


async def ring_one_after_another(account: Account, calls: int, pid: int) -> list[dict[str, Any]]:
    rows = []
    for number in range(1, calls + 1):
        await ring(account)
        if number in LOOKED_AT or number == calls:
            await asyncio.sleep(1.0)  # what ends after a call has ended
            rss, pss = size_of(pid)
            rows.append({"calls": number, "rss_mb": round(rss, 1), "pss_mb": round(pss, 1)})
    return rows


async def ring(account: Account) -> None:
    carrier = Carrier(account, caller="+14155550199", callee=capacity.NUMBER)
    while not (told := await carrier.ring()).socket_path:  # turned away while the machine is busy
        await asyncio.sleep(1.0)
        carrier = Carrier(account, caller="+14155550199", callee=capacity.NUMBER)
    async with carrier.socket(told.socket_path) as socket:
        stream = Stream(socket, account_sid=account.sid, call_sid=carrier.call_sid)
        listening = asyncio.create_task(stream.listen())
        await stream.start(told.parameters)
        for _ in range(int(GREETED_SECONDS / 0.02)):
            await stream.tick()
            await asyncio.sleep(0.02)
        await stream.stop()
        await listening
    await carrier.tell_status("completed")


if __name__ == "__main__":
    main()
