"""Calls of methods that today's objects lack, or that meant something else, are compiled into calls of functions."""

from __future__ import annotations

import ast


class MethodCalls(ast.NodeTransformer):
    """Compiles ``x.name(…)`` into ``function(x, …)`` for the names in METHODS."""

    #: name of a method -> name of the function that stands for a call of it
    METHODS: dict[str, str] = {}

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in self.METHODS:
            function = ast.Name(self.METHODS[node.func.attr], ast.Load())
            return ast.copy_location(ast.Call(function, [node.func.value, *node.args], node.keywords), node)
        return node
