"""The type of lists whose entries all have one type."""

from __future__ import annotations

from theano_compat import gof


class TypedListType(gof.Type):
    """Type of Python lists of values of one type.

    Parameters
    ----------
    ttype : Type
        That of the entries.
    depth : int
        How often the lists are nested: at 0 the entries have type `ttype`, at 1 they are lists of these.

    Raises
    ------
    TypeError
        If `ttype` is no type.
    ValueError
        If `depth` is negative.
    """

    def __init__(self, ttype, depth=0):
        if depth < 0:
            raise ValueError("Please specify a depth superior orequal to 0")
        if not isinstance(ttype, gof.Type):
            raise TypeError("Expected a Theano Type")
        self.ttype = ttype if depth == 0 else TypedListType(ttype, depth - 1)

    def filter(self, x, strict=False, allow_downcast=None):
        """Return `x` as a list of values of the type of the entries.

        Raises
        ------
        TypeError
            If `x` is no list, or an entry does not fit.
        """
        if strict:
            if not isinstance(x, list):
                raise TypeError("Expected a python list")
            for entry in x:
                self.ttype.filter(entry, strict=True)
            return x
        filtered = [self.ttype.filter(entry, strict=False, allow_downcast=allow_downcast) for entry in x]
        # the list itself where nothing had to be converted: a function may change it in place
        if isinstance(x, list) and all(a is b for a, b in zip(filtered, x)):
            return x
        return filtered

    def __eq__(self, other):
        return type(self) is type(other) and self.ttype == other.ttype

    def __hash__(self):
        return gof.hashtype(self) ^ hash(self.ttype)

    def __str__(self):
        return f"TypedList <{self.ttype}>"

    def get_depth(self):
        """Return how often the lists are nested (0 for lists of plain values)."""
        depth, inner = 0, self.ttype
        while isinstance(inner, TypedListType):
            depth, inner = depth + 1, inner.ttype
        return depth

    def values_eq(self, a, b):
        """Return whether two lists have equal entries."""
        return len(a) == len(b) and all(self.ttype.values_eq(x, y) for x, y in zip(a, b))

    def values_eq_approx(self, a, b):
        """Return whether two lists have entries that agree within the tolerance of their type."""
        return len(a) == len(b) and all(self.ttype.values_eq_approx(x, y) for x, y in zip(a, b))

    def may_share_memory(self, a, b):
        """Return whether two lists, or any of their entries, may share memory."""
        if a is b:
            return True
        # either may also be a single entry, that was taken out of a list
        entries_a = a if isinstance(a, list) else [a]
        entries_b = b if isinstance(b, list) else [b]
        return any(self.ttype.may_share_memory(x, y) for x in entries_a for y in entries_b)

    dtype = property(lambda self: self.ttype, doc="Type of the entries.")
    ndim = property(lambda self: self.ttype.ndim + 1, doc="Number of dimensions of the entries, and one more.")
