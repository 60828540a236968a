"""`python -m tests.bench.knowledge`: how long a knowledge base of many passages takes to find the nearest.

The vectors are random, of the length that the embedded model of meaning gives; embedding is not counted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import django
import numpy as np

django.setup()

from agents.flow.looking_up import Found  # noqa: E402
from agents.knowledge.shelf import Shelf  # noqa: E402

DIMENSIONS = 384


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=500)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    vectors = random.standard_normal((options.passages + options.times, DIMENSIONS), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    passages = [Found(f"passage {number}", "bench", 0.0) for number in range(options.passages)]
    shelf = Shelf((), {vectors.shape[1]: (vectors[: options.passages], passages)})
    taken = []
    for asked in vectors[options.passages :]:
        begun = time.perf_counter()
        shelf.nearest(asked)
        taken.append((time.perf_counter() - begun) * 1000)
    told = {
        "passages": options.passages,
        "search_p50_ms": round(statistics.median(taken), 2),
        "search_p95_ms": round(statistics.quantiles(taken, n=20)[-1], 2),
    }
    print(json.dumps(told))  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
