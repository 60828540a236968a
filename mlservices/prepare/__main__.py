"""`python -m mlservices.prepare ID FOLDER`: one model's files, in a process that calls do not notice.

Ends with 0 once they are ready, else with 1 and the reason as the last line of standard error; Ctrl-C's
signal interrupts it, and the next one goes on from what was fetched.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..errors import PrepareError
from . import prepare

_POLITENESS = 10  # added to how nice the process is: those who speak and hear go first


def main(model_id: str, folder: str) -> int:
    os.nice(_POLITENESS)
    try:
        prepare([model_id], Path(folder), tell=print)
    except PrepareError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
