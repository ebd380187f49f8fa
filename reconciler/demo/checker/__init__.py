"""Says whether the story really happened, from the sites' APIs alone. Shares no code with what it checks.

Holds a watcher that keeps every event of a site in order, and the checks over that history.
"""
