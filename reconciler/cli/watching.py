"""Tells when files below a folder were saved, as the operating system says it."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

SETTLE = 0.02
"""Editors save in several steps; what comes within so many seconds is one save."""

IGNORED = frozenset({".git", ".siteshift"})


def saves(folder: Path) -> Iterator[None]:
    """One item for each save below the folder, until the caller stops asking."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    seen: queue.SimpleQueue[None] = queue.SimpleQueue()

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.event_type in ("opened", "closed_no_write"):
                return
            if not IGNORED & set(Path(str(event.src_path)).relative_to(folder).parts):
                seen.put(None)

    observer = Observer()
    observer.schedule(Handler(), str(folder), recursive=True)
    observer.start()
    try:
        while True:
            seen.get()
            try:
                while True:
                    seen.get(timeout=SETTLE)
            except queue.Empty:
                yield None
    finally:
        observer.stop()
        observer.join()
