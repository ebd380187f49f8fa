"""What may start, and when.

Holds: the table of start and role fields (`fields`), the start gate's arithmetic (`gate`), the gate of P7 and the role
gate of P18: permits (`permits`) and the admission policies that read them (`admission`). Knows nothing of storage, Git
or the protocol: others say when a permit is due; here it is said what a permit is and what it admits.
"""
