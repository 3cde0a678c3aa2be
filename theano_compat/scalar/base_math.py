"""Bases that spare the elementary functions their repetition: C text and the frame of the gradient."""
from __future__ import annotations

import math

import numpy as np

from theano_compat import config
from theano_compat.scalar import ctext
from theano_compat.scalar import type as t
from theano_compat.scalar.op import BinaryScalarOp, UnaryScalarOp
from theano_compat.scalar.outputs import upgrade_to_float


def zero_gradients(inputs) -> list:
    """Zeros in floatX, one per input."""
    return [x.zeros_like().astype(config.floatX) for x in inputs]


def float_zeros(x):
    """A zero gradient for `x`: of its own dtype where that is continuous, else floatX."""
    return x.zeros_like(dtype=config.floatX) if x.type in t.discrete_types else x.zeros_like()


def as_float(x) -> float | complex:
    """Give a number that float functions take: integers and bools as float64, the rest unchanged.

    NumPy would compute the function of an int8 in float16.
    """
    if isinstance(x, (np.floating, np.complexfloating, float, complex)):
        return x
    return np.float64(x)


class UnaryMath(UnaryScalarOp):
    """Differentiable function of one number.

    Attributes
    ----------
    c_function : str
        libm's name in double precision; the single-precision and complex names follow from it.
    c_complex : bool
        Whether C99 has the complex function too.
    """

    c_function: str
    c_complex = False

    def impl(self, x):
        """Apply the NumPy function."""
        with np.errstate(all="ignore"):
            return getattr(np, self.nfunc_spec[0])(as_float(x))

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Call libm in the precision of the output."""
        if not self.c_complex:
            ctext.refuse_complex(str(self), *in_dtypes)
        (x,) = ctext.cast_all(inputs, in_dtypes, out_dtype)
        return ctext.call(self.c_function, out_dtype, x)

    def derivative(self, x, z, gz):
        """Give the gradient of `x` from the output `z` and its gradient `gz`."""
        raise NotImplementedError

    def L_op(self, inputs, outputs, gout):
        """Apply `derivative`; zero where the output is discrete."""
        (x,), (gz,) = inputs, gout
        if x.type in t.complex_types:
            raise NotImplementedError()
        if outputs[0].type in t.discrete_types:
            return [float_zeros(x)]
        return [self.derivative(x, outputs[0], gz)]


class BinaryMath(BinaryScalarOp):
    """Differentiable function of two real numbers in libm."""

    c_function: str

    def impl(self, x, y):
        """Apply the NumPy function."""
        with np.errstate(all="ignore"):
            return getattr(np, self.nfunc_spec[0])(as_float(x), as_float(y))

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Call libm in the precision of the output."""
        ctext.refuse_complex(str(self), *in_dtypes)
        return ctext.call(self.c_function, out_dtype, *ctext.cast_all(inputs, in_dtypes, out_dtype))


def in_output_precision(value: float, out) -> np.generic:
    """Give the constant `value` in the dtype of the variable `out`."""
    return np.asarray(value, dtype=out.type.dtype)[()]


LN2 = math.log(2.0)
LN10 = math.log(10.0)

__all__ = [
    "BinaryMath",
    "LN10",
    "LN2",
    "UnaryMath",
    "as_float",
    "float_zeros",
    "in_output_precision",
    "upgrade_to_float",
    "zero_gradients",
]
