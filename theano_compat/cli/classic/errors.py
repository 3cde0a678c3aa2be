"""Errors as Python 2 had them: in ``except E, error:`` the program may ask for ``error.message`` and ``error[0]``."""

from __future__ import annotations

import ast


def classic_message(error) -> object:
    """Return ``error.message``: the error's only argument, "" if there are none or several."""
    if hasattr(error, "message"):
        return error.message
    return error.args[0] if len(error.args) == 1 else ""


def classic_argument(error, key):
    """Return ``error[key]``, for an error without items one of its arguments."""
    return error[key] if hasattr(type(error), "__getitem__") else error.args[key]


ENTRIES = {"__classic_message__": classic_message, "__classic_argument__": classic_argument}


class ClassicErrors(ast.NodeTransformer):
    """Compiles ``error.message`` and ``error[0]`` within the handler that named the error."""

    def __init__(self):
        self.caught: list[str] = []

    def visit_ExceptHandler(self, node):
        self.caught.append(node.name)
        self.generic_visit(node)
        self.caught.pop()
        return node

    def _is_caught(self, node) -> bool:
        return isinstance(node, ast.Name) and node.id in self.caught

    def visit_Attribute(self, node):
        self.generic_visit(node)
        if node.attr == "message" and isinstance(node.ctx, ast.Load) and self._is_caught(node.value):
            return ast.copy_location(ast.Call(ast.Name("__classic_message__", ast.Load()), [node.value], []), node)
        return node

    def visit_Subscript(self, node):
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and self._is_caught(node.value) and not isinstance(node.slice, ast.Slice):
            return ast.copy_location(ast.Call(ast.Name("__classic_argument__", ast.Load()), [node.value, node.slice], []), node)
        return node
