"""Languages by their codes, in the reader's own language."""

from __future__ import annotations

from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

# Those that Django has no names for
_FURTHER = {
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
    "mt": _("Maltese"),
    "multilingual": _("Many languages"),
    "oc": _("Occitan"),
    "or": _("Odia"),
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
    "zh": _("Chinese"),
}


def language_name(code: str) -> str:
    """ "German" for "de"; a code that nobody has a name for as it is."""
    if code in _FURTHER:
        return str(_FURTHER[code])
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code
