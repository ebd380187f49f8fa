"""`python -m mutation [ROOM]`: try the mistakes of a room, tell the survivors, and go on where the last run stopped."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mutation.mistakes import Mistake, mistakes
from mutation.trying import survives

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.json")
"""Mistakes that change nothing that can be seen: `{path: {mistake: reason}}`."""


@dataclass(frozen=True, slots=True)
class Room:
    """Modules by a pattern, the tests that must notice, and how many seconds they may take."""

    modules: str
    tests: tuple[str, ...]
    seconds: int = 120


ROOMS = {
    "protocol": Room("reconciler/failover/protocol/*.py", ("tests/reconciler/failover/protocol",)),
    "admission": Room("reconciler/failover/admission/*.py", ("tests/reconciler/failover/admission",)),
    "guard": Room(
        "reconciler/failover/guard/*.py",
        ("tests/reconciler/failover/guard/test_decide.py", "tests/reconciler/failover/guard/test_stopping.py"),
    ),
    "drivers": Room("reconciler/drivers/*.py", ("tests/reconciler/drivers",)),
    "starts": Room(
        "reconciler/starts/*.py", ("tests/reconciler/starts", "tests/reconciler/controller/test_starting.py")
    ),
}


def found(room: Room) -> Iterator[tuple[Path, Mistake]]:
    """Every mistake of a room, in a fixed order that mixes its modules: a run that is stopped has seen some of each."""
    each = [
        (path.relative_to(ROOT), mistake)
        for path in sorted(ROOT.glob(room.modules))
        for mistake in mistakes(path.read_text())
    ]
    return iter(sorted(each, key=lambda pair: _digest(*pair)))


def _digest(path: Path, mistake: Mistake) -> str:
    return hashlib.sha256(f"{path}\0{mistake.source}".encode()).hexdigest()


def main(words: list[str]) -> int:
    """Try what was not tried yet; 1 if a mistake survives that is not listed as equivalent."""
    names = words or list(ROOMS)
    if unknown := [name for name in names if name not in ROOMS]:
        print(f"error: {unknown[0]} is no room; expected one of {', '.join(ROOMS)}", file=sys.stderr)
        return 2
    return max(_room(name, ROOMS[name]) for name in names)


def _room(name: str, room: Room) -> int:
    kept = ROOT / "build" / "mutants" / f"{name}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    known = dict(json.loads(line) for line in kept.read_text().splitlines()) if kept.exists() else {}
    equivalent = json.loads(EQUIVALENT.read_text())
    todo = list(found(room))
    survivors = []
    with kept.open("a") as notes:
        for number, (path, mistake) in enumerate(todo, start=1):
            digest = _digest(path, mistake)
            if digest not in known:
                known[digest] = survives(path, mistake.source, room.tests, room.seconds)
                notes.write(json.dumps([digest, known[digest]]) + "\n")
                notes.flush()
            if known[digest] and mistake.name not in equivalent.get(str(path), {}):
                survivors.append(f"{path}:{mistake.line}: {mistake.name}")
                print(survivors[-1], flush=True)
            print(f"\r{name}: {number} of {len(todo)}, {len(survivors)} survive", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return 1 if survivors else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\nstopped; the next run goes on from here", file=sys.stderr)
        sys.exit(130)
