"""The demo from its beginning to its end: a folder, the world in it, the story, the table, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from reconciler.errors import SiteshiftError
from sandbox.demo.screen import Screen, screen_for
from sandbox.demo.stage import Interrupts, Stage
from sandbox.demo.story import STORY, table
from sandbox.demo.table import as_text
from sandbox.demo.world import World
from sandbox.processes import Processes


def play(folder: Path | None, color: str) -> bool:
    """Play the whole story; whether every step was observed. `folder` (new or empty) is kept, with all logs; without
    one, a temporary folder is kept only if something was not observed. Raises KeyboardInterrupt when interrupted."""
    interrupts = Interrupts()
    place = Path(tempfile.mkdtemp(prefix="siteshift-demo-")) if folder is None else folder
    keep = folder is not None
    begun = time.monotonic()
    try:
        with screen_for(color) as screen, Processes() as processes:
            observed = _play(place, processes, screen, interrupts)
            keep = keep or not observed
            end = "Every step was observed" if observed else f"Not every step was observed; logs and state: {place}"
            screen.say(f"{end} ({time.monotonic() - begun:.0f} s).")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SiteshiftError("nobody reads the demo's output any more: it was ended") from None
    except Exception:
        keep = True
        print(f"The demo broke; logs and state: {place}", file=sys.stderr)
        raise
    finally:
        if not keep:
            shutil.rmtree(place, ignore_errors=True)
    return observed


def _play(place: Path, processes: Processes, screen: Screen, interrupts: Interrupts) -> bool:
    world = World(place, processes)
    screen.say("Two embedded sites, a and b, with a controller each, and Git between them. Times are seconds.")
    try:
        stage = Stage(world, screen, interrupts)
        observed = all(stage.play(number, step) for number, step in enumerate(STORY, start=1))
        screen.say("")
        screen.say(as_text(table(stage)))
        screen.say("")
    finally:
        world.stop()
    return observed
