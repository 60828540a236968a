"""`python -m tests.run [--thorough] [PYTEST ARGUMENT ...]`: the tests, several files at a time where
that changes nothing; or those that take long, of what changes seldom.

Those that drive a browser leave an event loop behind, so they have processes of their own; what keeps real
time has the machine to itself. How SIP lines fare when something fails is `make test-sip`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NOTHING_TO_TEST = 5
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
THREE_AT_A_TIME = ("-n", "3", *BY_FILE)  # more than there are cores: half of the time a test waits
TWO_AT_A_TIME = ("-n", "2", *BY_FILE)  # a browser does not wait
WHOLE_PATHS = sorted(map(str, Path("tests").glob("test_*.py")))
# Options, which tests, and where such stand: to look for them everywhere takes half a minute
PARTS = (
    (THREE_AT_A_TIME, "not (browser or alone)", ["tests"]),
    (TWO_AT_A_TIME, "browser and not alone", ["tests/browser"]),
    ((), "alone and not sip", ["tests/browser", "tests/telephony/sip", *WHOLE_PATHS]),
)


def main(arguments: list[str]) -> int:
    """The worst outcome; a part may have nothing to test."""
    thorough = "--thorough" in arguments
    arguments = [each for each in arguments if each != "--thorough"]
    names_files = any(Path(each.partition("::")[0]).exists() for each in arguments)
    outcomes = []
    for options, which, places in PARTS:
        marks = f"({which}) and {'thorough' if thorough else 'not thorough'}"
        command = [sys.executable, "-m", "pytest", *options, "-m", marks, *arguments]
        outcomes.append(subprocess.run([*command, *([] if names_files else places)], check=False).returncode)
    if set(outcomes) == {NOTHING_TO_TEST}:
        return NOTHING_TO_TEST
    return max((outcome for outcome in outcomes if outcome != NOTHING_TO_TEST), key=abs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
