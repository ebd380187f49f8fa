"""Failover: everything that moves an application from one site to another, and that keeps two sites from running it.

Holds `protocol` (pure: what is known in, the next step out), `execute` (reads the world and carries decisions out),
`admission` (permits and the policies that refuse every other start) and `guard` (the process that only ever stops,
closes and renews). Nothing outside this room starts, stops, promotes or demotes a workload.
"""
