"""What rendering one unit may cost a controller, and how long a pass waits for it."""

SECONDS = 30.0
"""How long one unit may take to render; what a base of elsewhere takes to fetch comes on top."""

MEMORY = 512 * 1024 * 1024
"""Bytes of memory of a process that renders."""

PATIENCE = 2.0
"""How long a pass waits for a unit, in seconds; it goes on without one that takes longer."""

LANES = 2
"""Processes that render side by side. The second is started when the first is busy for longer than a pass waits."""

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds until a unit that could not be rendered is tried again at the same commit; doubled each time."""

KEPT = 3
"""Commits of each unit whose results are kept: the newest, the last good one, and the one that a move acts on."""
