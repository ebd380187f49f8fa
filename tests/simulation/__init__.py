"""The deterministic simulation: whole sites in one process, under a scheduler that owns order, locks and clocks.

Holds: the scheduler (`scheduler`) and what of Python's threads it replaces (`threads`), a site's API with the
controllers behind it (`api`), the arrays (`array`), the fleet's files (`fleet`), and the world that puts real
controllers and guards between them (`world`). Stories (`stories`) are drawn from a seed; what must hold is in
`invariants`, and what people do about holds in `operator`.
"""
