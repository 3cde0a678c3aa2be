"""`SymPyCCode`: a scalar op from a SymPy expression. Needs SymPy, which is not a dependency."""
from __future__ import annotations

import itertools
from importlib.util import find_spec

from theano_compat.scalar.basic import Apply, ScalarOp, float32, float64, int64
from theano_compat.scalar.variables import as_scalar

imported_sympy = find_spec("sympy") is not None

names = (f"sympy_func_{i}" for i in itertools.count())


def include_line(line):
    """Tell whether a line of C text is an include directive."""
    return "#include" in line


def sympy_dtype(expr):
    """Name the dtype of a SymPy expression: int64 for whole ones, else float64."""
    return "int64" if expr.is_integer else "float64"


def theano_dtype(expr):
    """Give the scalar type of a SymPy expression."""
    return {"int64": int64, "float32": float32, "float64": float64}[sympy_dtype(expr)]


class SymPyCCode(ScalarOp):
    """Scalar op that computes a SymPy expression.

    Parameters
    ----------
    inputs : sequence of sympy.Symbol
        The arguments, in order.
    expr : sympy.Expr
    name : str, optional

    Examples
    --------
    ``SymPyCCode([x, y], x + sympy.sin(y))`` is an op of two inputs; apply it to tensors through `Elemwise`.
    """

    def __init__(self, inputs, expr, name=None):
        if not imported_sympy:
            raise ImportError("SymPyCCode needs SymPy: pip install sympy")
        self.nin, self.nout = len(inputs), 1
        self.inputs = tuple(inputs)
        self.expr = expr
        super().__init__(self.output_types_preference, name or next(names))

    def output_types_preference(self, *inputs):
        """The type of the expression."""
        return [theano_dtype(self.expr)]

    def __eq__(self, other):
        return type(self) is type(other) and (self.inputs, self.expr) == (other.inputs, other.expr)

    def __hash__(self):
        return hash((type(self), self.inputs, self.expr))

    def make_node(self, *inputs):
        """Apply the op to scalar variables or numbers."""
        inputs = [as_scalar(x) for x in inputs]
        if len(inputs) != self.nin:
            raise TypeError(f"{self} takes {self.nin} inputs, got {len(inputs)}")
        return Apply(self, inputs, [theano_dtype(self.expr)()])

    def impl(self, *inputs):
        """Evaluate with the function that SymPy makes of the expression."""
        import sympy

        return sympy.lambdify(self.inputs, self.expr, modules="math")(*inputs)

    def perform(self, node, inputs, output_storage):
        """Evaluate for one set of numbers."""
        ScalarOp.perform(self, node, inputs, output_storage)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Let SymPy write the expression in C99."""
        import sympy
        from sympy.printing.c import C99CodePrinter

        texts = dict(zip(self.inputs, inputs))

        class Printer(C99CodePrinter):
            def _print_Symbol(self, expr):
                return texts[expr]

        return f"({Printer().doprint(sympy.sympify(self.expr))})"

    def grad(self, inputs, output_grads):
        """Differentiate the expression with SymPy; each derivative is an op of this kind."""
        (gz,) = output_grads
        return [gz * SymPyCCode(self.inputs, self.expr.diff(symbol))(*inputs) for symbol in self.inputs]

    def c_headers(self):
        """Name the headers."""
        return ["<math.h>"]

    def c_support_code(self):
        """Nothing is needed before the functions."""
        return ""
