"""How tests ask one model's workers."""

import asyncio
from contextlib import aclosing

SAYS = {"rate": 0, "voice": "default", "language": "", "speed": 1.0}


async def say(pool, text, **how):
    """The number of pieces that came."""
    async with aclosing(pool.run("speak", SAYS | {"text": text}, **how)) as pieces:
        return len([piece async for piece in pieces])


async def until(condition, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
