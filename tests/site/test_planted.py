"""That a secret which is logged is found: the search itself can fail."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from mlservices.secret_box import sealed
from tests import planted
from tests.product import leaks
from voiceforge_site.models import User

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


def test_a_persons_password_and_session_are_found_too(db: None) -> None:
    person = User.objects.create_user("dora", password=SECRET + "-of-dora")
    browser = Client()
    browser.force_login(person)
    for secret in (SECRET + "-of-dora", browser.cookies["sessionid"].value):
        logging.getLogger("voiceforge_site").info("signed in with %s", secret)
        assert len(planted.search.taken()) == 1


def test_our_own_keys_are_masked_wherever_they_are_logged() -> None:
    for key in (*settings.CREDENTIALS_KEYS, settings.SECRET_KEY):
        logging.getLogger("voiceforge_site").info("opened with %s", key)
        assert key in planted.search.planted and not planted.search.taken()


def test_it_goes_on_after_logging_was_configured_anew() -> None:
    before = logging.getLogger().handlers[:]
    logging.getLogger().removeHandler(planted.search)  # as dictConfig does
    planted.listen()
    planted.listen()
    assert logging.getLogger().handlers.count(planted.search) == 1
    assert set(logging.getLogger().handlers) == set(before)


def test_in_the_log_of_the_whole_product_too(tmp_path: Path) -> None:
    (tmp_path / "session-secret").write_text("signs-all-sessions\n")
    key, log = "vf_sk_" + "0f" * 16, tmp_path / "product.log"
    log.write_text(f"ready\nasked by {key[:14]}\nasked by {key}\nsigned by signs-all-sessions\n")
    found = leaks(log, {"VAR_DIR": str(tmp_path), "CREDENTIALS_KEY": ""})
    assert found == [f"asked by {key}", "signed by signs-all-sessions"]
