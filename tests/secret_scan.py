"""Looks for secrets in the tracked files: `python -m tests.secret_scan`, a part of `make lint`.

What only looks like one (digests of models, the tests' made-up keys) stands in .secrets.baseline, as a hash
beside its file. Take a new one up with `make secrets`, after you have looked at it. Passwords in words are
not looked for here but by ruff's rules S105 to S107.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.core import baseline
from detect_secrets.core.potential_secret import PotentialSecret

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".secrets.baseline"
OUR_KEYS = re.compile(r"vf_sk_[0-9a-f]{32}|whsec_[A-Za-z0-9+/]{32,}")
_OURS = "Key of VoiceForge"


def scanned(root: Path, names: list[str]) -> SecretsCollection:
    """All that looks like a secret in these files below `root`, as the baseline says how."""
    baseline.load(baseline.load_from_file(str(KEPT)))
    found = SecretsCollection(root=str(root))
    found.scan_files(*names, num_processors=1)  # mypy has the other
    for name in names:
        for number, line in enumerate((root / name).read_text(errors="replace").splitlines(), 1):
            for key in OUR_KEYS.findall(line):
                found[name].add(PotentialSecret(_OURS, name, key, line_number=number))
    return found


def unknown(found: SecretsCollection) -> list[str]:
    known = baseline.load(baseline.load_from_file(str(KEPT)))
    kept = {(name, secret.type, secret.secret_hash) for name, secret in known}
    return [
        f"{name}:{secret.line_number}: {secret.type}"
        for name, secret in found
        if (name, secret.type, secret.secret_hash) not in kept
    ]


def tracked() -> list[str]:
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in told.stdout.split("\0") if (ROOT / name).is_file()]
    return [name for name in names if name != KEPT.name]


def main() -> int:
    found = scanned(ROOT, tracked())
    if "--update" in sys.argv:
        for name, secret in found:
            secret.filename = name
        baseline.save_to_file(found, str(KEPT))
        return 0
    lines = unknown(found)
    for line in lines:
        sys.stdout.write(f"{line}\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
