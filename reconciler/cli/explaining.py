"""What `build --explain` and `render --explain` print: the chain of places that gave an object or a field its value."""

from __future__ import annotations
