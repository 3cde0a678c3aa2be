"""Comparisons as Python 2 had them, for translated programs: values of different kinds have an order, sorts take a comparing function.

``None`` is less than anything, a number less than anything but ``None``, and the builtin kinds besides follow each other by name. Values that Python 2
ordered by where they lie in memory are refused, as today, and so are chains (``a < b < c``), complex numbers, and arrays beside ``None``.
"""

from __future__ import annotations

import ast
import functools
import operator
from typing import Any

#: Builtin kinds under the names by which Python 2 ordered them.
_KINDS = {bytes: "str", str: "str", dict: "dict", list: "list", set: "set", frozenset: "frozenset", tuple: "tuple"}


def classic_cmp(a, b) -> int:
    """Return -1, 0 or 1 as Python 2's ``cmp(a, b)``."""
    try:
        return 1 if a > b else -1 if a < b else 0
    except TypeError as error:
        result = _order_of_kinds(a, b)
        if result is None:
            raise error from None
        return result


def _order_of_kinds(a, b) -> int | None:
    """Return the order of two values that today's Python refuses to compare, None where Python 2 had none that means something."""
    if type(a) is type(b):
        if isinstance(a, (list, tuple)):
            return _order_of_sequences(a, b)
        if isinstance(a, dict):
            return 0 if a == b else None if len(a) == len(b) else classic_cmp(len(a), len(b))
        return 0 if a is None else None
    first, second = _rank(a), _rank(b)
    if first is None or second is None or first == second or (first[0] == second[0] and not (first[1] and second[1])):
        return None
    return -1 if first < second else 1


def _order_of_sequences(a, b) -> int:
    for x, y in zip(a, b):
        if x is not y and x != y:
            return classic_cmp(x, y)
    return classic_cmp(len(a), len(b))


def _rank(x) -> tuple[int, str] | None:
    """Return the place of a value among those of other kinds, None if it compares element by element or not at all."""
    if x is None:
        return 0, ""
    if isinstance(x, complex) or getattr(x, "ndim", 0):
        return None
    if isinstance(x, (int, float)) or getattr(getattr(x, "dtype", None), "kind", "") in ("b", "i", "u", "f"):
        return (1, "") if not hasattr(x, "owner") else None  # symbolic variables have a dtype, too
    return None if hasattr(x, "owner") else (2, _KINDS.get(type(x), ""))


def _comparison(name: str, test):
    def compare(a, b):
        try:
            return test(a, b)
        except TypeError as error:
            result = _order_of_kinds(a, b)
            if result is None:
                raise error from None
            return test(result, 0)

    compare.__name__ = f"classic_{name}"
    compare.__doc__ = f"Return ``operator.{name}(a, b)``, and where today's Python refuses, what Python 2 had."
    return compare


def classic_is_none(a) -> bool:
    """Return ``a == None`` for a program that means ``a is None``: an array is not, as NumPy had it up to 1.12."""
    return False if getattr(a, "ndim", 0) and hasattr(a, "tolist") else a == None  # noqa: E711


def classic_is_not_none(a) -> bool:
    """Return ``a != None``, for which see :func:`classic_is_none`."""
    return True if getattr(a, "ndim", 0) and hasattr(a, "tolist") else a != None  # noqa: E711


def _sort_by(cmp=None, key=None, reverse=False) -> dict[str, Any]:
    """Return today's arguments of a sort for Python 2's."""
    if cmp is not None:
        compare = functools.cmp_to_key(cmp)
        return {"key": compare if key is None else lambda x: compare(key(x)), "reverse": bool(reverse)}
    return {"key": key, "reverse": bool(reverse)}


def classic_sorted(iterable, *args, **kwargs) -> list:
    """Sort as Python 2's ``sorted(iterable, cmp, key, reverse)``."""
    values, options = list(iterable), _sort_by(*args, **kwargs)
    try:
        return sorted(values, **options)
    except TypeError:
        if args[:1] not in ((), (None,)) or kwargs.get("cmp") is not None:
            raise  # the program's own function failed
        return sorted(values, **_sort_by(classic_cmp, options["key"], options["reverse"]))


def classic_sort(owner, *args, **kwargs):
    """Call ``owner.sort``; a list's takes a comparing function first, anything else (NumPy, Theano) what it likes."""
    if isinstance(owner, list):
        owner[:] = classic_sorted(owner, *args, **kwargs)
        return None
    return owner.sort(*args, **kwargs)


def _extreme(today, sign: int):
    def extreme(*args, **kwargs):
        if len(args) == 1 and iter(args[0]) is args[0]:
            args = (list(args[0]),)
        try:
            return today(*args, **kwargs)
        except TypeError as error:
            values = list(args if len(args) > 1 else args[0])
            key = kwargs.pop("key", None) or (lambda x: x)
            if kwargs or not values:
                raise error from None
            return functools.reduce(lambda best, x: x if sign * classic_cmp(key(x), key(best)) > 0 else best, values)

    extreme.__name__ = today.__name__
    extreme.__doc__ = f"Return what Python 2's ``{today.__name__}`` did: values of different kinds have an order."
    return extreme


classic_max = _extreme(max, 1)
classic_min = _extreme(min, -1)

_TESTS = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}

#: What the builtins of a program compiled with :class:`ClassicComparing` must hold.
ENTRIES = {
    **{f"__classic_{name}__": _comparison(name, getattr(operator, name)) for name in _TESTS.values()},
    "__classic_is_none__": classic_is_none,
    "__classic_is_not_none__": classic_is_not_none,
    "__classic_sort__": classic_sort,
}


class ClassicComparing(ast.NodeTransformer):
    """Compiles comparisons that today's Python may refuse, those with ``None``, and ``x.sort(…)`` into calls of the functions in ENTRIES."""

    def visit_Compare(self, node):
        self.generic_visit(node)
        if len(node.ops) != 1:
            return node
        kind, right = type(node.ops[0]), node.comparators[0]
        if kind in _TESTS:
            return _call(_TESTS[kind], node, node.left, right)
        if kind in (ast.Eq, ast.NotEq) and isinstance(right, ast.Constant) and right.value is None:
            return _call("is_none" if kind is ast.Eq else "is_not_none", node, node.left)
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "sort":
            return ast.copy_location(ast.Call(ast.Name("__classic_sort__", ast.Load()), [node.func.value, *node.args], node.keywords), node)
        return node


def _call(name: str, node: ast.AST, *arguments):
    return ast.copy_location(ast.Call(ast.Name(f"__classic_{name}__", ast.Load()), list(arguments), []), node)
