"""Two sessions of a key are asked for at the same moment, and it has room for one."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from agents.actions import ensure_api_agent
from telephony.models import Call
from telephony.realtime import actions
from telephony.realtime.actions import TooMany, start_api_call
from telephony.realtime.door import Visitor
from voiceforge_site.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_begins_and_the_other_is_told_that_it_is_one_too_many(
    bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, visitor, both = ensure_api_agent(), Visitor(bob.username, "vf_sk_0123abcd"), threading.Barrier(2)
    ringing = actions.ringing

    def once_both_were_counted(*args: Any, **kwargs: Any) -> Any:
        with contextlib.suppress(threading.BrokenBarrierError):  # as it should be: one waits for the other
            both.wait(1)
        return ringing(*args, **kwargs)

    monkeypatch.setattr(actions, "ringing", once_both_were_counted)

    def begin(_: int) -> bool:
        try:
            start_api_call(agent=agent, visitor=visitor, most=1)
        except TooMany:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as two:
        assert sorted(two.map(begin, range(2))) == [False, True]
    assert Call.objects.count() == 1
