"""Languages by name, in the language of the page."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import get_language_info, gettext
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
    "am": _("Amharic"),
    "any": _("Any language"),
    "as": _("Assamese"),
    "ba": _("Bashkir"),
    "bo": _("Tibetan"),
    "brx": _("Bodo"),
    "doi": _("Dogri"),
    "fo": _("Faroese"),
    "gu": _("Gujarati"),
    "ha": _("Hausa"),
    "haw": _("Hawaiian"),
    "ht": _("Haitian Creole"),
    "jw": _("Javanese"),
    "kok": _("Konkani"),
    "la": _("Latin"),
    "ln": _("Lingala"),
    "lo": _("Lao"),
    "mai": _("Maithili"),
    "mg": _("Malagasy"),
    "mi": _("Maori"),
    "mni": _("Manipuri"),
    "ms": _("Malay"),
    "mt": _("Maltese"),
    "multilingual": _("Many languages"),
    "no": _("Norwegian"),
    "oc": _("Occitan"),
    "or": _("Odia"),
    "pa": _("Punjabi"),
    "ps": _("Pashto"),
    "sa": _("Sanskrit"),
    "sat": _("Santali"),
    "sd": _("Sindhi"),
    "si": _("Sinhala"),
    "sn": _("Shona"),
    "so": _("Somali"),
    "su": _("Sundanese"),
    "tl": _("Tagalog"),
    "yi": _("Yiddish"),
    "yo": _("Yoruba"),
    "yue": _("Cantonese"),
    "zh": _("Chinese (Mandarin)"),
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


def a_language(code: str) -> None:
    """Raises ValidationError for a code that nobody knows."""
    if language_name(code) == code:
        raise ValidationError(
            gettext("“%(code)s” is no language: write it like en or pt-BR.") % {"code": code}
        )
