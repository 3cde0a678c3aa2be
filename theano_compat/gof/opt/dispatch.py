"""The index from an op to the local rewrites that can match a node with it."""

from __future__ import annotations


class Dispatch:
    """Local rewrites by what they track.

    A rewrite may track op classes, op instances, and scalar op classes (which match any node that maps such a scalar op over
    arrays); one that tracks nothing (None, or an empty list) is tried on every node. The answer for each op is computed once.
    """

    def __init__(self, rewrites):
        self.everywhere = []
        self.by_class = {}
        self.by_op = {}
        self._known = {}
        for rewrite in rewrites:
            self.add(rewrite)

    def add(self, rewrite):
        """Index one more local rewrite."""
        tracks = rewrite.tracks()
        if not tracks:
            self.everywhere.append(rewrite)
        else:
            for key in dict.fromkeys(tracks):
                table = self.by_class if isinstance(key, type) else self.by_op
                table.setdefault(key, []).append(rewrite)
        self._known.clear()

    def __call__(self, op):
        """Return the rewrites to try on a node with this op, in order."""
        found = self._known.get(op)
        if found is None:
            scalar_op = getattr(op, "scalar_op", None)
            found = self.everywhere + self.by_class.get(type(op), [])
            if scalar_op is not None:
                found = found + self.by_class.get(type(scalar_op), [])
            found = list(dict.fromkeys(found + self.by_op.get(op, [])))
            self._known[op] = found
        return found
