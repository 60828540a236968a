"""`python -m tests.run [PYTEST ARGUMENT ...]`: all tests, two files at a time where that changes nothing.

What drives a browser, or keeps real time with real models, has the machine to itself and comes later.
"""

from __future__ import annotations

import subprocess
import sys

NOTHING_TO_TEST = 5
TOGETHER = ("-n", "2", "--dist", "loadfile", "-m", "not (browser or alone)")
ALONE = ("-m", "browser or alone")


def main(arguments: list[str]) -> int:
    """Whether both parts passed; one of them may have had nothing to test."""
    outcomes = [
        subprocess.run([sys.executable, "-m", "pytest", *part, *arguments], check=False).returncode
        for part in (TOGETHER, ALONE)
    ]
    if set(outcomes) == {NOTHING_TO_TEST}:
        return NOTHING_TO_TEST
    return max((outcome for outcome in outcomes if outcome != NOTHING_TO_TEST), key=abs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
