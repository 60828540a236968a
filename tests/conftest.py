"""The three people every test knows: Alice administers, Bob operates, Charlie has no rights."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.db import connection
from django.test import Client

from tests import planted
from tests.audit import guard
from tests.fakes.another_system import Other, another_system
from tests.product import Product, running_product
from tests.program import Program
from voiceforge_site.access import key_actions
from voiceforge_site.models import User

# What a shell runs beside itself is deaf to Ctrl-C, and so would be whom the tests start and stop by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# On a machine with much to do it is no fault of a test's that its examples come slowly
hypothesis.settings.register_profile("tests", suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("tests")

LONG_FILES = (  # begun first, or one worker would wait at the end until another has done with them
    "browser/test_every_page.py",
    "browser/test_every_other_page.py",
    "site/test_up.py",
    "access/test_every_page.py",
    "telephony/test_calls.py",
    "site/test_web.py",
)


# Long, and of what changes seldom: `make test-thorough` runs these
THOROUGH_PLACES = (
    "mlservices/engines/",
    "mlservices/test_precedence.py",
    "mlservices/test_space_folder.py",
    "telephony/test_two_servers.py",  # .ci/run has these two on PostgreSQL and Redis
    "telephony/outbound/test_load.py",
    "browser/test_agent_numbers.py",
    "browser/test_agent_settings.py",
    "browser/test_flow_editor.py",
    "browser/test_flow_try_tools.py",
    "browser/test_flow_writing.py",
    "browser/test_history.py",
    "browser/test_models.py",
    "browser/test_people.py",
    "browser/test_picker.py",
    "browser/test_spoken.py",  # test_operate.py speaks and listens in a browser too
    "browser/test_voices.py",
    "browser/test_walk.py",
    "browser/test_webhooks.py",
)
THOROUGH_NAMES = (
    "[uvicorn]",  # daphne's is run
    "[granian]",
    "a_problem_like_all_others[daphne]",  # the site's own limit is run
    "without_a_trace[1]",
    "without_a_trace[15]",
    "however_that_ends[2]",
    "however_that_ends[15]",
    "test_ctrl_c_keeps_what_has_come",
    "test_a_download_is_paused_goes_on_and_its_files_are_removed",  # one of the API's is stopped and goes on
    "test_a_package_that_pip_refuses_is_named",
    "test_unchanged_locks_install_nothing",
    "test_no_network",
    "test_static_files_are_collected_once_for_each_build",
    "test_the_help_of_a_verb_holds_what_belongs_to_it",
    "test_a_call_that_ended_while_the_server_was_away_leaves_the_board",
    "test_what_happened_while_the_server_was_away_is_told_once",
    "test_a_burst_of_connections_waits_until_it_is_taken",
    "test_the_server_is_reached_from_this_machine_only_unless_told_otherwise",
    "test_an_address_of_another_machine_cannot_be_listened_on",
    "[ML_PORT]",  # PORT's is run
    "test_a_web_server_that_is_killed_is_started_again",
    "test_simulate_call_rings_an_agent_that_has_no_number_yet",
    "test_simulate_call_says_where_it_stands_that_a_call_is_not_taken",
    "test_simulate_call_writes_down_a_call_in_which_the_server_stopped",
    "test_a_server_that_does_not_believe_us_says_so",
    "test_commands_find_it_on_ports_that_they_were_not_told",
    "test_a_list_that_is_asked_for_one_breaks_nothing[a NUL]",
    "test_a_list_that_is_asked_for_one_breaks_nothing[half a pair]",
    "test_a_connection_that_died_without_a_word_is_noticed_and_opened_anew",
    "test_on_a_telephone_too_the_newest_words_stay_in_view_until_one_scrolls_back",
    "test_what_two_servers_have_counted_is_there_when_they_were_stopped",
    "test_a_voice_that_is_killed_in_the_middle_of_a_call_is_replaced_and_the_caller_is_answered",
    "test_a_caller_leaves_a_message_and_hangs_up_content",  # one who hangs up in the middle is run
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Against PostgreSQL and Redis only what may meet them: the rest has run on the embedded ones."""
    here = Path(__file__).parent
    for item in items:
        place = item.path.relative_to(here).as_posix()
        if place.startswith(THOROUGH_PLACES) or item.name.endswith(THOROUGH_NAMES):
            item.add_marker(pytest.mark.thorough)
    long = [here / name for name in LONG_FILES]
    items.sort(key=lambda item: item.path not in long)
    if connection.vendor == "sqlite":
        return
    alike = [item for item in items if not _meets_services(item)]
    items[:] = [item for item in items if _meets_services(item)]
    config.hook.pytest_deselected(items=alike)


def pytest_collection_finish() -> None:
    """All that is loaded by now stays: to look through it for garbage again and again took a tenth of the
    time."""
    gc.collect()
    gc.freeze()


def _meets_services(item: pytest.Item) -> bool:
    marks = (item.get_closest_marker("services"), item.get_closest_marker("django_db"))
    fixtures = getattr(item, "fixturenames", ())
    return any(marks) or "db" in fixtures or "transactional_db" in fixtures


planted.watch()


@pytest.fixture(autouse=True)
def _no_secret_in_any_log() -> Iterator[None]:
    """What threads log between two tests is the next one's."""
    planted.listen()
    yield
    leaked = planted.search.taken()
    assert not leaked, "A secret stands in the log: " + " | ".join(leaked)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Tests with transactions of their own empty all tables behind them, which the trail's guard would
    refuse; `tests/audit` puts it back where it is looked at."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for statement in guard.without(connection.vendor):
            cursor.execute(statement)


@pytest.fixture
def other(settings: Any) -> Iterator[Other]:
    """A server of another system, which tools and sources may ask."""
    with another_system() as other:
        settings.TOOL_PRIVATE_HOSTS = [other.url.removeprefix("http://")]
        yield other


MAKE_PEOPLE = """
from voiceforge_site.models import User
User.objects.create_superuser("alice", "alice@example.org", "password", role="administrator")
for name in ("bob", "carol"):
    User.objects.create_user(name, password="password", role="operator")
"""


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The whole of it with the embedded models, started once for all who ring it."""
    with running_product(tmp_path_factory.mktemp("product")) as product:
        assert product.manage("shell", "-c", MAKE_PEOPLE).wait() == 0
        yield product


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_superuser("alice", "alice@example.org", "password", role="administrator")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", "bob@example.org", "password", role="operator")


@pytest.fixture
def charlie(db: None) -> User:
    return User.objects.create_user("charlie", "charlie@example.org", "password")


@pytest.fixture
def alices_browser(alice: User) -> Client:
    return _signed_in(alice)


@pytest.fixture
def bobs_browser(bob: User) -> Client:
    return _signed_in(bob)


@pytest.fixture
def charlies_browser(charlie: User) -> Client:
    return _signed_in(charlie)


@pytest.fixture
def program(db: None) -> Callable[..., Program]:
    """That of a person, whose key is made with these limits."""
    return lambda person, **limits: Program(key_actions.create("a test", person, **limits)[1])


@pytest.fixture
def alices(alice: User, program: Callable[..., Program]) -> Program:
    return program(alice)


@pytest.fixture
def bobs(bob: User, program: Callable[..., Program]) -> Program:
    return program(bob)


def _signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client
