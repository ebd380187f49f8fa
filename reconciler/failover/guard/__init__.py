"""The guard (P20): the part of a site that stops applications, and needs nothing but its own cluster's API for it.

A process of its own: it renews permits, obeys leases and stop orders, closes and repairs the gate. Knows nothing of
Git, rendering, the platform and the passes, and shares no thread, lock or cache with them.
"""
