"""Everything random in a tree comes from one place, so that hypothesis can repeat and shrink it.

The first of several choices is always the simplest, and a chance that is not taken is simpler than one that is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class Chooser:
    """Makes choices out of integers that it is given: `integer(lowest, highest)`, both inclusive."""

    def __init__(self, integer: Callable[[int, int], int]) -> None:
        self.integer = integer

    def chance(self, percent: int) -> bool:
        """True in so many of a hundred cases."""
        return self.integer(0, 99) >= 100 - percent

    def one(self, of: Sequence[T]) -> T:
        """One of them."""
        return of[self.integer(0, len(of) - 1)]

    def some(self, of: Sequence[T], least: int = 0, most: int = 3) -> list[T]:
        """Different ones in the order in which they stand, between `least` and `most` of them."""
        wanted = self.integer(min(least, len(of)), min(most, len(of)))
        places: set[int] = set()
        left = list(range(len(of)))
        for _ in range(wanted):
            places.add(left.pop(self.integer(0, len(left) - 1)))
        return [of[place] for place in sorted(places)]

    def maybe(self, percent: int, make: Callable[[], Any]) -> Any:
        """What `make` makes in so many of a hundred cases, else None."""
        return make() if self.chance(percent) else None


def given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}
