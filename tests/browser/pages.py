"""Every page there is, and the states worth a look. A new page is a function more:

    @shown
    def people(world: World) -> str:
        return reverse("people:list")

It makes what the page needs and returns the address; with `then` something is done to the open page first.
tests/browser/test_every_page.py looks at each in both themes and both widths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from agents.actions import create_demo_agent, save_agent
from agents.flows.actions import create_flow, publish, require_tests, save_draft
from agents.models import Agent, Flow, KnowledgeBase, Tool, ToolServer
from agents.tools.arguments import schema_of
from agents.tools.mcp.actions import choose_tools, keep_reading, save_server
from agents.tools.mcp.offers import Offer, Reading
from mlservices.audit import Actor, Thing, acting, record
from mlservices.models import Price
from telephony import search, traffic
from telephony.annotation_actions import set_messages_done, tag_call, write_note
from telephony.audited import record_of_call
from telephony.credentials import save_credential
from telephony.lines.actions import note_use
from telephony.models import (
    BlockedCaller,
    Call,
    CallMessage,
    Credential,
    DoNotCall,
    PhoneNumber,
    PlannedCall,
    SipLine,
)
from telephony.session.events import CallerWordsGuessed, EngineFailed, MessageTaken
from tests.agents.flow.samples import EVERY_KIND, MENU, edge, flow, node
from tests.factories import (
    ended,
    make_agent,
    make_call,
    make_provider_recording,
    make_recording,
    make_usage,
    make_walked_call,
    noted,
    spoken,
)
from tests.hooks.made import make_busy_webhook, make_delivery, make_webhook
from tests.service_checks import make_week_of_checks
from voiceforge_site.access import key_actions
from voiceforge_site.audit.chain import verify_news
from voiceforge_site.models import AuditEntry, Delivery, User, Webhook

TURNS = [("When are you open on Saturday?", "From nine to one."), ("Thank you.", "You're welcome.")]


class World:
    """What pages show; each part is made when the first page asks for it."""

    @cached_property
    def agent(self) -> Agent:
        make_agent("Hotel concierge", status="paused")
        agent = create_demo_agent()
        agent.instructions, agent.eagerness = "Be kind.", 0.7
        return save_agent(agent=agent, by="alice")

    @cached_property
    def going(self) -> Call:
        failing = EngineFailed(at_seconds=20, engine="tts", error="timed out", remedy="apologised")
        guess = CallerWordsGuessed(at_seconds=20, turn=3, text="could")
        return make_call(self.agent, [*spoken(TURNS), failing, guess])

    @cached_property
    def over(self) -> Call:
        message = MessageTaken(
            at_seconds=20,
            name="David Brown",
            number="4155550132",
            number_confirmed=False,
            words="Please call me back about my test results.",
            complete=False,
        )
        call = make_call(self.agent, ended([*spoken(TURNS), message]))
        make_recording(call)
        search.index(call.pk)
        tag_call(call=call, name="Call back")
        write_note(call=call, author="bob", text="Rang back at six.")
        return call

    def everything(self) -> None:
        """For pages that list it."""
        _ = self.going, self.over


@dataclass(frozen=True)
class Shown:
    name: str
    make: Callable[[World], str]
    then: Callable[[Page], None] | None = None


PAGES: list[Shown] = []


def shown(make: Callable[[World], str]) -> Callable[[World], str]:
    PAGES.append(Shown(make.__name__, make))
    return make


def then(act: Callable[[Page], None]) -> Callable[[Callable[[World], str]], Callable[[World], str]]:
    """`@then(lambda page: page.keyboard.press("?"))` in place of `@shown`."""

    def add(make: Callable[[World], str]) -> Callable[[World], str]:
        PAGES.append(Shown(make.__name__, make, act))
        return make

    return add


@shown
def welcome(world: World) -> str:
    return reverse("home")


@shown
def overview(world: World) -> str:
    world.everything()
    return reverse("home")


@shown
def agents(world: World) -> str:
    world.everything()
    return reverse("agents:list")


@shown
def agents_that_do_not_match(world: World) -> str:
    return reverse("agents:list") + "?q=nobody"


@shown
def new_agent(world: World) -> str:
    return reverse("agents:new")


@shown
def agent(world: World) -> str:
    return world.agent.get_absolute_url()


@shown
def trial_by_text(world: World) -> str:
    return reverse("agents:try", args=[world.agent.slug])


@shown
def talk(world: World) -> str:
    return reverse("telephony:talk", args=[world.agent.slug])


@shown
def live_calls(world: World) -> str:
    world.everything()
    return reverse("telephony:live")


@shown
def history(world: World) -> str:
    world.everything()
    return reverse("telephony:history")


@shown
def messages(world: World) -> str:
    world.everything()
    return reverse("telephony:messages")


@then(lambda page: page.locator("[data-bulk-item]").first.check())
def messages_chosen(world: World) -> str:
    world.everything()
    return reverse("telephony:messages") + "?state=all"


@shown
def messages_that_are_done(world: World) -> str:
    world.everything()
    set_messages_done(message_ids=CallMessage.objects.values_list("pk", flat=True), done=True, by="bob")
    return reverse("telephony:messages") + "?state=done"


@shown
def call_that_goes_on(world: World) -> str:
    return world.going.get_absolute_url()


@shown
def call_that_is_over(world: World) -> str:
    return world.over.get_absolute_url()


@shown
def call_that_its_provider_recorded_too(world: World) -> str:
    call = make_call(world.agent, ended(spoken(TURNS)))
    make_recording(call)
    kept = make_provider_recording(call)
    make_provider_recording(
        call, state="failed", tries=9, problem="Twilio has no such recording, or not yet."
    )
    return f"{call.get_absolute_url()}?sound={kept.pk}"


def _open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("front")
    page.locator("#palette [role=option]", has_text="Talk to Front desk").wait_for()


@then(_open_palette)
def palette(world: World) -> str:
    world.everything()
    return reverse("agents:list")


@then(lambda page: page.keyboard.press("?"))
def shortcuts(world: World) -> str:
    return reverse("agents:list")


@then(lambda page: page.locator("[data-bulk-item]").first.check())
def rows_selected(world: World) -> str:
    world.everything()
    return "/workbench/?q=e"


def _delete(page: Page) -> None:
    page.locator("[data-bulk-item]").first.check()
    page.locator(".vf-bulk").get_by_role("button", name="Delete").click()


@then(_delete)
def asked(world: World) -> str:
    world.everything()
    return "/workbench/"


def _refused(page: Page) -> None:
    page.get_by_role("textbox", name="Number").fill("many")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").get_by_role("link", name="Number").wait_for()


@then(_refused)
def refused_form(world: World) -> str:
    return "/workbench/form/"


@shown
def missing_page(world: World) -> str:
    return "/workbench/fault/404/"


@shown
def page_of_a_failure(world: World) -> str:
    return "/workbench/fault/500/"


@shown
def overview_of_a_week(world: World) -> str:
    world.everything()
    return reverse("home") + "?period=7-days"


@shown
def wall(world: World) -> str:
    world.everything()
    return reverse("telephony:live") + "?wall=1"


@shown
def changes_of_an_agent(world: World) -> str:
    return reverse("agents:history", args=[world.agent.slug]) + "?old=1&new=2"


@shown
def calls_with_these_words(world: World) -> str:
    world.everything()
    return reverse("telephony:history") + "?q=saturday&longer=1"


@shown
def calls_with_filters_that_make_no_sense(world: World) -> str:
    world.everything()
    return reverse("telephony:history") + "?longer=abc&from=31.31.&outcome=won&at_least=90"


@shown
def calls_with_words_that_nobody_said(world: World) -> str:
    world.everything()
    return reverse("telephony:history") + "?q=saturdays+parking&agent=front-desk"


@shown
def exports(world: World) -> str:
    return reverse("telephony:exports")


@shown
def replay(world: World) -> str:
    return world.over.get_absolute_url() + "?replay=1"


@shown
def models_while_the_service_is_away(world: World) -> str:
    return reverse("models:list")


@then(lambda page: page.get_by_role("button", name="Chatterbox Multilingual", exact=True).click())
def model_at_length(world: World) -> str:
    return reverse("models:list") + "?kind=tts&language=de"


@shown
def models_that_do_not_match(world: World) -> str:
    return reverse("models:list") + "?q=nothing"


@shown
def keys(world: World) -> str:
    alice = User.objects.get(username="alice")
    key_actions.create("Reports of the night shift", alice, scopes=["telephony.view_calls"])
    key_actions.create("Booking", alice, networks=["203.0.113.0/24"])
    return reverse("keys:list")


@shown
def new_key(world: World) -> str:
    return reverse("keys:new")


def _make_the_key(page: Page) -> None:
    page.get_by_label("Name").fill("Booking")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_label("The key").wait_for()


@then(_make_the_key)
def key_shown_once(world: World) -> str:
    return reverse("keys:new")


@shown
def key(world: World) -> str:
    row, _shown = key_actions.create("Booking", User.objects.get(username="alice"))
    return row.get_absolute_url()


@shown
def people(world: World) -> str:
    return reverse("people:list")


@shown
def invitation(world: World) -> str:
    return reverse("people:invite")


@shown
def person(world: World) -> str:
    return User.objects.get(username="alice").get_absolute_url()


@shown
def profile(world: World) -> str:
    return reverse("profile:profile")


@shown
def two_step_sign_in(world: World) -> str:
    return reverse("profile:codes")


@shown
def voices(world: World) -> str:
    return reverse("voices:list")


@then(lambda page: page.locator("[data-cannot]").first.click())
def voices_with_a_reason(world: World) -> str:
    return reverse("voices:list") + "?language=hi"


@shown
def voices_at_one_of_them(world: World) -> str:
    return reverse("voices:list") + "#voice-de-anna-f"


@shown
def voices_that_are_no_favourites(world: World) -> str:
    return reverse("voices:list") + "?show=favourites"


@shown
def agents_for_a_voice(world: World) -> str:
    return reverse("agents:with_voice", args=["piper-joe"]) if world.agent else ""


@shown
def usage(world: World) -> str:
    make_usage(days=30)
    Price.objects.create(
        engine="gpt-4o-mini", per=1_000_000, amount="0.15", answer_amount="0.60", since="2026-01-01"
    )
    return reverse("usage:usage") + "?period=30-days"


@shown
def api(world: World) -> str:
    return reverse("docs")


@shown
def realtime_api(world: World) -> str:
    return reverse("sockets")


@shown
def usage_of_nothing(world: World) -> str:
    return reverse("usage:usage")


@shown
def service_status_before_the_first_check(world: World) -> str:
    return reverse("status")


@shown
def service_status(world: World) -> str:
    make_week_of_checks()
    return reverse("status")


@shown
def service_that_fails(world: World) -> str:
    make_week_of_checks()
    return reverse("service_status", args=["pool-tts"])


@shown
def no_flows(world: World) -> str:
    return reverse("flows:list")


def _drawn(world: World) -> Flow:
    """Once in the world, though several pages show it."""
    found = Flow.objects.filter(slug="every-kind-of-step").first()
    return found or (world.agent and create_flow(graph=EVERY_KIND, by="alice"))


def _opened(page: Page) -> None:
    page.locator("#flow[data-ready]").wait_for()
    page.get_by_role("button", name="Tidy up").click()


@then(_opened)
def flow_of_every_kind(world: World) -> str:
    return _drawn(world).get_absolute_url()


def _tried(page: Page) -> None:
    _opened(page)
    page.get_by_role("button", name="Try it").click()
    page.get_by_role("textbox", name="What the caller says").fill("I want an appointment")
    page.keyboard.press("Enter")
    page.get_by_text("What is your name?").last.wait_for()


@then(_tried)
def flow_that_is_tried(world: World) -> str:
    return _drawn(world).get_absolute_url()


def _with_a_question(page: Page) -> None:
    _opened(page)
    page.get_by_role("searchbox", name="Find a step").fill("afternoon")
    page.keyboard.press("Enter")
    page.get_by_label("Question", exact=True).wait_for()


@then(_with_a_question)
def step_of_a_flow(world: World) -> str:
    return _drawn(world).get_absolute_url()


def _with_its_problems(page: Page) -> None:
    _opened(page)
    page.locator("[data-problems]").click()
    page.locator(".vf-flow-problems").wait_for()


@then(_with_its_problems)
def problems_of_a_flow(world: World) -> str:
    return _drawn(world).get_absolute_url()


def _with_a_connection(page: Page) -> None:
    _opened(page)
    page.locator('[data-id="hello"]').click()
    page.locator(".vf-flow-leaving button").first.click()
    page.get_by_label("Keys of the telephone").wait_for()


@then(_with_a_connection)
def connection_of_a_flow(world: World) -> str:
    return _drawn(world).get_absolute_url()


@shown
def flows_without_a_writer(world: World) -> str:
    return reverse("flows:generate")


@shown
def templates_of_flows(world: World) -> str:
    return reverse("flows:templates")


@shown
def flows(world: World) -> str:
    _drawn(world)
    return reverse("flows:list")


@shown
def flow_that_was_never_published(world: World) -> str:
    return reverse("flows:versions", args=[_drawn(world).slug])


def _review(page: Page) -> None:
    page.locator("#flow[data-ready]").wait_for()
    page.get_by_role("button", name="Publish").click()
    page.get_by_label("Note").wait_for()


@then(_review)
def flow_about_to_be_published(world: World) -> str:
    return _published().get_absolute_url()


@shown
def versions_of_a_flow(world: World) -> str:
    return reverse("flows:versions", args=[_published().slug])


@shown
def no_knowledge(world: World) -> str:
    return reverse("knowledge:list")


def _known() -> KnowledgeBase:
    found = KnowledgeBase.objects.filter(slug="clinic").first()
    return found or KnowledgeBase.objects.create(name="Clinic", slug="clinic")


@shown
def knowledge_without_sources(world: World) -> str:
    return _known().get_absolute_url()


@shown
def knowledge(world: World) -> str:
    base = _known()
    states = (
        ("ready", "Prices of 2026.pdf", ""),
        ("failed", "Scan.pdf", "The PDF holds pictures of its pages."),
    )
    for state, name, reason in (
        *states,
        ("reading", "A rather long name of a document about insurances.docx", ""),
    ):
        base.sources.create(kind="file", name=name, state=state, reason=reason, found=40, done=12)
    return base.get_absolute_url()


@shown
def no_tools(world: World) -> str:
    Tool.objects.all().delete()
    return reverse("tools:list")


def _tool(world: World) -> Tool:
    """Nothing answers there."""
    made, _ = Tool.objects.get_or_create(
        name="find_booking",
        defaults={
            "description": "Finds a booking by its number, and says for whom and when it is.",
            "url": "https://127.0.0.1:1/a/rather/long/address/of/bookings/{{number}}?details=all&language=en",
            "parameters": schema_of(["number"]),
            "headers": {"Accept-Language": "en"},
            "results": {"guest": "booking.guest.name", "day": "booking.day"},
            "filler": "Let me look that up.",
            "changed_by": "alice",
        },
    )
    return made


@shown
def tools(world: World) -> str:
    _tool(world)
    return reverse("tools:list")


def _asked(page: Page) -> None:
    page.get_by_label("Arguments").last.fill('{"number": "1234"}')
    page.get_by_role("button", name="Ask it").click()
    page.get_by_text("private network").wait_for()


@then(_asked)
def tool_that_was_asked(world: World) -> str:
    return _tool(world).get_absolute_url()


@shown
def new_tool(world: World) -> str:
    return reverse("tools:new")


@shown
def no_tool_servers(world: World) -> str:
    return reverse("tools:servers")


@shown
def new_tool_server(world: World) -> str:
    return reverse("tools:new_server")


def _tool_server() -> ToolServer:
    """Since it was read first, one tool is new, one has changed, and one that is used is gone."""
    found = ToolServer.objects.filter(name="Harbour Street Clinic").first()
    if found:
        return found
    url = "https://mcp.harbour-street-clinic.example/a/rather/long/address/of/an/endpoint/mcp"
    server = save_server(server=ToolServer(name="Harbour Street Clinic", url=url), by="alice")
    find = Offer("findBooking", "Finds a booking by its number or by the day.", schema_of(["number", "day"]))
    cancel = Offer("cancel_booking", "Cancels a booking.", schema_of(["number"]))
    keep_reading(server=server, reading=Reading("Clinic calendar", "3.1", [find, cancel]))
    choose_tools(server=server, names=["findBooking", "cancel_booking"], by="alice")
    longer = f"{find.description} {'It asks the calendar of the clinic. ' * 8}"
    find = Offer("findBooking", longer, find.parameters)
    bad = Offer("clinic.search.everything.that.there.is.by.words.that.one.remembers", problem="large")
    opening = Offer("opening_hours", "When the clinic is open.", schema_of([]))
    keep_reading(server=server, reading=Reading("Clinic calendar", "3.2", [find, opening, bad]))
    return server


@shown
def tool_server(world: World) -> str:
    return _tool_server().get_absolute_url()


@shown
def tool_server_that_does_not_answer(world: World) -> str:
    reason = "mcp.example answered 401. Check the secret headers."
    made = {"name": "Shop", "url": "https://mcp.example/mcp", "reason": reason}
    return ToolServer.objects.get_or_create(slug="shop", defaults=made)[0].get_absolute_url()


@shown
def tool_servers(world: World) -> str:
    _tool_server()
    return reverse("tools:servers")


@shown
def tool_of_a_server_that_is_gone(world: World) -> str:
    return _tool_server().tools.get(gone=True).get_absolute_url()


@shown
def flow_without_tests(world: World) -> str:
    return reverse("flows:tests", args=[_drawn(world).slug])


def _run_all(page: Page) -> None:
    page.locator("[data-run-tests]").click()
    page.locator("[data-standing=failed]").wait_for()


@then(_run_all)
def tests_of_a_flow(world: World) -> str:
    return reverse("flows:tests", args=[_tested().slug])


@then(lambda page: page.locator("[data-rows=turns] [data-add-row]").click())
def test_of_a_flow(world: World) -> str:
    return reverse("flows:test", args=[_tested().slug, 1])


def _review_its_tests(page: Page) -> None:
    page.locator("#flow[data-ready]").wait_for()
    page.get_by_role("button", name="Publish").click()
    page.locator("[data-standing=failed]").wait_for()


@then(_review_its_tests)
def flow_that_requires_its_tests(world: World) -> str:
    return require_tests(flow=_tested(), required=True).get_absolute_url()


def _tested() -> Flow:
    """Two tests, of which one fails."""
    passes = {
        "name": "Begins with sales or support",
        "turns": [{"expect": {"node": "hello", "said": "Sales"}}],
    }
    expected = {"node": "age", "variables": {"age": 20}}
    fails = {"name": "Support by keypad", "turns": [{}, {"keys": "2", "expect": expected}]}
    fails["tools"] = {"order": {"ok": True, "values": {"number": 7}}}
    found = Flow.objects.filter(slug="sales-desk").first()
    variables = [{"name": "clinic", "initial": "the clinic"}]
    drawn = {**MENU, "variables": variables, "tests": [passes, fails]}
    return found or create_flow(graph=drawn, name="Sales desk", by="alice")


def _looked_at(page: Page) -> None:
    page.locator("#flow[data-ready]").wait_for()
    page.locator('.react-flow__node[data-id="a"]').click()
    page.get_by_label("Words", exact=True).wait_for()


@then(_looked_at)
def version_of_a_flow(world: World) -> str:
    return reverse("flows:version", args=[_published().slug, 1])


def _walked(page: Page) -> None:
    page.locator("[data-walk] > summary").click()
    page.locator('.vf-flow-card[data-lit="walked"]').first.wait_for()


@then(_walked)
def call_on_the_canvas(world: World) -> str:
    return make_walked_call(world.agent, _published().versions.get(number=1)).get_absolute_url()


def _with_the_difference(page: Page) -> None:
    _review(page)
    page.locator('.vf-flow-card[data-lit="removed"]').wait_for()


@then(_with_the_difference)
def flow_that_differs(world: World) -> str:
    short = _published()
    old = short.draft
    changed = {**old["nodes"][0], "data": {"text": "Good evening."}}
    new = {"id": "c", "type": "end_call", "position": {"x": 360, "y": 0}, "data": {}}
    graph = {**old, "nodes": [changed, new], "edges": [edge("a", "c")]}
    save_draft(flow=short, graph=graph, by="bob", expected=short.revision)
    return short.get_absolute_url()


@shown
def flow_without_traffic(world: World) -> str:
    return reverse("telephony:flow_traffic", args=[_published().slug]) + "?period=today&version=2"


@then(lambda page: page.locator(".vf-flow-badge").first.wait_for())
def traffic_of_a_flow(world: World) -> str:
    version = _published().versions.get(number=1)
    for reason in ("agent_hung_up", "agent_hung_up", "caller_hung_up"):
        at_a = [noted("node", "Hello", id="a", type="say")] if reason == "caller_hung_up" else []
        traffic.count(make_walked_call(world.agent, version, at_a, reason).pk)
    return reverse("telephony:flow_traffic", args=[version.flow.slug])


@shown
def no_accounts(world: World) -> str:
    return reverse("lines:accounts")


@shown
def no_numbers(world: World) -> str:
    return reverse("lines:numbers")


@shown
def dialler_without_a_number(world: World) -> str:
    return reverse("outbound:dial")


def _account() -> Credential:
    account = Credential.objects.filter(label="Main account").first()
    if account:
        return account
    account = save_credential(provider="twilio", account="AC" + "1" * 32, secret="s", label="Main account")
    facts = [["Name", "Harbour Street"], ["Status", "active"], ["Kind", "Full"], ["Balance", "27.50 USD"]]
    Credential.objects.filter(pk=account.pk).update(facts=facts, checked_at=timezone.now())
    refused = save_credential(provider="twilio", account="AC" + "2" * 32, secret="s", label="Old account")
    refusal = "Twilio does not know this account and token. Copy both anew from the Twilio console."
    Credential.objects.filter(pk=refused.pk).update(problem=refusal, checked_at=timezone.now())
    note_use(account, "checked", by="alice")
    note_use(account, "changed", by="alice", detail="countries: [] → ['US', 'CA']")
    note_use(account, "called", by="", detail="+14155550111")
    return account


def _number(world: World) -> PhoneNumber:
    hooks = {"voice_url": "https://demo.twilio.com/welcome/voice/"}
    hours = {"timezone": "Europe/London", "week": {"monday": [["09:00", "17:00"]]}, "closed_on": []}
    number, _ = PhoneNumber.objects.get_or_create(
        number="+14155550123",
        defaults={
            "credential": _account(),
            "agent": world.agent,
            "label": "Reception",
            "provider_id": "PN1",
            "can": ["sms", "voice"],
            "hooks": hooks,
            "hours": hours,
        },
    )
    PhoneNumber.objects.get_or_create(number="+442071234567", defaults={"credential": _account()})
    return number


@shown
def accounts(world: World) -> str:
    _account()
    return reverse("lines:accounts")


@shown
def account(world: World) -> str:
    return _account().get_absolute_url()


def _add_nothing(page: Page) -> None:
    page.get_by_role("button", name="Add and check").click()
    page.get_by_role("alert").first.wait_for()


@then(_add_nothing)
def new_account_refused(world: World) -> str:
    return reverse("lines:account_new")


@shown
def no_sip_lines(world: World) -> str:
    return reverse("lines:sip")


def _sip_line() -> SipLine:
    found = SipLine.objects.filter(label="Reception").first()
    if found:
        return found
    now = timezone.now()
    SipLine.objects.create(
        label="Old exchange",
        host="pbx.example.org",
        user="101",
        state="failed",
        reason="403 Forbidden",
        held_at=now,
    )
    return SipLine.objects.create(
        label="Reception", host="pbx.example.org", user="100", state="ready", held_at=now
    )


@shown
def sip_lines(world: World) -> str:
    _sip_line()
    return reverse("lines:sip")


@shown
def sip_line(world: World) -> str:
    return reverse("lines:sip_line", args=[_sip_line().pk])


@shown
def numbers(world: World) -> str:
    _number(world)
    return reverse("lines:numbers")


@shown
def number(world: World) -> str:
    return _number(world).get_absolute_url()


@shown
def number_that_its_account_has_no_more(world: World) -> str:
    before = {"voice_url": "https://old.example.org/voice"}
    row, _made = PhoneNumber.objects.get_or_create(
        number="+14155550166",
        defaults={
            "credential": _account(),
            "provider_id": "PN6",
            "missing_since": timezone.now(),
            "hooks": before,
            "hooks_before": before,
        },
    )
    return row.get_absolute_url()


def _search_countries(page: Page) -> None:
    page.get_by_role("combobox", name="Countries that may be called").press_sequentially("united")


@then(_search_countries)
def countries_of_an_account(world: World) -> str:
    account = _account()
    Credential.objects.filter(pk=account.pk).update(countries=["DE", "FR"])
    return account.get_absolute_url()


@shown
def number_to_buy(world: World) -> str:
    _account()
    return reverse("lines:search")


@shown
def no_blocked_caller_matches(world: World) -> str:
    BlockedCaller.objects.get_or_create(pattern="+1415555*", defaults={"note": "Robots", "by": "alice"})
    return reverse("lines:blocked") + "?q=nobody"


@shown
def blocked_callers(world: World) -> str:
    BlockedCaller.objects.get_or_create(pattern="+1415555*", defaults={"note": "Robots", "by": "alice"})
    return reverse("lines:blocked")


@then(lambda page: page.get_by_text("is on the do-not-call list").wait_for())
def dialler(world: World) -> str:
    caller_id = _number(world)
    DoNotCall.objects.get_or_create(number="+14155550199", defaults={"by": "bob", "reason": "Asked us to"})
    for to, state, reason in (
        ("+14155550111", "waiting", ""),
        ("+14155550112", "refused", "The account may not call this country."),
        ("+14155550113", "placed", ""),
    ):
        call = world.over if state == "placed" else None
        PlannedCall.objects.get_or_create(
            to=to,
            agent=world.agent,
            caller_id=caller_id,
            state=state,
            defaults={
                "agent_name": world.agent.name,
                "called_from": caller_id.number,
                "reason": reason,
                "call": call,
                "by": "bob",
                "due_at": timezone.now() + timedelta(days=1),
            },
        )
    return reverse("outbound:dial") + "?to=%2B14155550199"


def _by_the_line(page: Page) -> None:
    page.get_by_label("Caller ID").select_option(label="Reception")
    page.get_by_text("The exchange of the line says").wait_for()
    assert not page.get_by_label("If a machine answers").is_visible()
    assert page.get_by_label("Variables").is_visible()


@then(_by_the_line)
def dialler_by_a_sip_line(world: World) -> str:
    _number(world)
    line = _sip_line()
    PlannedCall.objects.get_or_create(
        to="100",
        agent=world.agent,
        line=line,
        state="refused",
        defaults={
            "agent_name": world.agent.name,
            "called_from": line.label,
            "reason": "Reception is not registered: 403 Forbidden.",
            "by": "bob",
        },
    )
    return reverse("outbound:dial")


def _by_ones_own_telephone(page: Page) -> None:
    page.get_by_label("Caller ID").select_option(label="+44 20 7123 4560 · London")
    page.get_by_label("Telephone that rings first").fill("100")
    assert not page.get_by_label("Variables").is_visible()


@then(_by_ones_own_telephone)
def dialler_call_back(world: World) -> str:
    account = Credential.objects.filter(provider="zadarma").first() or save_credential(
        provider="zadarma", account="KEY0123456789abcdef0", secret="s", label="London office"
    )
    PhoneNumber.objects.get_or_create(
        number="+442071234560", defaults={"credential": account, "label": "London"}
    )
    return reverse("outbound:dial")


@shown
def never_called(world: World) -> str:
    DoNotCall.objects.get_or_create(number="+14155550199", defaults={"by": "bob", "reason": "Asked us to"})
    return reverse("outbound:never")


def _published() -> Flow:
    good = flow(node("a", "say", text="Hello."), node("b", "end_call"), edge("a", "b"), name="Night line")
    found = Flow.objects.filter(slug="night-line").first()
    if found:
        return found
    made = create_flow(graph=good, by="alice")
    publish(flow=made, by="alice", note="First")
    publish(flow=made, by="bob")
    return made


# ---- the audit trail --------------------------------------------------------------------------


@shown
def audit_of_nothing(world: World) -> str:
    return reverse("audit:list") + "?q=nothing+of+the+kind"


def _audited(world: World) -> AuditEntry:
    """A change of an agent, with some things around it."""
    with acting(Actor("bob", address="192.0.2.7")):
        record("person.signed_in", User.objects.get(username="alice"))
        record_of_call("recording.downloaded", world.over.pk)
    agent = world.agent
    agent.greeting, agent.record = "Good day, this is the demo clinic. How can I help?", not agent.record
    save_agent(agent=agent, by="alice")
    with acting(Actor("alice", key="vf_sk_01234567", address="2001:db8::17")):
        record("flow.published", Thing("agents.flow", "0", "Short talk"), detail="Short talk, version 2")
    verify_news()
    entry = AuditEntry.objects.filter(verb="agent.saved").order_by("-pk").first()
    assert entry
    return entry


def _open_the_changes(page: Page) -> None:
    page.locator(".vf-audit-more-of summary").first.click()
    page.locator(".vf-changes").first.wait_for()


@then(_open_the_changes)
def audit(world: World) -> str:
    _audited(world)
    return reverse("audit:list")


@shown
def audit_entry(world: World) -> str:
    return reverse("audit:entry", args=[_audited(world).pk])


# ---- webhooks ---------------------------------------------------------------------------------------


@shown
def webhooks_that_are_none(world: World) -> str:
    Webhook.objects.all().delete()
    return reverse("webhooks:list")


def _webhook() -> Webhook:
    """Delivers most of the time."""
    return Webhook.objects.filter(description="Our CRM").first() or make_busy_webhook()


def _webhook_that_fails() -> Webhook:
    """Its address is inside the network, so that its test is refused at once."""
    found = Webhook.objects.filter(description="Warehouse").first()
    since = timezone.now() - timedelta(hours=3)
    fails = {"url": "https://10.0.0.7/hook", "failures": 6, "failing_since": since, "kinds": ["job.finished"]}
    return found or make_webhook("Warehouse", **fails)


@shown
def webhooks(world: World) -> str:
    _webhook()
    _webhook_that_fails()
    off = "Its receiver answered 410: it does not want to be told any more."
    for name, state, reason in (("Old wallboard", "disabled", off), ("Staff chat", "paused", "")):
        if not Webhook.objects.filter(description=name).exists():
            make_webhook(name, state=state, reason=reason, url="https://example.com/hook")
    return reverse("webhooks:list")


@shown
def webhook(world: World) -> str:
    return _webhook().get_absolute_url()


@then(lambda page: page.get_by_label("Not delivered").check(force=True))
def webhook_filtered(world: World) -> str:
    return _webhook().get_absolute_url()


def _send_a_test(page: Page) -> None:
    page.get_by_role("button", name="Send a test").click()
    page.get_by_text("The test was not taken.").wait_for()


@then(_send_a_test)
def webhook_that_fails_its_test(world: World) -> str:
    return _webhook_that_fails().get_absolute_url()


@shown
def webhook_switched_off(world: World) -> str:
    return Webhook.objects.get(description="Old wallboard").get_absolute_url()


@shown
def webhook_message(world: World) -> str:
    return make_delivery(_webhook()).get_absolute_url()


@shown
def webhook_message_that_waits(world: World) -> str:
    waiting = Delivery.objects.filter(webhook=_webhook(), state="waiting", attempts__gt=0)
    return waiting.first().get_absolute_url()


@shown
def webhook_settings(world: World) -> str:
    return reverse("webhooks:edit", args=[_webhook().pk])


def _create_nothing(page: Page) -> None:
    page.get_by_role("button", name="Create").click()
    page.get_by_role("alert").first.wait_for()


@then(_create_nothing)
def webhook_refused(world: World) -> str:
    return reverse("webhooks:new")


def _make_a_secret(page: Page) -> None:
    page.get_by_role("button", name="Make a new secret").click()
    page.get_by_role("button", name="Make it").click()
    page.get_by_label("Secret of the webhook").wait_for()


@then(_make_a_secret)
def webhook_secret(world: World) -> str:
    return _webhook().get_absolute_url()


@then(lambda page: page.get_by_text("call.ended").first.click())
def webhook_kinds(world: World) -> str:
    return reverse("webhooks:kinds")
