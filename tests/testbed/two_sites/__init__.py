"""Siteshift as a whole on real parts: two control planes, a Git server between them, controllers as people start them.

Holds: the fleet that the sites follow (`fleet`), one site (`site`), both with their Git server (`world`), and a test
file a story. A package, so that one pair of sites lives exactly as long as its tests; each story finds out for itself
where the applications are, so that it can be told alone or after any other.
"""
