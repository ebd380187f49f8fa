"""Two whole sites in one process for the protocol's tests: a fake API, storage and virtual machines, and real carriers.

Holds: the array that both sites share (`array`), one site's API with its controllers (`api`), and the world that owns
time, Git and chance (`world`). The code under test is the real one, from `Mover` and `Publisher` down.
"""
