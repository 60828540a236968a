from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from telephony.eventlog import eventlog


@pytest.fixture(autouse=True)
def _no_thread_outlives_its_database() -> Iterator[None]:
    yield
    eventlog.close()
    asyncio.run(sync_to_async(connections.close_all)())  # of the thread behind asynchronous views
