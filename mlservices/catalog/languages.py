"""Which languages the larger models know, by their codes in BCP 47."""

from __future__ import annotations


def _codes(words: str) -> tuple[str, ...]:
    return tuple(words.split())


def _by_name(listed: str) -> dict[str, str]:
    """{"english": "en", ...} of "en english, ..."."""
    pairs = (entry.split(" ", 1) for entry in listed.split(", "))
    return {name: code for code, name in pairs}


WHISPER_NAMES = _by_name(
    "en english, zh chinese, de german, es spanish, ru russian, ko korean, fr french, ja japanese, pt "
    "portuguese, tr turkish, pl polish, ca catalan, nl dutch, ar arabic, sv swedish, it italian, id "
    "indonesian, hi hindi, fi finnish, vi vietnamese, he hebrew, uk ukrainian, el greek, ms malay, cs "
    "czech, ro romanian, da danish, hu hungarian, ta tamil, no norwegian, th thai, ur urdu, hr croatian, "
    "bg bulgarian, lt lithuanian, la latin, mi maori, ml malayalam, cy welsh, sk slovak, te telugu, fa "
    "persian, lv latvian, bn bengali, sr serbian, az azerbaijani, sl slovenian, kn kannada, et estonian, "
    "mk macedonian, br breton, eu basque, is icelandic, hy armenian, ne nepali, mn mongolian, bs bosnian, "
    "kk kazakh, sq albanian, sw swahili, gl galician, mr marathi, pa punjabi, si sinhala, km khmer, sn "
    "shona, yo yoruba, so somali, af afrikaans, oc occitan, ka georgian, be belarusian, tg tajik, sd "
    "sindhi, gu gujarati, am amharic, yi yiddish, lo lao, uz uzbek, fo faroese, ht haitian creole, ps "
    "pashto, tk turkmen, nn nynorsk, mt maltese, sa sanskrit, lb luxembourgish, my myanmar, bo tibetan, "
    "tl tagalog, mg malagasy, as assamese, tt tatar, haw hawaiian, ln lingala, ha hausa, ba bashkir, jw "
    "javanese, su sundanese, yue cantonese"
)
"""The codes of its languages by the names that it tells over OpenAI's API."""
WHISPER = tuple(WHISPER_NAMES.values())
CHATTERBOX = _codes("en ar da de el es fi fr he hi it ja ko ms nl no pl pt ru sv sw tr zh")
INDIC = _codes("en as bn brx doi gu hi kn kok mai ml mni mr ne or pa sa sat sd ta te ur")
PARLER = ("en", "fr", "es", "pt", "pl", "de", "it", "nl")

MMS = {  # code of the checkpoint: (language, its name); one checkpoint a language
    "eng": ("en", "English"),
    "hin": ("hi", "Hindi"),
    "tam": ("ta", "Tamil"),
    "tel": ("te", "Telugu"),
    "mal": ("ml", "Malayalam"),
    "ben": ("bn", "Bengali"),
    "kan": ("kn", "Kannada"),
    "mar": ("mr", "Marathi"),
    "guj": ("gu", "Gujarati"),
    "pan": ("pa", "Punjabi"),
    "deu": ("de", "German"),
    "fra": ("fr", "French"),
    "spa": ("es", "Spanish"),
    "por": ("pt", "Portuguese"),
    "nld": ("nl", "Dutch"),
    "pol": ("pl", "Polish"),
    "rus": ("ru", "Russian"),
    "kor": ("ko", "Korean"),
}
