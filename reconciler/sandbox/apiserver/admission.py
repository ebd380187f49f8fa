"""placeholder"""

from __future__ import annotations


class Policies:
    def __init__(self, store, registry):
        pass

    def admit(self, operation, kind, request, new, old):
        return None
