"""Exponentials, logarithms, roots, trigonometric and hyperbolic functions.

Each class is one row: NumPy's name, C's name, the derivative. Derivatives apply the function anew instead of taking
the output at hand: the two are merged, and the graph prints as Theano's does.
"""
from __future__ import annotations

import numpy as np

from theano_compat.scalar import arithmetic as a
from theano_compat.scalar import ctext
from theano_compat.scalar import type as t
from theano_compat.scalar.base_math import (
    LN2,
    LN10,
    BinaryMath,
    UnaryMath,
    as_float,
    float_zeros,
    in_output_precision,
)
from theano_compat.scalar.outputs import upgrade_to_float


class Exp(UnaryMath):
    """Exponential function."""

    nfunc_spec = ("exp", 1, 1)
    c_function = "exp"
    c_complex = True

    def derivative(self, x, z, gz):
        """``exp(x)``."""
        return gz * exp(x)


class Exp2(UnaryMath):
    """Power of two."""

    nfunc_spec = ("exp2", 1, 1)
    c_function = "exp2"

    def derivative(self, x, z, gz):
        """``2**x log(2)``."""
        return gz * exp2(x) * log(in_output_precision(2, z))


class Expm1(UnaryMath):
    """``exp(x) - 1``, accurate near zero."""

    nfunc_spec = ("expm1", 1, 1)
    c_function = "expm1"

    def derivative(self, x, z, gz):
        """``exp(x)``."""
        return gz * exp(x)


class Log(UnaryMath):
    """Natural logarithm."""

    nfunc_spec = ("log", 1, 1)
    c_function = "log"
    c_complex = True

    def derivative(self, x, z, gz):
        """``1 / x``."""
        return gz / x


class Log2(UnaryMath):
    """Logarithm to the base 2."""

    nfunc_spec = ("log2", 1, 1)
    c_function = "log2"

    def derivative(self, x, z, gz):
        """``1 / (x log(2))``."""
        return gz / (x * in_output_precision(LN2, z))


class Log10(UnaryMath):
    """Logarithm to the base 10."""

    nfunc_spec = ("log10", 1, 1)
    c_function = "log10"

    def derivative(self, x, z, gz):
        """``1 / (x log(10))``."""
        return gz / (x * in_output_precision(LN10, z))


class Log1p(UnaryMath):
    """``log(1 + x)``, accurate near zero."""

    nfunc_spec = ("log1p", 1, 1)
    c_function = "log1p"

    def derivative(self, x, z, gz):
        """``1 / (1 + x)``."""
        return gz / (1 + x)


class Sqrt(UnaryMath):
    """Square root."""

    nfunc_spec = ("sqrt", 1, 1)
    c_function = "sqrt"
    c_complex = True

    def derivative(self, x, z, gz):
        """``1 / (2 sqrt(x))``."""
        return (gz * 0.5) / sqrt(x)


class Deg2Rad(UnaryMath):
    """Degrees to radians."""

    nfunc_spec = ("deg2rad", 1, 1)
    factor = np.pi / 180.0

    def c_expr(self, inputs, in_dtypes, out_dtype):
        """Multiply by the factor."""
        ctext.refuse_complex(str(self), *in_dtypes)
        (x,) = ctext.cast_all(inputs, in_dtypes, out_dtype)
        return f"({x} * {ctext.literal(np.asarray(self.factor, out_dtype), out_dtype)})"

    def derivative(self, x, z, gz):
        """The factor."""
        return gz * in_output_precision(self.factor, z)


class Rad2Deg(Deg2Rad):
    """Radians to degrees."""

    nfunc_spec = ("rad2deg", 1, 1)
    factor = 180.0 / np.pi


class Cos(UnaryMath):
    """Cosine."""

    nfunc_spec = ("cos", 1, 1)
    c_function = "cos"
    c_complex = True

    def derivative(self, x, z, gz):
        """``-sin(x)``."""
        return -gz * sin(x)


class Sin(UnaryMath):
    """Sine."""

    nfunc_spec = ("sin", 1, 1)
    c_function = "sin"
    c_complex = True

    def derivative(self, x, z, gz):
        """``cos(x)``."""
        return gz * cos(x)


class Tan(UnaryMath):
    """Tangent."""

    nfunc_spec = ("tan", 1, 1)
    c_function = "tan"
    c_complex = True

    def derivative(self, x, z, gz):
        """``1 / cos(x)**2``."""
        return gz / a.sqr(cos(x))


class ArcCos(UnaryMath):
    """Inverse cosine."""

    nfunc_spec = ("arccos", 1, 1)
    c_function = "acos"
    c_complex = True

    def derivative(self, x, z, gz):
        """``-1 / sqrt(1 - x**2)``."""
        return -gz / sqrt(one(x) - a.sqr(x))


class ArcSin(UnaryMath):
    """Inverse sine."""

    nfunc_spec = ("arcsin", 1, 1)
    c_function = "asin"
    c_complex = True

    def derivative(self, x, z, gz):
        """``1 / sqrt(1 - x**2)``."""
        return gz / sqrt(one(x) - a.sqr(x))


class ArcTan(UnaryMath):
    """Inverse tangent."""

    nfunc_spec = ("arctan", 1, 1)
    c_function = "atan"
    c_complex = True

    def derivative(self, x, z, gz):
        """``1 / (1 + x**2)``."""
        return gz / (one(x) + a.sqr(x))


class ArcTan2(BinaryMath):
    """Angle of the point ``(x, y)``, given as ``arctan2(y, x)``."""

    nfunc_spec = ("arctan2", 2, 1)
    c_function = "atan2"

    def impl(self, y, x):
        """Apply NumPy's arctan2."""
        with np.errstate(all="ignore"):
            return np.arctan2(as_float(y), as_float(x))

    def L_op(self, inputs, outputs, gout):
        """``x / r**2`` and ``-y / r**2``."""
        (y, x), (gz,) = inputs, gout
        if gz.type in t.complex_types:
            raise NotImplementedError()
        if outputs[0].type in t.discrete_types:
            return [float_zeros(v) for v in inputs]
        square = a.sqr(x) + a.sqr(y)
        return [gz * x / square, gz * -y / square]


class Cosh(UnaryMath):
    """Hyperbolic cosine."""

    nfunc_spec = ("cosh", 1, 1)
    c_function = "cosh"
    c_complex = True

    def derivative(self, x, z, gz):
        """``sinh(x)``."""
        return gz * sinh(x)


class Sinh(UnaryMath):
    """Hyperbolic sine."""

    nfunc_spec = ("sinh", 1, 1)
    c_function = "sinh"
    c_complex = True

    def derivative(self, x, z, gz):
        """``cosh(x)``."""
        return gz * cosh(x)


class Tanh(UnaryMath):
    """Hyperbolic tangent."""

    nfunc_spec = ("tanh", 1, 1)
    c_function = "tanh"
    c_complex = True

    def derivative(self, x, z, gz):
        """``1 - tanh(x)**2``."""
        return gz * (1 - a.sqr(tanh(x)))


class ArcCosh(UnaryMath):
    """Inverse hyperbolic cosine."""

    nfunc_spec = ("arccosh", 1, 1)
    c_function = "acosh"
    c_complex = True

    def derivative(self, x, z, gz):
        """``1 / sqrt(x**2 - 1)``."""
        return gz / sqrt(a.sqr(x) - typed_one(x))


class ArcSinh(UnaryMath):
    """Inverse hyperbolic sine."""

    nfunc_spec = ("arcsinh", 1, 1)
    c_function = "asinh"
    c_complex = True

    def derivative(self, x, z, gz):
        """``1 / sqrt(x**2 + 1)``."""
        return gz / sqrt(a.sqr(x) + typed_one(x))


class ArcTanh(UnaryMath):
    """Inverse hyperbolic tangent."""

    nfunc_spec = ("arctanh", 1, 1)
    c_function = "atanh"
    c_complex = True

    def derivative(self, x, z, gz):
        """``1 / (1 - x**2)``."""
        return gz / (one(x) - a.sqr(x))


def one(x):
    """A plain 1 that autocasts to an integer beside integers, to a float beside floats."""
    return 1 if x.type in t.discrete_types else 1.0


def typed_one(x) -> np.generic:
    """The 1 of the dtype of `x`; int8 for bool, which cannot be subtracted."""
    return np.asarray(1, dtype="int8" if x.type == t.bool else x.type.dtype)[()]


exp = Exp(upgrade_to_float, name="exp")
exp2 = Exp2(upgrade_to_float, name="exp2")
expm1 = Expm1(upgrade_to_float, name="expm1")
log = Log(upgrade_to_float, name="log")
log2 = Log2(upgrade_to_float, name="log2")
log10 = Log10(upgrade_to_float, name="log10")
log1p = Log1p(upgrade_to_float, name="log1p")
sqrt = Sqrt(upgrade_to_float, name="sqrt")
deg2rad = Deg2Rad(upgrade_to_float, name="deg2rad")
rad2deg = Rad2Deg(upgrade_to_float, name="rad2deg")
cos = Cos(upgrade_to_float, name="cos")
sin = Sin(upgrade_to_float, name="sin")
tan = Tan(upgrade_to_float, name="tan")
arccos = ArcCos(upgrade_to_float, name="arccos")
arcsin = ArcSin(upgrade_to_float, name="arcsin")
arctan = ArcTan(upgrade_to_float, name="arctan")
arctan2 = ArcTan2(upgrade_to_float, name="arctan2")
cosh = Cosh(upgrade_to_float, name="cosh")
sinh = Sinh(upgrade_to_float, name="sinh")
tanh = Tanh(upgrade_to_float, name="tanh")
arccosh = ArcCosh(upgrade_to_float, name="arccosh")
arcsinh = ArcSinh(upgrade_to_float, name="arcsinh")
arctanh = ArcTanh(upgrade_to_float, name="arctanh")
