from __future__ import annotations

import pytest

from agents.flows.actions import create_flow
from agents.models import Tool, ToolServer
from agents.tools.calling import secrets_of
from mlservices.secret_box import sealed
from tests.agents.flow.samples import flow, node
from tests.pages.test_tool_servers import BAD, CANCEL, FIND, offering

TOOLS, SERVERS = "/api/tools", "/api/tools/servers"
FIND_BOOKING = {
    "name": "find_booking",
    "description": "Finds a booking by its number.",
    "url": "https://booking.test/bookings/{{number}}",
    "headers": {"Accept-Language": "en"},
    "secrets": {"Authorization": "Bearer swordfish"},
    "results": {"guest": "booking.name"},
    "seconds": 5,
}


def make(alices, **more):
    return alices.send("POST", TOOLS, {**FIND_BOOKING, **more})


class TestTools:
    def test_a_tool_is_made_read_changed_listed_and_deleted(self, alices, bobs):
        made = make(alices)
        assert made.status_code == 201, made.text
        told = made.json()
        assert told["parameters"]["required"] == ["number"]  # out of the address
        assert (told["results"], told["headers"]) == ({"guest": "booking.name"}, {"Accept-Language": "en"})
        assert (told["method"], told["server"], told["changed_by"]) == ("GET", None, "alice")
        assert alices.get(f"{TOOLS}/find_booking").json() == told
        changed = alices.send("PATCH", f"{TOOLS}/find_booking", {"name": "find", "method": "POST"}).json()
        assert (changed["name"], changed["method"], changed["results"]) == ("find", "POST", told["results"])
        assert [each["name"] for each in bobs.get(f"{TOOLS}?search=BOOKINGS").json()["results"]] == ["find"]
        assert bobs.get(f"{TOOLS}?method=GET").json()["results"] == []
        assert alices.send("DELETE", f"{TOOLS}/find").status_code == 204
        assert not Tool.objects.exists()

    def test_secrets_are_written_kept_forgotten_and_never_told(self, alices):
        answers = [make(alices), alices.send("PATCH", f"{TOOLS}/find_booking", {"description": "New"})]
        answers += [alices.get(TOOLS), alices.get(f"{TOOLS}/find_booking")]
        assert not any("swordfish" in each.text for each in answers)
        assert answers[-1].json()["secret_headers"] == ["Authorization"]
        assert secrets_of(Tool.objects.get()) == FIND_BOOKING["secrets"]
        moved = alices.send("PATCH", f"{TOOLS}/find_booking", {"url": "https://evil.test/{{number}}"})
        assert (moved.status_code, "booking.test" in moved.json()["fields"]["secrets"]) == (400, True)
        forgotten = alices.send("PATCH", f"{TOOLS}/find_booking", {"secrets": None}).json()
        assert (forgotten["secret_headers"], Tool.objects.get().secret_headers) == ([], "")

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"name": "Find!"}, "name"),
            ({"name": "servers"}, "name"),
            ({"url": "ftp://x"}, "url"),
            ({"url": ""}, "url"),
            ({"url": "https://xn--a/"}, "url"),
            ({"url": "https://{{host}}/"}, "url"),
            ({"seconds": 0}, "seconds"),
            ({"seconds": "5"}, "seconds"),
            ({"method": "SING"}, "method"),
            ({"headers": {"Host": "x"}}, "headers"),
            ({"headers": {"A": "x\nB: y"}}, "headers.A"),
            ({"headers": {"A: b": "x"}}, "headers.A: b"),
            ({"headers": {"A": 5}}, "headers.A"),
            ({"secrets": {"A": "x\u2028B: y"}}, "secrets.A"),
            ({"results": {"a = b": "x"}}, "results.a = b"),
            ({"parameters": {"type": "string"}}, "parameters"),
            ({"parameters": {"type": "object", "properties": {}}}, "parameters"),
            ({"body": "{"}, "body"),
            ({"colour": "red"}, "colour"),
            ({"gone": True}, "gone"),
        ],
        ids=str,
    )
    def test_what_is_wrong_is_told_by_field(self, alices, wrong, field):
        refused = make(alices, **wrong)
        assert (refused.status_code, list(refused.json()["fields"])) == (400, [field]), refused.text

    def test_a_name_is_taken_once(self, alices):
        make(alices)
        assert list(make(alices).json()["fields"]) == ["name"]

    def test_a_change_of_what_somebody_else_changed_is_refused_with_who(self, alices):
        read = make(alices)
        alices.send("PATCH", f"{TOOLS}/find_booking", {"seconds": 6})
        late = alices.send("PATCH", f"{TOOLS}/find_booking", {"seconds": 7}, If_Match=read["ETag"])
        assert (late.status_code, late.json()["detail"][:9]) == (412, "alice has")
        assert alices.send("DELETE", f"{TOOLS}/find_booking", If_Match=read["ETag"]).status_code == 412

    def test_one_that_a_flow_names_is_kept(self, alices):
        make(alices)
        create_flow(graph=flow(node("t", "tool", toolName="find_booking")), name="Shop", by="alice")
        refused = alices.send("DELETE", f"{TOOLS}/find_booking")
        assert (refused.status_code, refused.json()["detail"]) == (
            409,
            "Take it from these flows first: Shop.",
        )

    def test_it_is_tried_and_what_was_sent_is_told_without_secrets(self, alices, other):
        other.answer("/bookings/7", {"booking": {"name": "Anna"}, "echo": "Bearer swordfish"})
        make(alices, url=f"{other.url}/bookings/{{{{number}}}}")
        tried = alices.send("POST", f"{TOOLS}/find_booking/try", {"arguments": {"number": "7"}})
        told = tried.json()
        assert (told["ok"], told["values"], told["answer"]["status"]) == (True, {"guest": "Anna"}, 200)
        assert told["request"]["url"] == f"{other.url}/bookings/7"
        assert other.asked[0][2]["Authorization"] == "Bearer swordfish" and "swordfish" not in tried.text
        failed = alices.send("POST", f"{TOOLS}/find_booking/try").json()
        assert (failed["ok"], failed["request"], failed["answer"]) == (False, None, None)

    def test_a_list_of_many_asks_the_database_as_often_as_one_of_few(self, alices, django_assert_num_queries):
        server = ToolServer.objects.create(name="s", slug="s", url="https://x.test")
        for number in range(30):
            Tool.objects.create(name=f"t{number}", server=server, server_tool=f"t{number}")
        alices.get(TOOLS)
        with django_assert_num_queries(2):  # who asks, and the page
            assert len(alices.get(TOOLS).json()["results"]) == 30

    def test_who_may_only_look_changes_and_tries_nothing(self, alices, bobs, program, alice):
        make(alices)
        for method, path in (
            ("POST", ""),
            ("PATCH", "/find_booking"),
            ("DELETE", "/find_booking"),
            ("POST", "/find_booking/try"),
        ):
            assert bobs.send(method, f"{TOOLS}{path}", {}).status_code == 403
        looking = program(alice, scopes=["agents.view_agents"])
        assert looking.get(f"{TOOLS}/find_booking").status_code == 200
        assert looking.send("DELETE", f"{TOOLS}/find_booking").status_code == 403


@pytest.mark.django_db(transaction=True)
class TestServers:
    def connect(self, alices, other, *tools, **more):
        offering(other, *(tools or (FIND, CANCEL, BAD)))
        sent = {"name": "My clinic", "url": f"{other.url}/mcp", "secrets": {"X-Key": "swordfish"}}
        return alices.send("POST", SERVERS, {**sent, **more})

    def test_a_server_is_added_read_chosen_from_changed_and_removed(self, alices, bobs, other):
        made = self.connect(alices, other)
        assert made.status_code == 201, made.text
        told = made.json()
        assert (told["id"], told["told_name"], told["reason"]) == ("my-clinic", "Clinic <b>", "")
        assert [(each["name"], each["problem"], each["tool"]) for each in told["offered"]] == [
            ("findBooking", "", None),
            ("cancel", "", None),
            ("a\ufffdb", "name", None),
        ]
        address = f"{SERVERS}/my-clinic"
        chosen = alices.send("PUT", f"{address}/tools", {"tools": ["findBooking"]}).json()
        assert chosen["offered"][0]["tool"] == "my_clinic_find_booking"
        [row] = bobs.get(SERVERS).json()["results"]
        assert (row["id"], row["count"]) == ("my-clinic", 1)
        tool = bobs.get(f"{TOOLS}?server=my-clinic").json()["results"][0]
        assert (tool["name"], tool["server_tool"]) == ("my_clinic_find_booking", "findBooking")
        refused = alices.send("PATCH", f"{TOOLS}/my_clinic_find_booking", {"url": "https://x.test"})
        assert list(refused.json()["fields"]) == ["url"]
        assert alices.send("PATCH", f"{TOOLS}/my_clinic_find_booking", {"seconds": 3}).json()["seconds"] == 3
        offering(other, CANCEL)
        read = alices.send("POST", f"{address}/read").json()
        assert {"what": "gone", "name": "findBooking"} in read["news"]
        assert [each["name"] for each in read["offered"]] == ["cancel", "findBooking"]
        offering(other, CANCEL)
        renamed = alices.send("PATCH", address, {"name": "Clinic"}).json()
        assert (renamed["name"], renamed["id"]) == ("Clinic", "my-clinic")
        assert alices.send("DELETE", address).status_code == 204
        assert not Tool.objects.exists() and not ToolServer.objects.exists()

    def test_its_secrets_are_never_told(self, alices, other):
        answers = [self.connect(alices, other), alices.get(SERVERS), alices.get(f"{SERVERS}/my-clinic")]
        assert not any("swordfish" in each.text for each in answers)
        assert answers[0].json()["secret_headers"] == ["X-Key"]
        assert other.asked[0][2]["X-Key"] == "swordfish"

    def test_one_that_does_not_answer_is_kept_with_the_reason(self, alices, other):
        other.answer("/mcp", b"no", status=500)
        told = alices.send("POST", SERVERS, {"name": "Gone", "url": f"{other.url}/mcp"}).json()
        assert (told["read_at"], told["offered"], bool(told["reason"])) == (None, [], True)

    def test_what_a_flow_names_stays_chosen(self, alices, other):
        self.connect(alices, other)
        alices.send("PUT", f"{SERVERS}/my-clinic/tools", {"tools": ["cancel"]})
        create_flow(graph=flow(node("t", "tool", toolName="my_clinic_cancel")), name="Shop", by="alice")
        assert alices.send("PUT", f"{SERVERS}/my-clinic/tools", {"tools": []}).status_code == 409
        assert alices.send("DELETE", f"{SERVERS}/my-clinic").status_code == 409
        refused = alices.send("PUT", f"{SERVERS}/my-clinic/tools", {"tools": ["sing"]})
        assert (refused.status_code, list(refused.json()["fields"])) == (400, ["tools"])

    def test_what_is_wrong_is_told_by_field_and_who_was_faster(self, alices, bobs, other):
        for url in ("mcp", "https://xn--a/"):
            assert list(self.connect(alices, other, url=url).json()["fields"]) == ["url"]
        assert list(self.connect(alices, other, name="").json()["fields"]) == ["name"]
        read = self.connect(alices, other)
        offering(other, CANCEL)
        assert (
            alices.send("PATCH", f"{SERVERS}/my-clinic", {"name": "A"}, If_Match=read["ETag"]).status_code
            == 200
        )
        late = alices.send("PATCH", f"{SERVERS}/my-clinic", {"name": "B"}, If_Match=read["ETag"])
        assert (late.status_code, late.json()["detail"][:9]) == (412, "alice has")
        assert bobs.send("POST", f"{SERVERS}/my-clinic/read").status_code == 403
        assert bobs.send("PUT", f"{SERVERS}/my-clinic/tools", {"tools": []}).status_code == 403


def test_secrets_under_a_lost_key_are_told_as_unknown(alices, settings):
    settings.CREDENTIALS_KEY = ""
    Tool.objects.create(name="t", url="https://x.test/", secret_headers=sealed('{"A": "b"}')[:-4] + "AAAA")
    assert alices.get(f"{TOOLS}/t").json()["secret_headers"] == ["?"]
