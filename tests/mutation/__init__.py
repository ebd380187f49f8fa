"""Small mistakes, made on purpose in one module at a time: a test must notice each of them.

Holds: which mistakes there are (`mistakes`), how one is tried (`trying`), and the command that tries those of a room
and goes on where it stopped (`python -m mutation`, which `make mutants` runs).
"""
