"""From an invitation to the end of an account, as two people see it in their browsers."""

from __future__ import annotations

from playwright.sync_api import expect

from voiceforge_site.models import User


def test_an_invited_person_comes_in_and_is_shown_out(guard, chromium, server, alice):
    office = guard.context(chromium)
    office.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    alices = office.new_page()
    alices.goto("/people/")
    alices.get_by_role("link", name="Invite", exact=True).click()
    alices.get_by_label("For whom").fill("Dora")
    alices.get_by_label("Role", exact=True).select_option("operator")
    alices.get_by_role("button", name="Make the link").click()
    alices.wait_for_load_state()
    alices.get_by_role("button", name="Copy").click()
    expect(alices.get_by_role("button", name="Copied")).to_be_visible()
    link = alices.evaluate("navigator.clipboard.readText()")

    home = guard.context(chromium, timezone_id="Asia/Tokyo")
    home.clear_cookies()
    doras = home.new_page()
    doras.goto(link)
    doras.get_by_label("Your name").fill("Dora Lund")
    doras.get_by_label("Username").fill("dora")
    doras.get_by_label("Password", exact=True).fill("8361056290")
    digits = doras.get_by_role("listitem").filter(has_text="Not digits alone")
    expect(digits).to_contain_text("not yet kept")
    doras.get_by_label("Password", exact=True).fill("a long good passphrase")
    expect(doras.locator(".vf-kept")).to_have_count(4)
    doras.get_by_role("button", name="Make the account").click()
    doras.get_by_title("Your profile").click()
    expect(doras.get_by_text("JST")).to_be_visible()
    expect(doras.get_by_text("This browser")).to_be_visible()

    doras.goto("/calls/live/")
    doras.wait_for_function("!document.body.classList.contains('vf-offline')")
    alices.goto(User.objects.get(username="dora").get_absolute_url())
    alices.get_by_role("button", name="Deactivate Dora Lund").click()
    if (dialog := alices.locator("dialog[open]")).count():
        dialog.get_by_role("button", name="Deactivate").click()
    doras.wait_for_url("**/login/?next=/calls/live/")
