from __future__ import annotations

from collections.abc import Iterator

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connections


@pytest.fixture(autouse=True)
def _no_thread_outlives_its_database() -> Iterator[None]:
    yield
    async_to_sync(sync_to_async(connections.close_all))()
