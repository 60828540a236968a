"""Word error rate of speech to text on real voices, wide band and by telephone:

    python -m tests.bench.wer --json OUT [--engines whisper-tiny.en,transformers-whisper-tiny.en]

"By telephone" is the same sound through 8 kHz and mu-law and back. The recordings are Debian's packages
asterisk-core-sounds-en-wav (a studio voice at 8 kHz: its "wide" column is not wider than a telephone) and
pocketsphinx-testdata (LibriVox readings and spoken playing cards at 16 kHz). The sets are small: two points
up or down mean nothing. Words are compared after Whisper's own normalisation of English.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceforge_site.settings")
django.setup()

import jiwer  # noqa: E402
from django.conf import settings  # noqa: E402
from transformers.models.whisper.english_normalizer import EnglishTextNormalizer  # noqa: E402

from mlservices import audio, engines  # noqa: E402
from mlservices.catalog import BY_ID  # noqa: E402
from mlservices.prepare import prepare  # noqa: E402

ASTERISK = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
ASTERISK_TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
# Whole sentences without figures, chosen before any was measured. Recordings and words are CC-BY-SA 3.0,
# so both stay in Debian's packages.
ASTERISK_PROMPTS = """
    agent-incorrect all-circuits-busy-now auth-incorrect cannot-complete-as-dialed
    check-number-dial-again conf-extended conf-getchannel conf-getpin conf-invalid conf-leaderhasleft
    conf-noempty conf-now-recording conf-onlyperson conf-placeintoconf conf-waitforleader
    confbridge-lock-no-join confbridge-only-one confbridge-pin-bad confbridge-removed demo-abouttotry
    demo-echodone demo-nogo demo-thanks dir-nomatch enter-num-blacklist feature-not-avail-line
    followme/pls-hold-while-try followme/sorry followme/status invalid
"""
POCKETSPHINX = Path("/usr/share/pocketsphinx/test/data")
PUBLISHED = {
    "whisper-tiny.en": "5.6 (LibriSpeech test-clean, greedy; Radford et al. 2022, appendix D), "
    "8.4 (the same set, the model's card on the Hugging Face hub)",
}
PUBLISHED["transformers-whisper-tiny.en"] = PUBLISHED["whisper-tiny.en"]
BANDS = ("wide", "telephone")


@dataclass(frozen=True)
class Utterance:
    words: str
    pcm: bytes
    rate: int


def asterisk() -> list[Utterance]:
    lines = [line.split(":", 1) for line in asterisk_texts().splitlines() if ":" in line]
    words = {name: text.strip() for name, text in lines}
    return [
        Utterance(words[name], *audio.read_wav(ASTERISK / f"{name}.wav")) for name in ASTERISK_PROMPTS.split()
    ]


def asterisk_texts() -> str:
    """Lines like `activated: Activated.`; fetched where Debian's documentation is left out of packages."""
    if ASTERISK_TEXTS.exists():
        return gzip.decompress(ASTERISK_TEXTS.read_bytes()).decode()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["apt-get", "download", "-qq", ASTERISK_TEXTS.parent.name], cwd=folder, check=True)
        (package,) = Path(folder).glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True)
        return gzip.decompress((Path(folder) / ASTERISK_TEXTS.relative_to("/")).read_bytes()).decode()


def pocketsphinx(folder: str, transcription: str) -> list[Utterance]:
    """Lines like `<s> ten of clubs </s> (001)`."""
    found = re.findall(r"<s>(.*?)</s>\s*\((.+?)\)", (POCKETSPHINX / folder / transcription).read_text())
    return [
        Utterance(words.strip(), *audio.read_wav(POCKETSPHINX / folder / f"{name}.wav"))
        for words, name in found
    ]


def in_band(utterance: Utterance, band: str) -> Any:
    """The utterance as an engine hears it: float32 at 16 kHz."""
    if band == "wide":
        return audio.to_float(audio.resample(utterance.pcm, utterance.rate, 16000))
    narrow = audio.resample(utterance.pcm, utterance.rate, 8000)
    return audio.to_float(audio.resample(audio.ulaw_decode(audio.ulaw_encode(narrow)), 8000, 16000))


def measure(engine_ids: Sequence[str]) -> dict[str, Any]:
    sets = {
        "asterisk": asterisk(),
        "librivox": pocketsphinx("librivox", "transcription"),
        "cards": pocketsphinx("cards", "cards.transcription"),
    }
    normalise = EnglishTextNormalizer({})
    prepare(engine_ids, settings.MODELS_DIR, tell=print)
    rows = []
    for engine_id in engine_ids:
        engine = engines.load(BY_ID[engine_id], settings.MODELS_DIR)
        engine.warm()
        for name, utterances in sets.items():
            said = [normalise(utterance.words) for utterance in utterances]
            row: dict[str, Any] = {"engine": engine_id, "set": name, "utterances": len(said)}
            row["words"] = sum(len(words.split()) for words in said)
            for band in BANDS:
                started = time.process_time()
                texts = [engine.transcribe(in_band(utterance, band), "en").text for utterance in utterances]
                row[f"{band}_cpu_seconds"] = round((time.process_time() - started) / len(said), 3)
                row[band] = round(100 * jiwer.wer(said, [normalise(text) for text in texts]), 1)
            rows.append(row)
    return {"published": {id: PUBLISHED.get(id, "") for id in engine_ids}, "rows": rows}


def table(result: dict[str, Any]) -> str:
    lines = [
        "| engine | recordings | utterances, words | WER % wide band | WER % 8 kHz mu-law | CPU s each |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        lines.append(
            f"| {row['engine']} | {row['set']} | {row['utterances']}, {row['words']} | {row['wide']} "
            f"| {row['telephone']} | {row['telephone_cpu_seconds']} |"
        )
    lines += [f"{id}, published: {figure}" for id, figure in result["published"].items() if figure]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", default="whisper-tiny.en")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = measure(options.engines.split(","))
    print(table(result))  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
