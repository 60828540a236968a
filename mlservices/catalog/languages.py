"""Which languages the larger models know, by their codes in BCP 47."""

from __future__ import annotations


def _codes(words: str) -> tuple[str, ...]:
    return tuple(words.split())


WHISPER = _codes(
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg "
    "lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so "
    "af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue"
)
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
