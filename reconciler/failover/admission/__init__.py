"""Admission: a site's expiring right to start an application, and the policies of the API server that ask for it.

Holds permits as data, the admission policies that read them, and the probe that shows whether they refuse. Knows
nothing of Git and of other sites.
"""
