"""Bitwise operations on integers, which are the logical ones on bools."""
from __future__ import annotations

import numpy as np

from theano_compat.scalar import ctext
from theano_compat.scalar.op import BinaryBitOp, UnaryBitOp


class _Bitwise(BinaryBitOp):
    """Bitwise operation by one of C's operators."""

    commutative = True
    associative = True
    c_operator: str

    def impl(self, x, y):
        """Combine the bits."""
        return getattr(np, self.nfunc_spec[0])(x, y)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Join by the operator."""
        if out_dtype not in ctext.DISCRETE:
            # int64 with uint64: no integer type holds both
            raise ctext.MethodNotDefined(f"{self} in C for {in_dtypes}")
        x, y = ctext.cast_all(inputs, in_dtypes, out_dtype)
        return f"(({ctext.ctype(out_dtype)})({x} {self.c_operator} {y}))"


class OR(_Bitwise):
    """Bitwise or."""

    identity = 0
    nfunc_spec = ("bitwise_or", 2, 1)
    c_operator = "|"


class XOR(_Bitwise):
    """Bitwise exclusive or."""

    identity = 0
    nfunc_spec = ("bitwise_xor", 2, 1)
    c_operator = "^"


class AND(_Bitwise):
    """Bitwise and."""

    identity = -1
    nfunc_spec = ("bitwise_and", 2, 1)
    c_operator = "&"


class Invert(UnaryBitOp):
    """Bitwise complement; of a bool, its negation."""

    nfunc_spec = ("invert", 1, 1)

    def impl(self, x):
        """Flip the bits."""
        return np.invert(np.asarray(x)[()])

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Write ``~`` or ``!``."""
        if out_dtype == "bool":
            return f"(!{inputs[0]})"
        return f"(({ctext.ctype(out_dtype)})~{inputs[0]})"


or_, xor, and_, invert = OR(), XOR(), AND(), Invert()
