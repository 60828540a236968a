"""From an invitation to the end of an account, as two people see it in their browsers."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.factories import make_agent, make_call, spoken
from voiceforge_site.models import Session, User
from voiceforge_site.people import actions


def test_an_invited_person_comes_in_and_is_shown_out(guard, chromium, server, alice):
    guard.expect("401")  # by which the page of who is shown out learns why
    office = guard.context(chromium)
    office.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    alices = office.new_page()
    alices.goto("/people/")
    alices.get_by_role("link", name="Invite", exact=True).click()
    alices.get_by_label("For whom").fill("Dora")
    alices.get_by_label("Role", exact=True).select_option("operator")
    alices.get_by_role("button", name="Make the link").click()
    expect(alices.get_by_label("Link of the invitation")).to_be_visible()
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
    password = doras.get_by_label("Password", exact=True)
    password.press_sequentially("836105629")
    length, digits, common = (
        doras.get_by_role("listitem").filter(has_text=words)
        for words in ("At least 10 characters", "Not digits alone", "None that many people use")
    )
    expect(length).to_contain_text("not yet kept")
    password.press_sequentially("0")
    expect(length).not_to_contain_text("not yet kept")
    expect(digits).to_contain_text("not yet kept")
    password.press("Enter")  # is not sent: nothing that was typed is lost by it
    expect(password).to_be_focused()
    expect(password).to_have_value("8361056290")
    password.fill("qwertyuiop")
    expect(common).to_contain_text("not yet kept")  # as the server says
    doras.keyboard.press("Tab")
    show = doras.get_by_role("button", name="Show the password")
    expect(show).to_be_focused()
    expect(show).to_have_attribute("aria-pressed", "false")
    doras.keyboard.press("Space")
    expect(show).to_have_attribute("aria-pressed", "true")
    expect(password).to_have_attribute("type", "text")
    password.fill("a long good passphrase")
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
    doras.wait_for_url("**/login/?next=%2Fcalls%2Flive%2F&why=ended")
    expect(doras.get_by_text("Your access has been ended by an administrator.")).to_be_visible()


def test_a_role_that_is_taken_away_takes_no_typed_words_along(guard, chromium, server, alice):
    guard.expect("403")
    User.objects.create_user("carol", role="administrator")
    page = guard.page(chromium)
    page.goto("/people/invite/")
    page.get_by_label("For whom").fill("Dora Lund")
    User.objects.filter(pk=alice.pk).update(role="viewer")
    page.get_by_role("button", name="Make the link").click()
    expect(page.locator("[data-failure]")).to_contain_text("Your role does not allow this any more")
    expect(page.get_by_label("For whom")).to_have_value("Dora Lund")
    User.objects.filter(pk=alice.pk).update(role="administrator")
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_label("Link of the invitation")).to_be_visible()


def test_what_is_wrong_with_an_account_goes_as_it_is_corrected(guard, chromium, server, alice):
    guard.expect("422")
    home = guard.context(chromium)
    home.clear_cookies()
    page = home.new_page()
    page.goto(f"/invitation/{actions.invite(role='viewer', meant_for='', by=alice)}/")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("Your name is missing.")).to_be_visible()
    page.wait_for_load_state()
    page.get_by_label("Your name").fill("Dora Lund")
    expect(page.get_by_text("Your name is missing.")).to_have_count(0)
    expect(page.get_by_text("Not yet: correct what is marked below")).to_be_visible()
    page.get_by_label("Username").fill("dora")
    page.get_by_label("Password", exact=True).fill("violet-harbour-7351")
    expect(page.locator("[aria-invalid=true]")).to_have_count(0)
    expect(page.get_by_text("Not yet: correct what is marked below")).to_have_count(0)


def test_a_session_that_is_ended_takes_no_typed_words_along(guard, chromium, server, alice):
    guard.expect("401")
    page = guard.page(chromium)
    page.goto("/profile/")
    page.get_by_label("Name", exact=True).fill("Alice Ann")
    Session.objects.filter(user=alice).delete()
    page.get_by_role("button", name="Save").click()
    failure = page.locator("[data-failure]")
    expect(failure).to_contain_text("You were signed out, so this was not saved.")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Alice Ann")


def test_a_live_page_with_words_on_it_stays_and_says_why_it_follows_the_call_no_more(
    guard, chromium, server, alice
):
    guard.expect("401")
    page = guard.page(chromium)
    page.goto(make_call(make_agent("Front desk"), spoken([("Hello.", "Hello.")])).get_absolute_url())
    page.get_by_label("Words for the agent").fill("Offer them Saturday")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    failure = page.locator("[data-failure]")
    expect(failure).to_contain_text("Your access has been ended by an administrator", timeout=20_000)
    expect(page.get_by_label("Words for the agent")).to_have_value("Offer them Saturday")
