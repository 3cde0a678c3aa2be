"""Sums, products, quotients, powers, signs.

Integers wrap around, divide towards minus infinity and give 0 when divided by zero, as in NumPy, in Python and in C alike.
"""
from __future__ import annotations

from functools import reduce

import numpy as np

from theano_compat import config
from theano_compat.scalar import ctext
from theano_compat.scalar import outputs as rules
from theano_compat.scalar import type as t
from theano_compat.scalar.base_math import UnaryMath, as_float, float_zeros, zero_gradients
from theano_compat.scalar.c_helpers import (
    COMPLEX_POW,
    FLOAT_FLOOR_DIV,
    FLOAT_MOD,
    INT_FLOOR_DIV,
    INT_MOD,
    INT_POW,
    helper_for,
)
from theano_compat.scalar.op import BinaryScalarOp, ComplexError, IntegerDivisionError, ScalarOp, UnaryScalarOp


def _is_complex(variable) -> bool:
    return variable.type in t.complex_types


def _is_discrete(variable) -> bool:
    return variable.type in t.discrete_types


def _part_for(x, gradient):
    """Give the gradient that a real or complex `x` takes from one that may be complex."""
    from theano_compat.scalar.complex_ops import real

    return real(gradient) if _is_complex(gradient) and not _is_complex(x) else gradient


def _quiet(function, *args):
    """Call `function` of NumPy scalars without floating-point warnings."""
    with np.errstate(all="ignore"):
        return function(*args)


def _promoted(*numbers):
    """Give the numbers as NumPy scalars of their common dtype, as Theano promotes them."""
    arrays = [np.asarray(x) for x in numbers]
    dtype = arrays[0].dtype
    for array in arrays[1:]:
        dtype = np.promote_types(dtype, array.dtype)
    return [array.astype(dtype)[()] for array in arrays]


class Add(ScalarOp):
    """Sum of any number of inputs; for bools, logical or."""

    identity = 0
    commutative = True
    associative = True
    nfunc_spec = ("add", 2, 1)

    def impl(self, *inputs):
        """Add up."""
        return _quiet(lambda: reduce(np.add, _promoted(*inputs)))

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Join by ``+``."""
        if out_dtype == "bool":
            return f"({' || '.join(inputs)})"
        return ctext.chain("+", inputs, in_dtypes, out_dtype)

    def L_op(self, inputs, outputs, gout):
        """Hand the gradient to every input."""
        (gz,) = gout
        if _is_discrete(outputs[0]):
            return zero_gradients(inputs)
        return [_part_for(x, gz) for x in inputs]


class Mul(ScalarOp):
    """Product of any number of inputs; for bools, logical and."""

    identity = 1
    commutative = True
    associative = True
    nfunc_spec = ("multiply", 2, 1)

    def impl(self, *inputs):
        """Multiply up."""
        return _quiet(lambda: reduce(np.multiply, _promoted(*inputs)))

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Join by ``*``."""
        if out_dtype == "bool":
            return f"({' && '.join(inputs)})"
        return ctext.chain("*", inputs, in_dtypes, out_dtype)

    def grad(self, inputs, gout):
        """The gradient times the other inputs; times their conjugates where anything is complex."""
        (gz,) = gout
        output_type = self.output_types([x.type for x in inputs])[0]
        if output_type in t.discrete_types:
            return zero_gradients(inputs)
        if output_type in t.complex_types:
            return [self._complex_gradient(inputs, i, gz) for i in range(len(inputs))]
        if len(inputs) == 1:
            return [gz]
        return [mul(gz, *(inputs[:i] + inputs[i + 1 :])) for i in range(len(inputs))]

    def _complex_gradient(self, inputs, i, gz):
        from theano_compat.scalar.complex_ops import complex, imag, real

        others = inputs[:i] + inputs[i + 1 :]
        if not others:
            return gz
        product = mul(*others)
        real_part = real(product) * real(gz) + imag(product) * imag(gz)
        if not _is_complex(inputs[i]):
            return real_part
        return complex(real_part, real(product) * imag(gz) - imag(product) * real(gz))


class Sub(BinaryScalarOp):
    """Difference."""

    nfunc_spec = ("subtract", 2, 1)

    def impl(self, x, y):
        """Subtract."""
        return _quiet(np.subtract, *_promoted(x, y))

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Join by ``-``."""
        return ctext.chain("-", inputs, in_dtypes, out_dtype)

    def L_op(self, inputs, outputs, gout):
        """The gradient, and its negative."""
        (x, y), (gz,) = inputs, gout
        if _is_discrete(outputs[0]):
            return zero_gradients(inputs)
        return [_part_for(x, gz), _part_for(y, -gz)]


class TrueDiv(BinaryScalarOp):
    """Quotient; of two integers, in floatX."""

    nfunc_spec = ("true_divide", 2, 1)

    def output_types(self, types):
        """floatX for integers alone, else as the op was told."""
        if all(type_ in t.discrete_types for type_ in types):
            return [t.get_scalar_type(config.floatX)]
        return super().output_types(types)

    def impl(self, x, y):
        """Divide."""
        x, y = _promoted(x, y)
        return _quiet(np.true_divide, as_float(x), as_float(y))

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Join by ``/`` in the precision of the output."""
        return ctext.chain("/", inputs, in_dtypes, out_dtype)

    def grad(self, inputs, gout):
        """``1 / y`` and ``-x / y**2``."""
        (x, y), (gz,) = inputs, gout
        if _is_complex(x) or _is_complex(y) or _is_complex(gz):
            raise NotImplementedError()
        if self.output_types([x.type, y.type])[0] in t.discrete_types:
            return [float_zeros(x), float_zeros(y)]
        return [gz / y, -(gz * x) / (y * y)]


def int_or_true_div(x_discrete, y_discrete):
    """Choose the op for ``x / y``, from whether its operands are integers.

    Parameters
    ----------
    x_discrete, y_discrete : bool

    Returns
    -------
    ScalarOp
        `true_div`, or for two integers what ``config.int_division`` says.

    Raises
    ------
    IntegerDivisionError
        Two integers, and the configuration forbids it.
    """
    if not (x_discrete and y_discrete):
        return true_div
    if config.int_division == "raise":
        raise IntegerDivisionError(
            "With `config.int_division` set to 'raise', dividing two integer types with '/' is forbidden "
            "to avoid confusion between integer and floating point divisions. Please use // for integer "
            "division, or if you want a float result either cast one of the arguments to a float or "
            "directly call `x.__truediv__(y)`."
        )
    if config.int_division == "int":
        import warnings

        warnings.warn(
            "Division of two integer types with x / y is deprecated, "
            "please use x // y for an integer division.",
            DeprecationWarning,
            stacklevel=4,
        )
        return int_div
    return true_div


def div_proxy(x, y):
    """Divide as ``x / y`` does: see `int_or_true_div`."""
    from theano_compat.scalar.variables import as_scalar

    x, y = as_scalar(x), as_scalar(y)
    return int_or_true_div(_is_discrete(x), _is_discrete(y))(x, y)


class IntDiv(BinaryScalarOp):
    """Quotient rounded towards minus infinity."""

    nfunc_spec = ("floor_divide", 2, 1)
    complex_error = ComplexError(
        "Theano does not support integer division (//) on complex numbers, since numpy deprecated it."
    )

    def impl(self, x, y):
        """Divide and round down; 0 where an integer is divided by 0."""
        return _quiet(np.floor_divide, *_promoted(x, y))

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Call the helper of the dtype."""
        ctext.refuse_complex("int_div", *in_dtypes)
        if out_dtype == "bool":
            return f"({inputs[0]} && {inputs[1]})"
        common = ctext.upcast(*in_dtypes, out_dtype)
        if common != out_dtype:  # in place: the result is narrower than what it is computed in
            return ctext.cast(self.c_expr(inputs, in_dtypes, common), common, out_dtype)
        x, y = ctext.cast_all(inputs, in_dtypes, out_dtype)
        if ctext.is_unsigned(out_dtype):
            return f"({y} ? ({ctext.ctype(out_dtype)})({x} / {y}) : 0)"
        return helper_for(INT_FLOOR_DIV, FLOAT_FLOOR_DIV, out_dtype).call(x, y)

    def c_helpers(self, in_dtypes, out_dtype):
        """Floor division by dtype."""
        return helper_for(INT_FLOOR_DIV, FLOAT_FLOOR_DIV, ctext.upcast(*in_dtypes, out_dtype)).texts

    def grad(self, inputs, g_output):
        """Zeros: the result is a staircase."""
        return [x.zeros_like(dtype=config.floatX) for x in inputs]


class Mod(BinaryScalarOp):
    """Remainder with the sign of the divisor."""

    nfunc_spec = ("mod", 2, 1)
    complex_error = ComplexError(
        "Theano does not support the mod operator (%) on complex numbers, since numpy deprecated it."
    )

    def impl(self, x, y):
        """Give the remainder; 0 where an integer is divided by 0."""
        if isinstance(x, (complex, np.complexfloating)) or isinstance(y, (complex, np.complexfloating)):
            raise self.complex_error
        x, y = _promoted(x, y)
        if isinstance(x, np.bool_):
            return np.False_
        return _quiet(np.mod, x, y)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Call the helper of the dtype."""
        ctext.refuse_complex("mod", *in_dtypes)
        if out_dtype == "bool":
            return "0"
        common = ctext.upcast(*in_dtypes, out_dtype)
        if common != out_dtype:  # in place: the result is narrower than what it is computed in
            return ctext.cast(self.c_expr(inputs, in_dtypes, common), common, out_dtype)
        x, y = ctext.cast_all(inputs, in_dtypes, out_dtype)
        if ctext.is_unsigned(out_dtype):
            return f"({y} ? ({ctext.ctype(out_dtype)})({x} % {y}) : 0)"
        return helper_for(INT_MOD, FLOAT_MOD, out_dtype).call(x, y)

    def c_helpers(self, in_dtypes, out_dtype):
        """Remainder by dtype."""
        return helper_for(INT_MOD, FLOAT_MOD, ctext.upcast(*in_dtypes, out_dtype)).texts

    def L_op(self, inputs, outputs, gout):
        """The gradient, and minus the whole quotient times it."""
        (x, y), (gz,) = inputs, gout
        if _is_discrete(outputs[0]):
            return [x.zeros_like(dtype=config.floatX) for x in inputs]
        return [gz, -(x // y) * gz]


def mod_check(x, y):
    """Apply `mod`, refusing complex numbers.

    Raises
    ------
    ComplexError
        One of the operands is complex.
    """
    from theano_compat.scalar.variables import as_scalar

    if _is_complex(as_scalar(x)) or _is_complex(as_scalar(y)):
        raise Mod.complex_error
    return mod(x, y)


class Pow(BinaryScalarOp):
    """Power.

    Notes
    -----
    An integer to a negative integer is the true value cut to an integer: 0, except for bases 1 and -1.
    """

    nfunc_spec = ("power", 2, 1)

    def impl(self, x, y):
        """Raise to the power."""
        x, y = _promoted(x, y)
        if isinstance(x, np.bool_):
            x, y = np.int8(x), np.int8(y)
        if isinstance(y, np.signedinteger) and y < 0:
            magnitude = type(x)(1 if abs(int(x)) == 1 else 0)
            return -magnitude if x < 0 and y % 2 else magnitude
        return _quiet(np.power, x, y)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Call libm, or for integers a helper that squares and multiplies."""
        x, y = ctext.cast_all(inputs, in_dtypes, out_dtype)
        own = INT_POW.get(out_dtype) or COMPLEX_POW.get(out_dtype)
        return own.call(x, y) if own else ctext.call("pow", out_dtype, x, y)

    def c_helpers(self, in_dtypes, out_dtype):
        """Integer and complex powers by dtype."""
        return helper_for(INT_POW, COMPLEX_POW, out_dtype).texts

    def L_op(self, inputs, outputs, gout):
        """``y x**(y-1)`` and ``log(x) x**y``, the latter 0 at ``x = 0``."""
        from theano_compat.scalar.choice import switch
        from theano_compat.scalar.transcendental import log

        (x, y), (gz,) = inputs, gout
        if _is_complex(gz):
            raise NotImplementedError()
        if _is_discrete(outputs[0]):
            return zero_gradients(inputs)
        below = y - np.int8(1) if y.type != t.bool else y.astype("int8") - np.int8(1)
        return [gz * y * x**below, switch(_eq(x, 0), 0, gz * log(x) * x**y)]


def _eq(x, y):
    from theano_compat.scalar.comparison import eq

    return eq(x, y)


class Neg(UnaryScalarOp):
    """Negative."""

    nfunc_spec = ("negative", 1, 1)

    def impl(self, x):
        """Negate."""
        return _quiet(np.negative, np.asarray(x)[()])

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Write ``-x``; integers wrap around."""
        (x,) = ctext.cast_all(inputs, in_dtypes, out_dtype)
        if out_dtype in ctext.DISCRETE:
            return f"(({ctext.ctype(out_dtype)})(0 - ({ctext.WRAPPING[out_dtype]}){x}))"
        return f"(-{x})"

    def L_op(self, inputs, outputs, gout):
        """The negative gradient."""
        if _is_discrete(outputs[0]):
            return [float_zeros(inputs[0])]
        return [-gout[0]]


class Inv(UnaryMath):
    """``1 / x``; also named reciprocal."""

    def impl(self, x):
        """Divide 1 by `x`."""
        x = as_float(x)
        return _quiet(lambda: type(x)(1) / x if isinstance(x, np.generic) else np.true_divide(1.0, x))

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Write the division in the precision of the output."""
        (x,) = ctext.cast_all(inputs, in_dtypes, out_dtype)
        return f"({ctext.literal(1, out_dtype) if out_dtype in ctext.FLOATS else '1'} / {x})"

    def derivative(self, x, z, gz):
        """``-1 / x**2``."""
        return -gz / (x * x)


class Sqr(UnaryScalarOp):
    """Square."""

    nfunc_spec = ("square", 1, 1)

    def impl(self, x):
        """Multiply by itself."""
        x = np.asarray(x)[()]
        return x if isinstance(x, np.bool_) else _quiet(np.square, x)

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Multiply by itself."""
        if out_dtype == "bool":
            return inputs[0]
        return ctext.chain("*", list(inputs) * 2, list(in_dtypes) * 2, out_dtype)

    def L_op(self, inputs, outputs, gout):
        """``2 x``."""
        (x,), (gz,) = inputs, gout
        if _is_complex(gz):
            raise NotImplementedError()
        if _is_discrete(outputs[0]):
            return [float_zeros(x)]
        return [gz * x * 2]


class Abs(UnaryScalarOp):
    """Absolute value."""

    nfunc_spec = ("abs", 1, 1)

    def make_node(self, x):
        """Give the input's real type."""
        from theano_compat.gof import Apply
        from theano_compat.scalar.variables import as_scalar

        x = as_scalar(x)
        rule = getattr(self, "output_types_preference", None)
        (type_,) = rules.real_out(x.type) if rule in (None, rules.same_out) else rule(x.type)
        return Apply(self, [x], [type_()])

    def impl(self, x):
        """Drop the sign."""
        return _quiet(np.abs, np.asarray(x)[()])

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Write it by dtype."""
        ((x,), (dtype,)) = inputs, in_dtypes
        if ctext.is_unsigned(dtype):
            return x
        if dtype in ctext.DISCRETE:
            ctype, wide = ctext.ctype(dtype), ctext.WRAPPING[dtype]
            return f"({x} < 0 ? ({ctype})(0 - ({wide}){x}) : {x})"
        return ctext.call("abs" if dtype in ctext.COMPLEX else "fabs", dtype, x)

    def L_op(self, inputs, outputs, gout):
        """The sign; ``x / abs(x)`` for complex numbers."""
        (x,), (gz,) = inputs, gout
        if _is_discrete(outputs[0]):
            return [float_zeros(x)]
        if x.type in t.float_types:
            return [gz * sgn(x)]
        return [gz * x / outputs[0]]


class Sgn(UnaryScalarOp):
    """Sign: -1, 0 or 1, and NaN for NaN."""

    nfunc_spec = ("sign", 1, 1)

    @staticmethod
    def output_types_preference(x):
        """The input's type, refusing bool and complex."""
        if x == t.bool:
            raise TypeError(x)
        return rules.same_out_nocomplex(x)

    def impl(self, x):
        """Give the sign."""
        return np.sign(np.asarray(x)[()])

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Compare with zero."""
        ((x,), (dtype,)) = inputs, in_dtypes
        ctext.refuse_complex("sgn", dtype)
        ctype = ctext.ctype(out_dtype)
        sign = f"({ctype})(({x} > 0) - ({x} < 0))"
        return f"({x} != {x} ? {x} : {sign})" if dtype in ctext.FLOATS else f"({sign})"

    def grad(self, inputs, gout):
        """Zero."""
        return [inputs[0].zeros_like()]


add = Add(rules.upcast_out, name="add")
mul = Mul(rules.upcast_out, name="mul")
sub = Sub(rules.upcast_out_nobool, name="sub")
true_div = TrueDiv(rules.upcast_out, name="true_div")
int_div = IntDiv(rules.upcast_out, name="int_div")
floor_div = int_div
mod = Mod(rules.upcast_out, name="mod")
pow = Pow(rules.upcast_out_min8, name="pow")
neg = Neg(rules.same_out_nobool, name="neg")
inv = Inv(rules.upgrade_to_float, name="inv")
sqr = Sqr(rules.same_out, name="sqr")
abs_ = Abs(rules.same_out)
sgn = Sgn(name="sgn")
