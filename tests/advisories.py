"""`make audit`: asks PyPI's advisory service about every pinned package.

0: nothing is known; 1: something is; 3: it could not be asked, in whole or for some package.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-models.lock", "requirements-test.lock")
KNOWN, NOT_ASKED = 1, 3


def main() -> int:
    told = [asked(lock) for lock in LOCKS]
    answer, lines = judged([each for found in told if found is not None for each in found], None in told)
    sys.stdout.write("\n".join(lines) + "\n")
    return answer


def asked(lock: str) -> list[dict[str, Any]] | None:
    """What pip-audit says of each package; None where it says nothing."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--format", "json"]
    done = subprocess.run(
        [*command, "--progress-spinner", "off", "-r", lock], cwd=ROOT, capture_output=True, text=True
    )
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except ValueError:
        return None


def judged(packages: list[dict[str, Any]], silent: bool) -> tuple[int, list[str]]:
    """pip-audit itself calls it a success when a package could not be asked about."""
    known = [
        f"{each['name']} {each['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or '-'}"
        for each in packages
        for flaw in each.get("vulns", [])
    ]
    if known:
        return KNOWN, sorted(set(known))
    missed = sorted({each["name"] for each in packages if "skip_reason" in each})
    if silent or missed or not packages:
        some = f" {len(missed)} of {len(packages)} packages," if missed else ""
        return NOT_ASKED, [
            f"NOT AUDITED:{some} the advisory service cannot be reached. Run `make audit` where it can."
        ]
    return 0, [f"No advisory about any of {len(packages)} packages."]


if __name__ == "__main__":
    sys.exit(main())
