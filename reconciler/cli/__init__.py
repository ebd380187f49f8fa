"""The command line: one small file a command, each importing what it needs when it runs.

Holds: options, words on the screen, questions, exit codes. Knows rooms; no room knows a command, and no rule of the
domain is in here.
"""
