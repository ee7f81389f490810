"""What can end a sweep: a store that cannot be used, or workers that keep dying. Points that fail never do."""

from __future__ import annotations


class SweepError(RuntimeError):
    """A sweep cannot go on; what is stored stays, and the same call resumes it."""


class StoreError(SweepError):
    """A store is locked, full, read-only, damaged, or holds another sweep."""
