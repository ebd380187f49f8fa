"""Where the demo is shown: the time line as plain lines, or two sites side by side above it on a terminal."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from sandbox.demo.timeline import Moment, line
from sandbox.demo.view import ApplicationView, SiteView

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

MOMENTS = 16
"""Lines of the time line that stay on a terminal, at most."""

AROUND = 11
"""Lines of the picture that are not the time line."""

REDRAW = 0.2
"""Seconds between two drawings; drawing costs the sites' processor time."""

ROLE_STYLES = {"active": "bold green", "passive": "cyan"}


class Screen(Protocol):
    """What the story tells; `draw` may be called often."""

    def __enter__(self) -> Screen: ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None: ...

    def say(self, text: str) -> None:
        """A line of text that stays."""
        ...

    def moment(self, moment: Moment, zero: float) -> None:
        """A line of the time line."""
        ...

    def claim(self, text: str, wrong: Sequence[str]) -> None:
        """Something was observed, or was not and why."""
        ...

    def draw(self, sites: Sequence[SiteView], waiting: str) -> None:
        """The sites as they are, and what is waited for."""
        ...


class Lines:
    """Plain lines, for a pipe or a file."""

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """A line of text that stays."""
        print(text, flush=True)

    def moment(self, moment: Moment, zero: float) -> None:
        """A line of the time line."""
        print(line(moment, zero), flush=True)

    def claim(self, text: str, wrong: Sequence[str]) -> None:
        """Something was observed, or was not and why."""
        print(claim_line(text, wrong), flush=True)

    def draw(self, sites: Sequence[SiteView], waiting: str) -> None:
        """Nothing: a pipe has no picture."""


class Live:
    """A picture at the foot of the terminal that follows what happens; what was proven scrolls away above it."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live as Picture

        self._console = console
        self._moments: deque[str] = deque(maxlen=max(3, min(MOMENTS, console.height - AROUND)))
        self._drawn = 0.0
        self._picture = Picture(console=console, auto_refresh=False, transient=True, redirect_stderr=False)

    def __enter__(self) -> Live:
        self._picture.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._picture.stop()

    def say(self, text: str) -> None:
        """A line of text that stays."""
        self._console.print(text, markup=False, highlight=False, style="bold")
        self._moments.clear()

    def moment(self, moment: Moment, zero: float) -> None:
        """A line of the time line."""
        self._moments.append(line(moment, zero))

    def claim(self, text: str, wrong: Sequence[str]) -> None:
        """Something was observed, or was not and why."""
        self._console.print(claim_line(text, wrong), markup=False, highlight=False, style="red" if wrong else "green")

    def draw(self, sites: Sequence[SiteView], waiting: str) -> None:
        """The sites as they are, and what is waited for."""
        if time.monotonic() - self._drawn >= REDRAW:
            self._drawn = time.monotonic()
            self._picture.update(picture(sites, self._moments, waiting), refresh=True)


def screen_for(color: str) -> Screen:
    """A picture where standard output is a terminal that can show one, else lines."""
    if not sys.stdout.isatty():
        return Lines()
    from rich.console import Console

    console = Console(no_color=True if color == "never" else None)
    return Lines() if console.is_dumb_terminal else Live(console)


def claim_line(text: str, wrong: Sequence[str]) -> str:
    """What was to be observed, and what was seen in its place."""
    return f"  ok      {text}" if not wrong else f"  FAILED  {text}"


def picture(sites: Sequence[SiteView], moments: Iterable[str], waiting: str) -> RenderableType:
    """Sites side by side, the time line under them, and what is waited for."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    beside = Table.grid(expand=True)
    for _ in sites:
        beside.add_column(ratio=1)
    beside.add_row(*(_site(site) for site in sites))
    return Group(beside, *(Text(text, no_wrap=True, overflow="ellipsis") for text in moments), Text(waiting, "dim"))


def _site(site: SiteView) -> RenderableType:
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    if not site.alive:
        return Panel(Text("every process of it was killed", "bold red"), title=f"site {site.name}", border_style="red")
    numbers = sorted({level.number for application in site.applications for level in application.levels})
    table = Table(box=None, expand=True, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("application", ratio=1, no_wrap=True, overflow="ellipsis")
    for heading in ("role", "state"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for number in numbers:
        table.add_column(str(number), no_wrap=True, justify="right")
    for application in site.applications:
        table.add_row(*_cells(application, numbers))
    names = ", ".join(f"{each.name}/{name}" for each in site.applications for name in each.starting)
    starting = Text(f"starting {site.starting}: {names}" if names else "", "yellow", no_wrap=True, overflow="ellipsis")
    return Panel(Group(table, starting), title=f"site {site.name}", border_style="blue")


def _cells(application: ApplicationView, numbers: Iterable[int]) -> tuple[RenderableType, ...]:
    from rich.text import Text

    levels = {level.number: f"{level.ready}/{level.total}" for level in application.levels}
    return (
        f"{application.name} {application.epoch}",
        Text(application.role, ROLE_STYLES.get(application.role, "dim")),
        application.state,
        *(levels.get(number, "") for number in numbers),
    )
