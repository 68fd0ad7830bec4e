"""Open a conversation of 100,000 messages, at its end and in its middle, against one of 100, through the desk's socket; goal 1.15."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from bench.support.caches import fill, ident, items, messages, open_cache, people, served


async def measure(count: int, small: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="wb") as name:
        folder = Path(name)
        cache = open_cache(folder)
        await fill(cache, items(people(range(2))))
        long, short = list(messages(count, [0])), list(messages(small, [1], first=1))
        await fill(cache, items(iter(long)))
        await fill(cache, items(iter(short)))
        cache.close()
        middle, inside = long[count // 2].id, short[-1].id
        places = {"end": (0, None), "middle": (0, middle), "short end": (1, None), "short middle": (1, inside)}
        ratios: dict[str, list[float]] = {"end": [], "middle": []}
        async with served(folder) as client:
            for round_ in range(rounds + 1):
                taken: dict[str, list[float]] = {place: [] for place in places}
                for _ in range(50):
                    for place, (of, before) in places.items():
                        at = time.perf_counter()
                        page = await client.timeline(ident(of), before=before, limit=50)
                        taken[place].append(time.perf_counter() - at)
                        assert len(page.messages) == 50
                if round_:
                    middles = {place: statistics.median(one) for place, one in taken.items()}
                    ratios["end"].append(middles["end"] / middles["short end"])
                    ratios["middle"].append(middles["middle"] / middles["short middle"])
        for place, found in ratios.items():
            print(
                f"{count} / {small} messages, {place:6} ratio {statistics.median(found):.2f} ({min(found):.2f}-{max(found):.2f}; goal 1.15)"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--small", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    asyncio.run(measure(options.messages, options.small, options.rounds))


if __name__ == "__main__":
    main()
