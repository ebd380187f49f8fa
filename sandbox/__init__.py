"""Embedded sites for a laptop: what the demo, rehearsals and fast tests run on in place of real clusters.

Holds the in-memory Kubernetes API (`apiserver`), simulated controllers, storage and virtual machines that are ordinary
clients of it (`simulation`), the Git server that sites share (`gitserver`), and the supervision of one site's
processes (`site`). Knows nothing of the controller's inside.
"""
