"""Comparisons, tests for NaN and infinity, and range tests: all give bool."""
from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat.scalar import ctext
from theano_compat.scalar import type as t
from theano_compat.scalar.op import FixedLogicalComparison, LogicalComparison


class _Comparison(LogicalComparison):
    """Comparison by one of C's operators.

    Attributes
    ----------
    c_operator : str
    """

    identity = False
    commutative = False
    associative = False
    c_operator: str

    def impl(self, x, y):
        """Compare."""
        return getattr(np, self.nfunc_spec[0])(x, y)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Compare by value, whatever the dtypes."""
        (x, y), (x_dtype, y_dtype) = inputs, in_dtypes
        if set(in_dtypes) & set(ctext.COMPLEX):
            if self.c_operator not in ("==", "!="):
                ctext.refuse_complex(str(self), *in_dtypes)
            return f"({x} {self.c_operator} {y})"
        return ctext.compare(self.c_operator, x, y, x_dtype, y_dtype)


class LT(_Comparison):
    """``x < y``."""

    nfunc_spec = ("less", 2, 1)
    c_operator = "<"


class GT(_Comparison):
    """``x > y``."""

    nfunc_spec = ("greater", 2, 1)
    c_operator = ">"


class LE(_Comparison):
    """``x <= y``."""

    nfunc_spec = ("less_equal", 2, 1)
    c_operator = "<="


class GE(_Comparison):
    """``x >= y``."""

    nfunc_spec = ("greater_equal", 2, 1)
    c_operator = ">="


class EQ(_Comparison):
    """``x == y``."""

    nfunc_spec = ("equal", 2, 1)
    commutative = True
    c_operator = "=="


class NEQ(_Comparison):
    """``x != y``."""

    nfunc_spec = ("not_equal", 2, 1)
    commutative = True
    c_operator = "!="


class _FloatTest(FixedLogicalComparison):
    """Test that only floats can pass."""

    def impl(self, x):
        """Test."""
        return getattr(np, self.nfunc_spec[0])(x)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Call C's macro; integers never pass."""
        ((x,), (dtype,)) = inputs, in_dtypes
        if dtype in ctext.DISCRETE:
            return "0"
        name, f = self.nfunc_spec[0], ctext.suffix(dtype)
        if dtype in ctext.COMPLEX:
            return f"({name}(creal{f}({x})) || {name}(cimag{f}({x})))"
        return f"({name}({x}) != 0)"


class IsNan(_FloatTest):
    """Whether the input is no number."""

    nfunc_spec = ("isnan", 1, 1)


class IsInf(_FloatTest):
    """Whether the input is infinite."""

    nfunc_spec = ("isinf", 1, 1)


class InRange(LogicalComparison):
    """Whether ``low < x < high``, the ends included or not.

    Parameters
    ----------
    openlow, openhi : bool
        Whether the lower and the upper end are excluded.
    """

    nin = 3

    def __init__(self, openlow, openhi):
        super().__init__()
        self.openlow = openlow
        self.openhi = openhi

    def __eq__(self, other):
        return super().__eq__(other) and (self.openlow, self.openhi) == (other.openlow, other.openhi)

    def __hash__(self):
        return hash((type(self), self.openlow, self.openhi))

    def __str__(self):
        return f"InRange{{openlow={self.openlow}, openhi={self.openhi}}}"

    def impl(self, x, low, hi):
        """Compare with both ends."""
        above = x > low if self.openlow else x >= low
        below = x < hi if self.openhi else x <= hi
        return bool(above and below)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Compare with both ends."""
        (x, low, high), (dtype, low_dtype, high_dtype) = inputs, in_dtypes
        ctext.refuse_complex("InRange", *in_dtypes)
        above = ctext.compare(">" if self.openlow else ">=", x, low, dtype, low_dtype)
        below = ctext.compare("<" if self.openhi else "<=", x, high, dtype, high_dtype)
        return f"({above} && {below})"

    def get_grad(self, elem):
        """Give a zero for one input.

        Raises
        ------
        NotImplementedError
            The input is complex.
        """
        if elem.type in t.complex_types:
            raise NotImplementedError(f"No gradient implemented for complex numbers in class {type(self)}")
        zero = elem.zeros_like()
        return zero.astype(config.floatX) if elem.type in t.discrete_types else zero

    def L_op(self, inputs, outputs, gout):
        """Zeros."""
        return [self.get_grad(x) for x in inputs]


lt, gt, le, ge, eq, neq = LT(), GT(), LE(), GE(), EQ(), NEQ()
isnan, isinf = IsNan(), IsInf()
inopenrange = InRange(True, True)
inclosedrange = InRange(False, False)
