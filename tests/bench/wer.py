"""Word error rate of speech to text on real voices, wide band and by telephone:

    python -m tests.bench.wer --json OUT [--engines whisper-tiny.en,transformers-whisper-tiny.en]

"By telephone" is the same sound through 8 kHz and mu-law and back. The recordings are Debian's packages
asterisk-core-sounds-en-wav (a studio voice at 8 kHz: its "wide" column is not wider than a telephone) and
pocketsphinx-testdata (LibriVox readings and spoken playing cards at 16 kHz). The sets are small: two points
up or down mean nothing. Words are compared after Whisper's own normalisation of English.
"""

from __future__ import annotations

import argparse
import json
import os
import re
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
    lines = (Path(__file__).parent / "asterisk_prompts.txt").read_text().splitlines()
    named = [line.split(": ", 1) for line in lines if not line.startswith("#")]
    return [Utterance(words, *audio.read_wav(ASTERISK / f"{name}.wav")) for name, words in named]


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
