"""Twilio's error codes in words that a person can act on."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: dict[int, Promise] = {
    10004: _("The account has as many calls at once as it may. Wait for one to end, or ask Twilio for more."),
    20003: _("Twilio does not know this account and token. Copy both anew from the Twilio console."),
    20404: _("Twilio does not have this, or not any more."),
    20429: _("Twilio was asked too often. Try again in a minute."),
    21205: _("Twilio cannot use our address. PUBLIC_URL has to be one that the internet reaches, by https."),
    21210: _("This caller ID is not verified with Twilio. Choose a number of the account."),
    21211: _("No telephone has the number that was to be called. Check it."),
    21212: _("This caller ID is no number of the account. Choose another."),
    21214: _("The number cannot be reached from Twilio."),
    21215: _("The account may not call this country. Allow it in the Twilio console, under Geo Permissions."),
    21216: _("Twilio does not let this number be called."),
    21217: _("The number to be called is not valid. Check it."),
    21219: _("A trial account calls verified numbers only. Verify it with Twilio, or upgrade the account."),
    21220: _("The call is over already."),
    21422: _("The number is not available any more. Search again."),
    21421: _("No such number can be bought."),
    22005: _("The queue of Twilio for this account is full. Begin fewer calls in a second."),
    13224: _("The number that was dialled is not valid, or not supported."),
    13226: _("The number that was dialled begins with no country code."),
    11200: _("Twilio did not get an answer from our address. Is PUBLIC_URL reached from the internet?"),
    11205: _("Twilio could not connect to our address. Is PUBLIC_URL reached from the internet?"),
    12100: _("Twilio could not read our answer. Is there another server at PUBLIC_URL?"),
    31901: _("Twilio could not connect to our media address in time."),
    31902: _("Our media address refused the connection of Twilio."),
    31910: _("Twilio does not trust the certificate of our address."),
    31920: _("Our media address did not take the connection of Twilio."),
    31930: _("Sound from Twilio was lost on its way to us."),
    31931: _("Twilio dropped sound of ours: more than ten minutes were waiting."),
    573002: _("A trial account calls verified numbers only. Verify it with Twilio, or upgrade the account."),
    573005: _("A trial account cannot do this. Upgrade it."),
}
WORDS[21218] = WORDS[21205]


def words_for(code: int | None, message: str) -> str:
    """What Twilio said itself, where we know no better."""
    known = WORDS.get(code or 0)
    return str(known) if known else f"Twilio: {message.strip()[:300]}"
