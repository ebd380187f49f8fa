"""Execute: reads what the protocol needs to know, and carries out what it decides, in the order that `Decision` states.

Holds the readings of cluster and Git, the fenced writes, and the memory of one process. Decides nothing: every
condition that permits or forbids a step lies in `reconciler.failover.protocol`.
"""
