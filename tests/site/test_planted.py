"""That a secret which is logged is found: the search itself can fail."""

from __future__ import annotations

import logging

import pytest

from mlservices.secret_box import sealed
from tests import planted

SECRET = "planted" + "-by-this-test-alone"


@pytest.mark.parametrize(
    "logged",
    [SECRET, "Bearer " + SECRET, "{'headers': {'X-Token': '" + SECRET + "'}}"],
    ids=["alone", "header", "dict"],
)
def test_what_was_sealed_is_found_in_any_line(logged: str) -> None:
    sealed(SECRET)
    logging.getLogger("telephony").info("asked with %s", logged)
    assert len(planted.search.taken()) == 1


def test_it_is_found_in_a_traceback_and_not_where_it_is_masked() -> None:
    sealed(SECRET)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("agents").exception("It failed.")
    assert len(planted.search.taken()) == 1
    logging.getLogger("agents").info("said vf_sk_%s", "0" * 32)
    assert not planted.search.taken()
