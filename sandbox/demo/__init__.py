"""The demo: two embedded sites on this machine, and a story in which commits move applications between them.

Holds the world that the story needs, the story itself, what draws it, and a checker of its own. The controllers are
started by the documented command and are not looked into: what the demo says comes from the sites' APIs.
"""
