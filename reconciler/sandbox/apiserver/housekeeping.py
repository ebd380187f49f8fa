"""placeholder"""

from __future__ import annotations


class Housekeeper:
    def __init__(self, api):
        pass

    def start(self):
        pass

    def ask_to_stop(self):
        pass

    def join(self):
        pass
