"""Room `diff`: what would a write of this manifest change?

Holds the comparison of desired against live through field ownership, the comparison by a server's dry run, and the text
that shows either. Knows nothing of run levels, nor of what a difference leads to.
"""

from __future__ import annotations

from reconciler.diff.change import Change, FieldChange, Verdict, deleted
from reconciler.diff.compare import diff
from reconciler.diff.dry_run import dry_run_diff
from reconciler.diff.text import format_changes, summary

__all__ = ["Change", "FieldChange", "Verdict", "deleted", "diff", "dry_run_diff", "format_changes", "summary"]
