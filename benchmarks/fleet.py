"""One file changes in a fleet, and the next commit is rendered for one site by a process that knows the one before.

A program of its own, because what is measured is a warm process: `python -m benchmarks.fleet FOLDER APPLICATIONS
OBJECTS CHANGES` makes a fleet in an empty folder, and prints as JSON how many milliseconds renderings took: the first,
those after a change to one application, and those after a change to the base that several applications share.
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.trees import SHARED_BASE, SHARING, fleet

SITE = "a"


class Repository:
    """A fleet repository: files in a folder, and commits of them."""

    def __init__(self, folder: Path) -> None:
        import pygit2

        self._git = pygit2.init_repository(str(folder))
        self._folder = folder
        self._who = pygit2.Signature("benchmark", "benchmark@example.com", 1_700_000_000, 0)

    def commit(self) -> str:
        """Commit every file as it is."""
        index = self._git.index
        index.add_all()
        index.write()
        parents = [] if self._git.is_empty else [self._git.head.target]
        return str(self._git.create_commit("HEAD", self._who, self._who, "change", index.write_tree(), parents))

    def change(self, path: str, count: int) -> str:
        """Commit another number in one file."""
        file = self._folder / path
        file.write_text(file.read_text().replace('SHARD: "', f'SHARD: "{count}', 1))
        self._git.index.add(path)
        self._git.index.write()
        return str(
            self._git.create_commit(
                "HEAD", self._who, self._who, "change", self._git.index.write_tree(), [self._git.head.target]
            )
        )

    def tree(self, commit: str) -> Any:
        """The files of a commit, as the controller reads them."""
        from render.tree import GitTree

        return GitTree(self._git, commit)


def main(folder: Path, applications: int, objects: int, changes: int) -> dict[str, Any]:
    """Make the fleet, change it again and again, and measure each rendering."""
    from reconciler.controller.desired import Desired

    fleet(folder, applications, objects)
    repository = Repository(folder)
    desired = Desired(repository, SITE)

    processor: list[float] = []

    def render(commit: str) -> float:
        started, spent = time.perf_counter(), time.process_time()
        revision = desired.at(commit)
        desired.platform(revision)
        for application in revision.fleet.applications:
            desired.application(revision, application, "active")
        processor.append((time.process_time() - spent) * 1000)
        return (time.perf_counter() - started) * 1000

    first = render(repository.commit())
    gc.collect()
    gc.freeze()

    def after(path: Callable[[int], str]) -> list[float]:
        return [render(repository.change(path(count), count)) for count in range(changes)]

    alone = max(1, applications - SHARING)
    one = after(lambda count: f"apps/shop-{count % alone:03}/base/values-2.yaml")
    shared = after(lambda _: f"{SHARED_BASE}/values-2.yaml")
    return {
        "first": first,
        "one": statistics.median(one),
        "one processor": statistics.median(processor[1 : 1 + changes]),
        "shared": statistics.median(shared),
        "shared processor": statistics.median(processor[1 + changes :]),
        "sharing": min(SHARING, applications),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    place, *numbers = sys.argv[1:]
    print(json.dumps(main(Path(place), *map(int, numbers))))
