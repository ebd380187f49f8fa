"""The failover protocol: from everything that a site knows about one application to the next step.

Holds: what can be known (`values`), what can be decided (`decisions`), the words that sites exchange (`documents`), the
guards of the rules P1–P18 (`guards`, `history`), the table of states (`table`) and the engine over it (`protocol`).
Knows nothing of HTTP, YAML, Git, clocks or drivers: time and the world come in as values, work goes out as values, and
whoever carries it out (`reconciler.failover.execute.mover`) does so in the order that `Decision` states.
"""
