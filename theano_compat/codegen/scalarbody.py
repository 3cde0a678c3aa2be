"""Scalar ops as statements: one per op, composites inlined, equal expressions shared."""

from __future__ import annotations

from collections.abc import Sequence

from theano_compat.codegen.builder import Builder, NotLowered
from theano_compat.codegen.dtypes import compute_type, is_supported, literal
from theano_compat.codegen.ir import Assign
from theano_compat.gof.graph import Constant
from theano_compat.gof.utils import MethodNotDefined

__all__ = ["Body", "convert", "scalar_body"]

#: What `perform` raises for what there is no C text for.
_NO_TEXT = (MethodNotDefined, NotImplementedError, AttributeError)


class Body:
    """Statements of a loop body (or of a segment) under construction.

    Parameters
    ----------
    builder : Builder
        Gives fresh names.
    """

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.statements: list[Assign] = []
        self.helpers: dict[str, None] = {}
        self._known: dict[tuple[str, str], str] = {}

    def assign(self, dtype: str, expr: str) -> str:
        """Name an expression; an expression that was met before keeps its name."""
        if dtype == "float16":
            expr = f"tc_round16({expr})"
        elif dtype == "bool":
            expr = f"(({expr}) != 0)"
        key = (compute_type(dtype), expr)
        if key not in self._known:
            name = self._known[key] = self.builder.name()
            self.statements.append(Assign(name, key[0], expr))
        return self._known[key]

    def apply(self, op, inputs: Sequence[str], in_dtypes: Sequence[str], out_dtypes: Sequence[str]) -> list[str]:
        """Return the names of the results of a scalar op on names.

        Raises
        ------
        NotLowered
            Where the op has no C text for these dtypes.
        """
        for dtype in (*in_dtypes, *out_dtypes):
            if not is_supported(dtype):
                raise NotLowered(f"dtype {dtype}")
        inner = getattr(op, "fgraph", None)
        if inner is not None and hasattr(inner, "toposort"):
            return self._composite(op, inner, inputs, in_dtypes)
        form = op.c_form() if hasattr(op, "c_form") else None
        if form == "code":
            return self._own_code(op, inputs, in_dtypes, out_dtypes)
        if form is None or len(out_dtypes) != 1:
            raise NotLowered(f"scalar op {op} has no C text")
        try:
            expr = op.c_expr(list(inputs), list(in_dtypes), out_dtypes[0])
            for text in op.c_helpers(list(in_dtypes), out_dtypes[0]):
                self.helpers[text] = None
        except _NO_TEXT as error:
            raise NotLowered(f"scalar op {op} has no C text for {', '.join(in_dtypes)}") from error
        return [self.assign(out_dtypes[0], expr)]

    def _composite(self, op, inner, inputs, in_dtypes) -> list[str]:
        names = {}
        for var, name, dtype in zip(inner.inputs, inputs, in_dtypes):
            names[var] = name if dtype == var.type.dtype else self.assign(var.type.dtype, f"({compute_type(var.type.dtype)}){name}")

        def value(var) -> str:
            if isinstance(var, Constant):
                return literal(var.data, var.type.dtype)
            return names[var]

        for node in inner.toposort():
            found = self.apply(
                node.op,
                [value(v) for v in node.inputs],
                [v.type.dtype for v in node.inputs],
                [v.type.dtype for v in node.outputs],
            )
            names.update(zip(node.outputs, found))
        return [value(v) for v in inner.outputs]

    def _own_code(self, op, inputs, in_dtypes, out_dtypes) -> list[str]:
        """Embed the ``c_code`` of a user's scalar op as a block."""
        from theano_compat.scalar import get_scalar_type

        if "float16" in (*in_dtypes, *out_dtypes):
            raise NotLowered(f"scalar op {op} has C code of its own and float16 operands")
        node = op.make_node(*[get_scalar_type(d)() for d in in_dtypes])
        results = [self.builder.name() for _ in out_dtypes]
        failure = "{ }"
        try:
            name = self.builder.name("_u")
            text = op.c_code(node, name, list(inputs), results, {"fail": failure})
            support = _support_texts(op, node, name)
        except _NO_TEXT as error:
            raise NotLowered(f"scalar op {op} has no C text") from error
        for forbidden in ("Py", "npy_", "std::", "template", "class "):
            if any(forbidden in part for part in (text, *support)):
                raise NotLowered(f"scalar op {op} has C code that needs {forbidden.strip()}")
        self.helpers.update(dict.fromkeys(support))
        for name, dtype in zip(results[1:], out_dtypes[1:]):
            self.statements.append(Assign(name, compute_type(dtype), "", block=True))
        self.statements.append(Assign(results[0], compute_type(out_dtypes[0]), f"{{ {text} }}", block=True))
        return results


def _support_texts(op, node, name: str) -> list[str]:
    """Return what the C code of a user's scalar op relies on: of the op, and of this use of it."""
    texts = []
    for method, arguments in (("c_support_code", ()), ("c_support_code_apply", (node, name))):
        try:
            texts.append(getattr(op, method)(*arguments))
        except _NO_TEXT:
            continue
    return [text for text in texts if text]


def scalar_body(builder: Builder, op, inputs, in_dtypes, out_dtypes) -> tuple[Body, list[str]]:
    """Return the body that applies one scalar op, and the names of its results."""
    body = Body(builder)
    return body, body.apply(op, inputs, in_dtypes, out_dtypes)


def convert(builder: Builder, name: str, source: str, target: str) -> tuple[list[Assign], str]:
    """Return statements and name that turn a value of dtype `source` into `target`, as NumPy casts."""
    from theano_compat.scalar.ctext import cast

    if source == target:
        return [], name
    body = Body(builder)
    value = body.assign(target, cast(name, source, target))
    return body.statements, value
