"""`make model`: every state within larger bounds than the tests have time for, with the progress of each."""

from __future__ import annotations

import sys
import time

from model.cases import ALWAYS, LARGE, proven

MOST = 20_000_000
"""States that fit into about eight gigabytes."""


def main() -> int:
    """Prints a row of the page for each of the bounds; 1 if a rule is broken or a state leads nowhere."""
    failed = 0
    for name, bounds in {**ALWAYS, **LARGE}.items():
        if sys.argv[1:] and not any(word in name for word in sys.argv[1:]):
            continue
        began = time.process_time()

        def told(states: int, new: int, name: str = name) -> None:
            print(f"\r{name}: {states:,} states, {new:,} new ", end="", file=sys.stderr, flush=True)

        found = proven(bounds, most=MOST, told=told)
        print(f"\r{name}: {time.process_time() - began:.0f} s", " " * 40, file=sys.stderr)
        print(found.row if found.explored.whole else f"not whole: {found.row}", flush=True)
        wrong = found.explored.broken or found.stuck
        if wrong:
            print(f"{name}: {wrong}", *found.explored.way, sep="\n", flush=True)
        failed |= bool(wrong) or not found.explored.whole
    return failed


if __name__ == "__main__":
    sys.exit(main())
