"""Languages by name, in the language of the page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

# What Django has no name for, or none that tells the regions apart.
_NAMES: dict[str, Any] = {
    "en-us": _("English (US)"),
    "en-gb": _("English (UK)"),
    "en-ca": _("English (Canada)"),
    "en-au": _("English (Australia)"),
    "es-mx": _("Spanish (Mexico)"),
    "pt-br": _("Portuguese (Brazil)"),
    "pt-pt": _("Portuguese (Portugal)"),
    "zh": _("Chinese (Mandarin)"),
    "as": _("Assamese"),
    "brx": _("Bodo"),
    "doi": _("Dogri"),
    "gu": _("Gujarati"),
    "kok": _("Konkani"),
    "mai": _("Maithili"),
    "mni": _("Manipuri"),
    "ms": _("Malay"),
    "no": _("Norwegian"),
    "or": _("Odia"),
    "pa": _("Punjabi"),
    "sa": _("Sanskrit"),
    "sat": _("Santali"),
    "sd": _("Sindhi"),
}


def language_name(code: str) -> str:
    """Of a code of BCP 47; the code itself where nobody knows it."""
    known = _NAMES.get(code.lower())
    if known is not None:
        return str(known)
    try:
        return str(get_language_info(code.lower())["name_translated"])
    except KeyError:
        return code
