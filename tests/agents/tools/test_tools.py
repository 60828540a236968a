"""Tools: what they send, and what a flow learns of the answer."""

from __future__ import annotations

import json

import pytest

from agents.flow.program import ToolResult
from agents.models import Tool
from agents.outside import Answer
from agents.tools.answers import HIDDEN, at, result_of
from agents.tools.arguments import BadArguments, checked
from agents.tools.calling import exchange, masked, toolbox_of
from agents.tools.requests import request_for
from mlservices.secret_box import sealed

SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"type": "string"},
        "seats": {"type": "integer", "minimum": 1},
        "outside": {"type": "boolean"},
    },
    "required": ["day"],
}


def tool(url: str = "https://booking.test/tables/{{day}}", **more) -> Tool:
    return Tool(**{"name": "book", "url": url, "parameters": SCHEMA, **more})


class TestArguments:
    def test_texts_become_what_the_schema_asks_for(self):
        given = {"day": "12", "seats": " 4 ", "outside": "yes"}
        assert checked(given, SCHEMA) == {"day": "12", "seats": 4, "outside": True}

    def test_nothing_said_is_nothing_given(self):
        assert checked({"day": "Monday", "seats": ""}, SCHEMA) == {"day": "Monday"}

    @pytest.mark.parametrize(
        "schema, text, value",
        [
            ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "4", 4),
            ({"type": ["number", "null"]}, "4.5", 4.5),
            ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "4", "4"),
            ({"anyOf": [{"type": "integer"}, {"const": "4"}]}, "4", "4"),
        ],
    )
    def test_so_they_do_where_there_is_a_choice(self, schema, text, value):
        assert checked({"x": text}, {"properties": {"x": schema}}) == {"x": value}

    @pytest.mark.parametrize(
        "given, reason",
        [
            ({}, "'day' is a required property"),
            ({"day": "x", "seats": "some"}, "seats: 'some' is not of type 'integer'"),
            ({"day": "x", "seats": 0}, "seats: 0 is less than the minimum of 1"),
            (
                {"day": "x", "url": "http://evil.test"},
                "There is no argument “url”; the arguments are: day, seats",
            ),
        ],
    )
    def test_what_does_not_fit_is_named(self, given, reason):
        with pytest.raises(BadArguments, match=reason):
            checked(given, SCHEMA)

    def test_a_schema_that_refers_to_itself_is_told(self):
        schema = {"type": "object", "properties": {"day": {"$ref": "#/properties/day"}}}
        with pytest.raises(BadArguments, match="refers to itself"):
            checked({"day": "x"}, schema)

    def test_no_schema_is_fetched_from_elsewhere(self, other):
        schema = {"type": "object", "properties": {"day": {"$ref": f"{other.url}/schema"}}}
        with pytest.raises(BadArguments, match="not in it"):
            checked({"day": "x"}, schema)
        assert not other.asked


class TestRequests:
    def test_an_argument_stays_a_part_of_the_address(self):
        sent = request_for(tool(), {"day": "../admin?all=1#x @évil"}, {})
        assert sent.url == "https://booking.test/tables/..%2Fadmin%3Fall%3D1%23x%20%40%C3%A9vil"

    def test_an_argument_does_not_lead_upwards(self):
        with pytest.raises(BadArguments, match="day"):
            request_for(tool(), {"day": ".."}, {})

    @pytest.mark.parametrize("day", [{}, {"day": " "}])
    def test_a_part_of_the_address_is_never_left_out(self, day):
        with pytest.raises(BadArguments, match="day: it is a part of the address, and empty"):
            request_for(tool("https://booking.test/tables/{{day}}/all", method="DELETE"), day, {})

    def test_behind_the_question_mark_it_may_be(self):
        assert request_for(tool("https://booking.test/tables?day={{day}}"), {}, {}).url.endswith("?day=")

    def test_what_the_address_does_not_name_stands_behind_it(self):
        sent = request_for(tool(), {"day": "monday", "seats": 4, "outside": True}, {})
        assert (sent.method, sent.url) == ("GET", "https://booking.test/tables/monday?seats=4&outside=yes")

    def test_or_in_the_body_as_what_it_is(self):
        sent = request_for(tool(method="POST"), {"day": "monday", "seats": 4, "outside": False}, {})
        assert json.loads(sent.body) == {"seats": 4, "outside": False}
        assert sent.headers["Content-Type"] == "application/json"

    def test_a_body_of_one_s_own_is_filled_and_stays_json(self):
        parts = {
            "when": {"day": "{{day}}"},
            "seats": "{{seats}}",
            "note": ["for {{seats}}"],
            "x": "{{outside}}",
        }
        body = json.dumps(parts)
        sent = request_for(tool(method="PUT", body=body), {"day": 'x", "admin": "yes', "seats": 4}, {})
        assert json.loads(sent.body) == {
            "when": {"day": 'x", "admin": "yes'},
            "seats": 4,
            "note": ["for 4"],
            "x": None,
        }

    def test_what_a_caller_said_brings_in_no_placeholder_and_no_header(self):
        asked = tool(method="POST", headers={"X-Day": "{{day}}"})
        sent = request_for(asked, {"day": "{{seats}}\r\nX-Admin: 1", "seats": 4}, {})
        assert sent.headers["X-Day"] == "{{seats}} X-Admin: 1"


class TestAnswers:
    @pytest.mark.parametrize(
        "place, value",
        [
            ("free.0.time", "nine"),
            ("free.1", None),
            ("free.x", None),
            ("count", 2),
            ("none", None),
            ("free.0.time.x", None),
        ],
    )
    def test_a_value_has_a_place(self, place, value):
        assert at(place, {"free": [{"time": "nine"}], "count": 2, "none": None}) == value

    def test_variables_are_texts_numbers_or_yes_and_no(self):
        answer = Answer(200, {}, b'{"a": 1.5, "b": true, "c": {"d": [1]}, "e": "' + b"x" * 900 + b'"}', "", 0)
        result = result_of(answer, {"a": "a", "b": "b", "c": "c", "e": "e", "gone": "f.g"})
        assert result.values == {"a": 1.5, "b": True, "c": '{"d": [1]}', "e": "x" * 500}

    def test_what_is_no_json_is_text(self):
        assert result_of(Answer(200, {}, b"Hello \xff", "", 0), {"all": ""}).values == {"all": "Hello \ufffd"}

    @pytest.mark.parametrize(
        "body, text",
        [
            (b'{"a": NaN, "b": 1e999}', '{"a": null, "b": null}'),
            (b'{"a": "x\\u0000", "b": "\\ud800"}', '{"a": "x\ufffd", "b": "\ufffd"}'),
            (b"plain \x00", "plain \ufffd"),
        ],
    )
    def test_what_cannot_be_stored_is_left_out(self, body, text):
        assert result_of(Answer(200, {}, body, "", 0), {}).text == text

    @pytest.mark.parametrize(
        "named, body",
        [
            ("text/plain; charset=idna", "é".encode()),
            ("text/plain; charset=rot13", "é".encode()),
            ("text/plain; charset=latin-1; x=1", b"\xe9"),
            ("", "é".encode()),
        ],
    )
    def test_its_signs_are_read_as_it_names_them(self, named, body):
        assert Answer(200, {"content-type": named}, body, "", 0).text == "é"

    def test_a_refusal_fails_and_may_say_why(self):
        result = result_of(Answer(409, {}, b'{"why": "closed"}', "", 0), {"why": "why"})
        assert result == ToolResult(
            ok=False, values={"why": "closed"}, text='{"why": "closed"}', reason="It answered 409."
        )


class TestExchange:
    async def test_an_answer_of_endless_depth_is_text(self, other):
        other.answer("/", b"[" * 100_000)
        done = await exchange(tool(f"{other.url}/"), {"day": "x"})
        assert done.result.ok and done.result.text.startswith("[[[")

    async def test_it_is_asked_in_earnest(self, other):
        other.answer("/tables/monday", {"slots": [{"time": "nine"}]})
        asked = tool(
            f"{other.url}/tables/{{{{day}}}}",
            results={"time_free": "slots.0.time"},
            secret_headers=sealed('{"Authorization": "Bearer swordfish"}'),
        )
        done = await exchange(asked, {"day": "monday", "seats": "2"})
        assert done.result.ok and done.result.values == {"time_free": "nine"}
        method, path, headers, _ = other.asked[0]
        assert (method, path, headers["Authorization"]) == (
            "GET",
            "/tables/monday?seats=2",
            "Bearer swordfish",
        )
        assert "swordfish" not in repr(masked(done.request))

    async def test_a_server_that_repeats_a_secret_tells_it_nobody(self, other):
        other.answer("/", {"you_sent": "Bearer swordfish"}, X_Echo="Bearer swordfish")
        asked = tool(
            f"{other.url}/",
            results={"echo": "you_sent"},
            secret_headers=sealed('{"X-Key": "Bearer swordfish"}'),
        )
        done = await exchange(asked, {"day": "x"})
        assert done.result.values == {"echo": HIDDEN}
        assert "swordfish" not in f"{done.result}{done.answer}"

    @pytest.mark.parametrize(
        "body", [b'{"you": "sent swordfish/1"}', rb'["swordfish\/1"]', b"a swordfish/1!"]
    )
    async def test_also_a_part_of_it_however_it_is_written(self, other, body):
        other.answer("/", body)
        asked = tool(f"{other.url}/", secret_headers=sealed('{"X-Key": "Bearer swordfish/1"}'))
        done = await exchange(asked, {"day": "x"})
        assert "swordfish" not in f"{done.result}{done.answer}" and HIDDEN in done.result.text

    @pytest.mark.parametrize(
        "secret, body, text",
        [
            ("1", {"day": "2026-11-12"}, '{"day": "2026-11-12"}'),
            ("12345678", {"n": 12345678}, f'{{"n": "{HIDDEN}"}}'),
        ],
    )
    async def test_a_date_stays_and_a_number_that_is_the_secret_does_not(self, other, secret, body, text):
        other.answer("/", body)
        asked = tool(f"{other.url}/", secret_headers=sealed(json.dumps({"X-Key": secret})))
        assert (await exchange(asked, {"day": "x"})).result.text == text

    async def test_a_header_may_hold_any_letters(self, other):
        other.answer("/", {"ok": 1})
        asked = tool(f"{other.url}/", headers={"X-Day": "{{day}}"})
        assert (await exchange(asked, {"day": "żółć"})).result.ok
        assert other.asked[0][2]["X-Day"].encode("latin-1").decode() == "żółć"

    async def test_a_fault_of_ours_is_told_and_not_raised(self, monkeypatch, caplog):
        monkeypatch.setattr("agents.tools.calling.request_for", lambda *_: 1 / 0)
        done = await exchange(tool(), {"day": "x"})
        assert "log of the server" in done.result.reason and "ZeroDivisionError" in caplog.text

    async def test_an_answer_of_the_first_time_is_not_taken_for_the_second_s(self, other):
        other.answer("/", {"old": 1}, status=503)
        other.answer("/", {}, after=3.5)
        done = await exchange(tool(f"{other.url}/", seconds=3.0), {"day": "x"})
        assert (done.answer, done.attempts) == (None, 2) and "no answer within" in done.result.reason

    @pytest.mark.parametrize(
        "method, repeatable, times", [("GET", False, 2), ("POST", False, 1), ("POST", True, 2)]
    )
    async def test_it_is_asked_again_where_that_does_no_harm(self, other, method, repeatable, times):
        other.answer("/", {}, status=503)
        other.answer("/", {"ok": 1})
        done = await exchange(tool(f"{other.url}/", method=method, repeatable=repeatable), {"day": "x"})
        assert (len(other.asked), done.attempts, done.result.ok) == (times, times, times == 2)

    async def test_a_slow_one_is_given_up_in_time(self, other):
        other.answer("/", {})
        other.seconds = 3.0
        done = await exchange(tool(f"{other.url}/", seconds=0.2), {"day": "x"})
        assert done.result.reason == "There was no answer within 0.2 seconds." and done.seconds < 2.5

    async def test_one_of_a_private_network_is_refused(self, other, settings):
        settings.TOOL_PRIVATE_HOSTS = []
        done = await exchange(tool(f"{other.url}/"), {"day": "x"})
        assert not done.result.ok and "TOOL_PRIVATE_HOSTS" in done.result.reason and not other.asked

    async def test_what_does_not_fit_is_not_sent(self, other):
        done = await exchange(tool(f"{other.url}/"), {"seats": 2})
        assert "'day' is a required property" in done.result.reason and not other.asked

    async def test_secrets_that_cannot_be_read_are_told(self, other):
        done = await exchange(tool(f"{other.url}/", secret_headers="gAAAAnonsense"), {"day": "x"})
        assert "CREDENTIALS_KEY" in done.result.reason and not other.asked

    async def test_a_flow_s_box_has_the_tools_that_it_names(self, other):
        other.answer("/", {"ok": 1})
        box = toolbox_of({"book": tool(f"{other.url}/", filler="One moment.")})
        assert (await box.call("book", {"day": "x"})).ok
        assert (await box.call("other", {})).reason == "There is no tool other."
        assert box.fillers == {"book": "One moment."}
