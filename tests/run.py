"""`python -m tests.run [PYTEST ARGUMENT ...]`: all tests, two files at a time where that changes nothing.

Those that drive a browser leave an event loop behind, so they have processes of their own; what keeps real
time has the machine to itself. How SIP lines fare when something fails is `make test-sip`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NOTHING_TO_TEST = 5
TWO_FILES_AT_A_TIME = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
# Options, and where such tests stand: to look for them everywhere takes half a minute
WHOLE_PATHS = sorted(map(str, Path("tests").glob("test_*.py")))
PARTS = (
    ((*TWO_FILES_AT_A_TIME, "-m", "not (browser or alone)"), ["tests"]),
    ((*TWO_FILES_AT_A_TIME, "-m", "browser and not alone"), ["tests/browser"]),
    (("-m", "alone and not sip"), ["tests/browser", "tests/telephony/sip", *WHOLE_PATHS]),
)


def main(arguments: list[str]) -> int:
    """The worst outcome; a part may have nothing to test."""
    names_files = any(Path(each.partition("::")[0]).exists() for each in arguments)
    outcomes = [
        subprocess.run(
            [sys.executable, "-m", "pytest", *part, *arguments, *([] if names_files else places)], check=False
        ).returncode
        for part, places in PARTS
    ]
    if set(outcomes) == {NOTHING_TO_TEST}:
        return NOTHING_TO_TEST
    return max((outcome for outcome in outcomes if outcome != NOTHING_TO_TEST), key=abs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
