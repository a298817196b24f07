"""recsite itself, behind the door of `manage.py evaluate`; it tunes itself while it trains."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from tests.benchmarks.peers import exchange


def main() -> None:
    """Answer `rank`, as `exchange` does; its one setting is `items`, the file that describes them, or null."""
    import django

    django.setup()
    from recommender.training import offline

    _, train, test, lists, settings = sys.argv[1:]
    items = json.loads(settings)["items"]
    reached: list[tuple[str, float]] = []
    result = offline.run(
        Path(train),
        Path(test),
        Path(items) if items else None,
        k=10,
        stage=lambda name: reached.append((name, time.perf_counter())),
    )
    result.write_lists(Path(lists))
    # The first stage is reading, the last ranking.
    seconds = reached[-1][1] - reached[1][1]
    sys.stdout.write(f"{json.dumps({'seconds': seconds, 'memory': exchange.peak_memory()})}\n")


if __name__ == "__main__":
    main()
