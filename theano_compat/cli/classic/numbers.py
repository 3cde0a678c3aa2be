"""Numbers as Python 2 wrote them: ``print x``, ``str(x)``, ``'%s' % x`` and ``'{}'.format(x)`` give a float's first 12 digits, ``oct`` a plain 0 in front."""

from __future__ import annotations

import ast
import builtins


class _Float(float):
    """A float that says its first 12 digits as text; its representation has them all."""

    def __str__(self):
        digits = format(float(self), ".12g")
        if not digits.lstrip("-").isdigit():
            return digits
        if len(digits.lstrip("-")) < 12:
            return digits + ".0"
        mantissa, _, exponent = format(float(self), ".11e").partition("e")  # no room for ".0"
        return f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"


def _as_written(value):
    """Return a float, or an array of one without dimensions (what a function of Theano returns for a scalar), as one that is written with 12 digits; anything else as it is."""
    if type(value) is float:
        return _Float(value)
    if type(value).__name__ == "ndarray" and value.shape == () and value.dtype.kind == "f":
        return _Float(value.item())
    return value


def classic_str(*args, **kwargs) -> str:
    """Return Python 2's ``str(x)``."""
    if len(args) == 1 and not kwargs:
        if type(args[0]) is bytes:
            return args[0].decode("utf-8", "surrogateescape")
        return str(_as_written(args[0]))
    return str(*args, **kwargs)


def classic_print(*values, **options):
    """Print values, floats with 12 digits."""
    builtins.print(*map(_as_written, values), **options)


def classic_format(template: str, values) -> str:
    """Return ``template % values``."""
    written = (lambda v: _Float(v) if type(v) is float else v) if "%r" in template else _as_written
    if type(values) is tuple:
        values = tuple(map(written, values))
    elif type(values) is dict:
        values = {key: written(value) for key, value in values.items()}
    else:
        values = written(values)
    return template % values


def classic_format_method(template: str, *values, **named) -> str:
    """Return ``template.format(…)``."""
    return template.format(*map(_as_written, values), **{key: _as_written(value) for key, value in named.items()})


def classic_oct(number) -> str:
    """Return a number to the base 8, as Python 2 wrote it."""
    return oct(number).replace("o", "") if number else "0"


ENTRIES = {
    "__classic_str__": classic_str,
    "__classic_format__": classic_format,
    "__classic_format_method__": classic_format_method,
    "print": classic_print,
    "oct": classic_oct,
}


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


class ClassicNumbers(ast.NodeTransformer):
    """Compiles ``str(x)``, ``"…" % x`` and ``"…".format(x)`` into calls of the functions in ENTRIES."""

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "str" and len(node.args) == 1:
            node.func = ast.copy_location(ast.Name("__classic_str__", ast.Load()), node.func)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "format" and _is_text(node.func.value):
            function = ast.Name("__classic_format_method__", ast.Load())
            return ast.copy_location(ast.Call(function, [node.func.value, *node.args], node.keywords), node)
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Mod) and _is_text(node.left):
            return ast.copy_location(ast.Call(ast.Name("__classic_format__", ast.Load()), [node.left, node.right], []), node)
        return node
