"""Against servers of the package `mcp` itself, in each way in which they answer."""

from __future__ import annotations

import json

import pytest

from agents.models import Tool, ToolServer
from agents.outside import Unanswered
from agents.tools.calling import exchange, masked, toolbox_of
from agents.tools.mcp.offers import read
from mlservices.secret_box import sealed
from tests.fakes.mcp_servers import KEY, WAYS, Clinics

SECRETS = {"Authorization": KEY}


async def called(url: str, name: str, /, **arguments: object):
    """The tool as it is offered, asked."""
    offer = next(offer for offer in (await read(url, SECRETS)).offers if offer.name == name)
    server = ToolServer(name="Clinic", url=url, secret_headers=sealed(json.dumps(SECRETS)))
    tool = Tool(name="clinic_tool", server=server, server_tool=name, method="POST")
    tool.parameters, tool.results = offer.parameters, {"guest": "guest.name", "all": ""}
    return await exchange(tool, arguments)


@pytest.mark.parametrize("way", WAYS)
class TestEachWay:
    async def test_it_tells_what_it_offers(self, real: Clinics, way: str):
        reading = await read(real.urls[way], SECRETS)
        assert (reading.name, reading.version) == ("Harbour Clinic", "3.1")
        assert [offer.name for offer in reading.offers] == ["find_booking", "openingHours", "cancel"]
        assert not any(offer.problem for offer in reading.offers)
        assert reading.offers[0].description == "Finds a booking by its number."
        assert reading.offers[0].parameters["required"] == ["number"]

    async def test_what_it_answers_sets_variables(self, real: Clinics, way: str):
        done = await called(real.urls[way], "find_booking", number="12", day="")
        assert done.result.ok and done.result.values["guest"] == "Anna"
        assert json.loads(done.result.text)["number"] == 12
        assert KEY not in repr(masked(done.request))

    async def test_text_after_other_messages_is_found(self, real: Clinics, way: str):
        done = await called(real.urls[way], "openingHours")
        assert done.result.ok and done.result.text == "From nine to five."

    async def test_an_error_that_it_reports_is_no_success(self, real: Clinics, way: str):
        done = await called(real.urls[way], "cancel", number=7)
        assert not done.result.ok and done.result.reason.startswith("It reported an error: ")

    async def test_one_connection_is_enough(self, real: Clinics, way: str):
        await read(real.urls[way], SECRETS)
        assert len(real.asked) > 2 and len(real.connections) == 1

    async def test_a_session_is_named_and_ended(self, real: Clinics, way: str):
        await read(real.urls[way], SECRETS)
        methods = [method for method, _ in real.asked]
        named = {headers.get("mcp-session-id") for _, headers in real.asked[1:]}
        if "stateful" in way:
            assert methods == ["POST", "POST", "POST", "DELETE"] and None not in named and len(named) == 1
        else:
            assert methods == ["POST", "POST", "POST"] and named == {None}
        assert {headers.get("mcp-protocol-version") for _, headers in real.asked[1:]} == {"2025-11-25"}


WAY = "stateful, events"


async def test_without_its_key_it_says_what_to_check(real: Clinics):
    with pytest.raises(Unanswered, match=r"answered 401\. Check the secret headers"):
        await read(real.urls[WAY], {})


async def test_at_another_path_it_says_what_to_check(real: Clinics):
    with pytest.raises(Unanswered, match=r"answered 404\. Check the address"):
        await read(f"{real.urls[WAY]}/other", SECRETS)


async def test_arguments_that_do_not_fit_are_not_sent(real: Clinics):
    done = await called(real.urls[WAY], "find_booking", number="many")
    assert "number: 'many' is not of type 'integer'" in done.result.reason and done.request is None


async def test_a_tool_that_is_gone_is_not_asked(real: Clinics):
    server = ToolServer(name="Clinic", url=real.urls[WAY])
    tool = Tool(name="clinic_cancel", server=server, server_tool="cancel", gone=True)
    box = toolbox_of({tool.name: tool})
    result = await box.call(tool.name, {})
    assert result.reason.startswith("Clinic no longer offers cancel.") and not real.asked
    assert not box.specs  # no language model is told of it
