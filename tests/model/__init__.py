"""A bounded model of sites, Git and storage around the pure protocol: every reachable state is looked at.

Time is left out: whatever a deadline forbids for a while may happen at any moment, in any order.
"""
