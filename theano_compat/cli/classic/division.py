"""Division as Python 2 had it, for translated programs: ``/`` and ``/=`` are compiled into calls of this module.

Python 2 asked the operands for ``__div__``, ``__rdiv__`` and ``__idiv__``; symbolic variables have them, and so may classes of the program.
"""

from __future__ import annotations

import ast

_PLAIN = (int, float)  # exactly these need not be asked


def classic_division(a, b):
    """Divide as Python 2's ``a / b``: integers give integers, rounded down; operands with ``__div__`` or ``__rdiv__`` decide; all else divides truly."""
    if type(a) in _PLAIN and type(b) in _PLAIN:
        return a // b if type(a) is int and type(b) is int else a / b
    result = _ask_operands(a, b)
    if result is not NotImplemented:
        return result
    return a // b if _is_integer(a) and _is_integer(b) else a / b


def classic_division_in_place(a, b):
    """Return what ``a`` is after Python 2's ``a /= b``; arrays are changed in place."""
    in_place = getattr(type(a), "__idiv__", None)
    result = NotImplemented if in_place is None else in_place(a, b)
    if result is NotImplemented:
        result = _ask_operands(a, b)
    if result is not NotImplemented:
        return result
    if _is_integer(a) and _is_integer(b):
        a //= b
    else:
        a /= b
    return a


def classic_division_of_item(owner, key, b):
    """Do ``owner[key] /= b``, with ``owner`` and ``key`` evaluated once."""
    owner[key] = classic_division_in_place(owner[key], b)


def _ask_operands(a, b):
    """Return what ``__div__`` of the left or ``__rdiv__`` of the right operand gives, NotImplemented if neither answers."""
    left, right = getattr(type(a), "__div__", None), getattr(type(b), "__rdiv__", None)
    attempts = [(left, a, b), (right, b, a)]
    if issubclass(type(b), type(a)):
        if type(a) is type(b):
            attempts.pop()
        elif right is not getattr(type(a), "__rdiv__", None):
            attempts.reverse()  # a subclass that knows better is asked first
    for method, own, other in attempts:
        result = NotImplemented if method is None else method(own, other)
        if result is not NotImplemented:
            return result
    return NotImplemented


def _is_integer(x) -> bool:
    if isinstance(x, int):
        return True
    kind = getattr(getattr(x, "dtype", None), "kind", None)  # NumPy scalars and arrays
    return kind in ("i", "u", "b")


class _Key:
    """``key[1:2, ...]`` is the key itself."""

    def __getitem__(self, key):
        return key


#: What the namespace of a program compiled with :class:`ClassicDivision` must hold.
ENTRIES = {
    "__classic_division__": classic_division,
    "__classic_division_in_place__": classic_division_in_place,
    "__classic_division_of_item__": classic_division_of_item,
    "__classic_key__": _Key(),
}


class ClassicDivision(ast.NodeTransformer):
    """Compiles ``a / b`` and ``a /= b`` into calls of the functions in ENTRIES."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Div):
            return ast.copy_location(_call("division", node.left, node.right), node)
        return node

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        target = node.target
        if isinstance(target, ast.Subscript):
            key = ast.Subscript(ast.Name("__classic_key__", ast.Load()), target.slice, ast.Load())
            return ast.copy_location(ast.Expr(_call("division_of_item", target.value, key, node.value)), node)
        if isinstance(target, ast.Name):
            before = ast.Name(target.id, ast.Load())
        else:
            before = ast.Attribute(target.value, target.attr, ast.Load())
        return ast.copy_location(ast.Assign([target], _call("division_in_place", before, node.value)), node)


def _call(name, *arguments):
    return ast.Call(ast.Name(f"__classic_{name}__", ast.Load()), list(arguments), [])
