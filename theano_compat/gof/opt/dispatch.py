"""The index from an op to the local rewrites that can match a node with it."""

from __future__ import annotations


class Dispatch:
    """Local rewrites by what they track.

    A rewrite may track op classes, op instances, and scalar op classes (which match any node that maps such a scalar op over
    arrays); one that tracks nothing (None, or an empty list) is tried on every node. The answer for each class of op is computed once.
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
        classes = _classes(op)
        known = self._known.get(classes)
        if known is None:
            known = self._known[classes] = self._of_classes(classes)
        found, some_ops_tracked = known
        of_this = self.by_op.get(op) if some_ops_tracked else None
        return found if of_this is None else list(dict.fromkeys(found + of_this))

    def _of_classes(self, classes):
        """Return the rewrites to try on all ops of these classes, and whether there are further ones for some of these ops."""
        found = self.everywhere + [rewrite for cls in classes for rewrite in self.by_class.get(cls, ())]
        return list(dict.fromkeys(found)), any(_classes(op) == classes for op in self.by_op)


def _classes(op):
    return type(op), type(getattr(op, "scalar_op", None))
