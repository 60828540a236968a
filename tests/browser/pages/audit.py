"""The audit trail."""

from __future__ import annotations

from django.urls import reverse
from playwright.sync_api import Page

from agents.actions import save_agent
from mlservices.audit import Actor, Thing, acting, record
from telephony.audited import record_of_call
from voiceforge_site.audit.chain import verify_news
from voiceforge_site.models import AuditEntry, User

from .shown import World, shown, then


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
