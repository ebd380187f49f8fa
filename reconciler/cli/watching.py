"""Tells which files below a folder were saved, as the operating system says it."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

SETTLE = 0.01
"""Editors save in several steps; what comes within so many seconds is one save."""

IGNORED = frozenset({".git", ".siteshift"})


def saves(folder: Path) -> Iterator[frozenset[str]]:
    """The paths, relative to the folder, that each save below it touched, until the caller stops asking.

    The first is of none: from then on nothing is missed.
    """
    import logging

    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    # It tells of its own inside on standard error, where the reader looks for what is wrong with a save.
    logging.getLogger("watchdog").setLevel(logging.CRITICAL)
    seen: queue.SimpleQueue[str] = queue.SimpleQueue()

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.event_type in ("opened", "closed_no_write"):
                return
            if event.is_directory and event.event_type == "modified":  # what was modified in it is told by itself
                return
            for place in filter(None, (event.src_path, event.dest_path)):
                path = Path(str(place))
                inside = path.relative_to(folder) if path.is_relative_to(folder) else None
                if inside is not None and not IGNORED & set(inside.parts):
                    seen.put("" if inside == Path() else inside.as_posix())

    observer = Observer()
    observer.schedule(Handler(), str(folder), recursive=True)
    observer.start()
    try:
        yield frozenset()
        while True:
            touched = {seen.get()}
            try:
                while True:
                    touched.add(seen.get(timeout=SETTLE))
            except queue.Empty:
                yield frozenset(touched)
    finally:
        observer.stop()
        observer.join()
