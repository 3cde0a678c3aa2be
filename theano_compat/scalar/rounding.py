"""Rounding to whole numbers. The gradients are zero: all are staircases."""
from __future__ import annotations

import math

import numpy as np

from theano_compat import config
from theano_compat.scalar import ctext
from theano_compat.scalar import outputs as rules
from theano_compat.scalar import type as t
from theano_compat.scalar.base_math import as_float
from theano_compat.scalar.op import UnaryScalarOp


class _Rounding(UnaryScalarOp):
    """Rounding by a function of NumPy and of libm."""

    c_function: str

    def impl(self, x):
        """Round."""
        return getattr(np, self.nfunc_spec[0])(as_float(x))

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Call libm."""
        ctext.refuse_complex(str(self), *in_dtypes)
        (x,) = ctext.cast_all(inputs, in_dtypes, out_dtype)
        return ctext.call(self.c_function, out_dtype, x)

    def grad(self, inputs, gout):
        """Zero, in the input's dtype where that has a gradient."""
        zero = inputs[0].zeros_like()
        return [zero.astype(config.floatX) if zero.type in t.discrete_types else zero]


class Ceil(_Rounding):
    """Smallest whole number that is not below."""

    nfunc_spec = ("ceil", 1, 1)
    c_function = "ceil"


class Floor(_Rounding):
    """Largest whole number that is not above."""

    nfunc_spec = ("floor", 1, 1)
    c_function = "floor"


class Trunc(_Rounding):
    """The whole part."""

    nfunc_spec = ("trunc", 1, 1)
    c_function = "trunc"

    def grad(self, inputs, gout):
        """Zero, in floatX."""
        return [inputs[0].zeros_like().astype(config.floatX)]


class RoundHalfToEven(_Rounding):
    """Nearest whole number; of two equally near, the even one."""

    nfunc_spec = ("around", 1, 1)
    c_function = "rint"


def round_half_away_from_zero_(a):
    """Round one number; a half goes away from zero."""
    return math.floor(a + 0.5) if a > 0 else math.ceil(a - 0.5)


def round_half_away_from_zero_vec(a):
    """Round an array; halves go away from zero.

    Parameters
    ----------
    a : array_like of float

    Returns
    -------
    numpy.ndarray
        Same shape and dtype.
    """
    a = np.asarray(a)
    whole = np.trunc(a)
    return np.where(np.abs(a - whole) >= 0.5, whole + np.copysign(a.dtype.type(1), a), whole)


class RoundHalfAwayFromZero(_Rounding):
    """Nearest whole number; of two equally near, the one away from zero."""

    nfunc_spec = None
    c_function = "round"

    def impl(self, x):
        """Round."""
        return round_half_away_from_zero_vec(as_float(x))[()]


ceil = Ceil(rules.upgrade_to_float_no_complex, name="ceil")
floor = Floor(rules.upgrade_to_float_no_complex, name="floor")
trunc = Trunc(rules.upgrade_to_float_no_complex, name="trunc")
round_half_to_even = RoundHalfToEven(rules.same_out_float_only)
round_half_away_from_zero = RoundHalfAwayFromZero(rules.same_out_float_only)
