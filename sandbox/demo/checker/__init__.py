"""Says whether the story really happened, from the sites' APIs, arrays and Git refs alone.

Shares no code with what it checks. Holds a watcher that keeps every event of a site in order, readers of what guests
were told is safe, of what sites have said and of what the fleet's plain files say, and the checks over all of these.
"""
