"""The controller of one site: Git in, a cluster as Git says out, pass after pass.

Holds the loop and what joins the rooms: the view of Git, one pass, the lease of the one controller (P15), and what
carries the moves' decisions out. Every rule lives in the room that it belongs to.
"""
