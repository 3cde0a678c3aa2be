"""``x * log(x)`` and ``x * log(y)`` with the value 0 where `x` is 0."""

from __future__ import annotations

import numpy as np

from theano_compat import scalar
from theano_compat.gof.utils import MethodNotDefined
from theano_compat.tensor.elemwise import Elemwise


def _real(dtypes):
    if any(dtype.startswith("complex") for dtype in dtypes):
        raise MethodNotDefined("no C for complex arguments")


class XlogX(scalar.UnaryScalarOp):
    """``x * log(x)``, 0 at 0."""

    @staticmethod
    def st_impl(x):
        """Return the value for one number."""
        return 0.0 if x == 0.0 else x * np.log(x)

    def impl(self, x):
        """Return the value for one number."""
        return XlogX.st_impl(x)

    def grad(self, inputs, grads):
        """The derivative is ``log(x) + 1``."""
        (x,), (gz,) = inputs, grads
        return [gz * (1 + scalar.log(x))]

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Return the value as a C expression."""
        _real(in_dtypes)
        (x,) = inputs
        f = "f" if out_dtype == "float32" else ""
        return f"(({x}) == 0 ? 0 : ({x}) * log{f}({x}))"


class XlogY0(scalar.BinaryScalarOp):
    """``x * log(y)``, 0 where x is 0."""

    @staticmethod
    def st_impl(x, y):
        """Return the value for two numbers."""
        return 0.0 if x == 0.0 else x * np.log(y)

    def impl(self, x, y):
        """Return the value for two numbers."""
        return XlogY0.st_impl(x, y)

    def grad(self, inputs, grads):
        """The derivatives are ``log(y)`` and ``x / y``."""
        (x, y), (gz,) = inputs, grads
        return [gz * scalar.log(y), gz * x / y]

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Return the value as a C expression."""
        _real(in_dtypes)
        x, y = inputs
        f = "f" if out_dtype == "float32" else ""
        return f"(({x}) == 0 ? 0 : ({x}) * log{f}({y}))"


scalar_xlogx = XlogX(scalar.upgrade_to_float, name="scalar_xlogx")
xlogx = Elemwise(scalar_xlogx, name="xlogx")
scalar_xlogy0 = XlogY0(scalar.upgrade_to_float, name="scalar_xlogy0")
xlogy0 = Elemwise(scalar_xlogy0, name="xlogy0")
