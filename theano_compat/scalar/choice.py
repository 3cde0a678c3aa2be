"""Extrema, clipping, choice between branches, and the ops that hand an input on."""
from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat.scalar import ctext
from theano_compat.scalar import outputs as rules
from theano_compat.scalar import type as t
from theano_compat.scalar.arithmetic import _is_complex, _is_discrete, _part_for, _promoted, _quiet
from theano_compat.scalar.base_math import zero_gradients
from theano_compat.scalar.op import BinaryScalarOp, ScalarOp, UnaryScalarOp


class _Extremum(BinaryScalarOp):
    """The one of two numbers that a comparison prefers; NaN where either is NaN."""

    commutative = True
    associative = True
    c_operator: str

    def impl(self, *inputs):
        """Choose."""
        return _quiet(getattr(np, self.nfunc_spec[0]), *_promoted(*inputs))

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Write a choice that compilers turn into one instruction."""
        ctext.refuse_complex(str(self), *in_dtypes)
        x, y = ctext.cast_all(inputs, in_dtypes, out_dtype)
        nan = f" || {x} != {x}" if out_dtype in ctext.FLOATS else ""
        return f"(({x} {self.c_operator} {y}{nan}) ? {x} : {y})"

    def L_op(self, inputs, outputs, gout):
        """The gradient for the input that was chosen: the first one where both are equal."""
        from theano_compat.scalar.comparison import eq
        from theano_compat.scalar.variables import constant

        (x, _), (gz,) = inputs, gout
        if _is_complex(gz):
            raise NotImplementedError()
        if _is_discrete(outputs[0]):
            return zero_gradients(inputs)
        first = eq(outputs[0], x)
        one = constant(1, dtype=gz.type.dtype)
        return [first * gz, (one - first) * gz]


class Maximum(_Extremum):
    """The larger number."""

    nfunc_spec = ("maximum", 2, 1)
    c_operator = ">="


class Minimum(_Extremum):
    """The smaller number."""

    nfunc_spec = ("minimum", 2, 1)
    c_operator = "<="


class Clip(ScalarOp):
    """``x`` kept between ``min`` and ``max``; where these cross, ``max`` counts only above ``min``.

    Notes
    -----
    ``min`` if ``x < min``, else ``max`` if ``x > max``, else ``x``.
    """

    nin = 3

    def impl(self, x, min, max):
        """Compare."""
        x, min, max = _promoted(x, min, max)
        return min if x < min else max if x > max else x

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Write two choices."""
        ctext.refuse_complex("clip", *in_dtypes)
        x, low, high = ctext.cast_all(inputs, in_dtypes, out_dtype)
        return f"({x} < {low} ? {low} : {x} > {high} ? {high} : {x})"

    def L_op(self, inputs, outputs, gout):
        """The gradient for whichever input came out."""
        from theano_compat.scalar.comparison import ge, gt, le, lt

        (x, low, high), (gz,) = inputs, gout
        if _is_complex(gz):
            raise NotImplementedError()
        inside = ge(x, low) & le(x, high)
        found = [inside * gz, lt(x, low) * gz, gt(x, high) * gz]
        if _is_discrete(outputs[0]):
            return [g.zeros_like(dtype=config.floatX) for g in found]
        return found


class Second(BinaryScalarOp):
    """The second input. On tensors it fills the shape of the first, hence its other name, fill."""

    def impl(self, x, y):
        """Give `y`."""
        return y

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Give `y`."""
        return ctext.cast(inputs[1], in_dtypes[1], out_dtype)

    def connection_pattern(self, node):
        """The first input's values do not matter."""
        return [[False], [True]]

    def grad(self, inputs, gout):
        """Nothing for the first, the gradient for the second."""
        from theano_compat.gradient import DisconnectedType

        (_, y), (gz,) = inputs, gout
        if y.type in t.continuous_types:
            return [DisconnectedType()(), gz]
        return [DisconnectedType()(), y.zeros_like()]


class Identity(UnaryScalarOp):
    """The input itself."""

    def impl(self, input):
        """Give it back."""
        return input

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Give it back."""
        return ctext.cast(inputs[0], in_dtypes[0], out_dtype)

    def grad(self, inputs, gout):
        """The gradient itself."""
        (x,), (gz,) = inputs, gout
        return [gz] if x.type in t.continuous_types else [x.zeros_like(dtype=config.floatX)]


class Switch(ScalarOp):
    """``ift`` where ``cond`` is not zero, else ``iff``."""

    nin = 3
    nfunc_spec = ("where", 3, 1)

    def output_types(self, types):
        """The common type of the two branches."""
        (_, ift, iff) = types
        return rules.upcast_out(ift, iff)

    def impl(self, cond, ift, iff):
        """Choose."""
        return ift if cond else iff

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Write a choice."""
        branches = ctext.cast_all(inputs[1:], in_dtypes[1:], out_dtype)
        return f"({inputs[0]} != 0 ? {branches[0]} : {branches[1]})"

    def L_op(self, inputs, outputs, gout):
        """The gradient for the branch taken, zero for the other; the condition is a step."""
        (cond, ift, iff), (gz,) = inputs, gout
        if _is_discrete(outputs[0]):
            first = ift.zeros_like(config.floatX)
            second = iff.zeros_like(config.floatX)
        else:
            first = _part_for(ift, switch(cond, gz, 0.0))
            second = _part_for(iff, switch(cond, 0.0, gz))
        return [cond.zeros_like().astype(config.floatX), first, second]


maximum = Maximum(rules.upcast_out, name="maximum")
minimum = Minimum(rules.upcast_out, name="minimum")
clip = Clip(rules.upcast_out_no_complex, name="clip")
second = Second(rules.transfer_type(1), name="second")
identity = Identity(rules.same_out, name="identity")
switch = Switch()
