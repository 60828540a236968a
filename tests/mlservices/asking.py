"""How tests ask one model's workers."""

import asyncio
from contextlib import aclosing

from mlservices.service.deployments import Deployments

SAYS = {"rate": 0, "voice": "default", "language": "", "speed": 1.0}


async def say(pool, text, **how):
    """The number of pieces that came."""
    async with aclosing(pool.run("speak", SAYS | {"text": text}, **how)) as pieces:
        return len([piece async for piece in pieces])


async def until(condition, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def priorities(monkeypatch):
    """[(task, priority), ...] as services that run in this process are asked from now on."""
    asked = []
    run = Deployments.run

    def noting(self, task, *args, **how):
        asked.append((task, how["asked"].priority))
        return run(self, task, *args, **how)

    monkeypatch.setattr(Deployments, "run", noting)
    return asked
