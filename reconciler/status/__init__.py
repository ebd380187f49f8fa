"""What people see: the status of Site and SiteApplication, and the log, both made from the values that a pass used.

Holds words and their layout. Knows nothing of how work is done; nothing here decides.
"""
