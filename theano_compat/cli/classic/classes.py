"""Classes as Python 2 had them: ``__cmp__``, ``__getslice__`` and their like work, and a class with ``__eq__`` alone can be a key.

A class whose body binds one of the names below is handed to :func:`classic_class`, which gives it the methods that today's Python asks for.
"""

from __future__ import annotations

import ast
import operator
import sys

_COMPARISONS = ("lt", "le", "eq", "ne", "gt", "ge")
_SLICES = {"__getitem__": "__getslice__", "__setitem__": "__setslice__", "__delitem__": "__delslice__"}
_NAMES = {"__cmp__", "__eq__", "__nonzero__", "__next__", *_SLICES.values()}


def classic_class(cls: type) -> type:
    """Give a class the methods that today's Python asks for instead of those that it has."""
    own = cls.__dict__
    if "__cmp__" in own:
        for name in _COMPARISONS:
            if getattr(cls, f"__{name}__") is getattr(object, f"__{name}__"):  # the inherited ones ask for __cmp__ again, or come before it
                setattr(cls, f"__{name}__", _by_cmp(getattr(operator, name)))
    for new, old in (("__bool__", "__nonzero__"), ("next", "__next__")):
        if old in own and new not in own:
            setattr(cls, new, own[old])
    for item, part in _SLICES.items():
        if part in own:
            setattr(cls, item, _with_slices(getattr(cls, item, None), part))
    return cls


def classic_keyed_class(cls: type) -> type:
    """Do :func:`classic_class`, and let a class that says when two are equal, and nothing about ``hash``, keep its base's."""
    if cls.__dict__.get("__hash__", cls) is None:
        del cls.__hash__
    return classic_class(cls)


def _by_cmp(test):
    def compare(self, other):
        result = self.__cmp__(other)
        return result if result is NotImplemented else test(result, 0)

    return compare


def _with_slices(item, part: str):
    """Return an item's method that leaves plain slices to the method for slices."""

    def method(self, key, *value):
        if isinstance(key, slice) and key.step is None and all(end is None or hasattr(end, "__index__") for end in (key.start, key.stop)):
            return getattr(self, part)(_end(self, key.start, 0), _end(self, key.stop, sys.maxsize), *value)
        if item is None:
            raise TypeError(f"{type(self).__name__!r} has {part} for slices, and nothing for the key {key!r}")
        return item(self, key, *value)

    return method


def _end(owner, end, otherwise: int) -> int:
    end = otherwise if end is None else operator.index(end)
    return end + len(owner) if end < 0 and hasattr(owner, "__len__") else end


ENTRIES = {"__classic_class__": classic_class, "__classic_keyed_class__": classic_keyed_class}


class ClassicClasses(ast.NodeTransformer):
    """Decorates classes that bind names of Python 2's protocols."""

    def visit_ClassDef(self, node):
        self.generic_visit(node)
        bound = {s.name for s in node.body if isinstance(s, ast.FunctionDef)}
        bound |= {t.id for s in node.body if isinstance(s, ast.Assign) for t in s.targets if isinstance(t, ast.Name)}
        if bound & _NAMES:
            name = "__classic_keyed_class__" if "__hash__" not in bound else "__classic_class__"
            node.decorator_list.append(ast.copy_location(ast.Name(name, ast.Load()), node))
        return node
