"""Functions that work on each element: one `Elemwise` for every scalar op, and what is built from them."""

from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.printing import FunctionPrinter, IgnorePrinter, OperatorPrinter, PatternPrinter, pprint
from theano_compat.tensor.basic.conversion import as_tensor_variable, complex_dtypes, discrete_dtypes
from theano_compat.tensor.elemwise import Elemwise

_ANGLE = "The result is in radians."

#: name here -> (name of the scalar op, what it computes of x, or of x and y)
_TABLE = {
    # arithmetic
    "add": ("add", "the sum of the arguments"),
    "sub": ("sub", "x - y"),
    "mul": ("mul", "the product of the arguments"),
    "true_div": ("true_div", "x / y as a floating point number, also for integers"),
    "int_div": ("int_div", "x / y rounded down"),
    "mod": ("mod", "the remainder of x / y rounded down; it has the sign of y"),
    "pow": ("pow", "x to the power y"),
    "neg": ("neg", "-x"),
    "inv": ("inv", "1 / x"),
    "abs_": ("abs_", "the magnitude of x"),
    "sgn": ("sgn", "the sign of x: -1, 0 or 1"),
    "sqr": ("sqr", "x squared"),
    "sqrt": ("sqrt", "the square root of x"),
    "maximum": ("maximum", "the greater of x and y; NaN if either is"),
    "minimum": ("minimum", "the smaller of x and y; NaN if either is"),
    # comparison, logic, bits, choice
    "lt": ("lt", "whether x < y"),
    "gt": ("gt", "whether x > y"),
    "le": ("le", "whether x <= y"),
    "ge": ("ge", "whether x >= y"),
    "eq": ("eq", "whether x equals y"),
    "neq": ("neq", "whether x differs from y"),
    "isnan_": ("isnan", "whether x is NaN"),
    "isinf_": ("isinf", "whether x is infinite"),
    "and_": ("and_", "the bitwise and of x and y"),
    "or_": ("or_", "the bitwise or of x and y"),
    "xor": ("xor", "the bitwise exclusive or of x and y"),
    "invert": ("invert", "x with all bits inverted; for booleans, not x"),
    "switch": ("switch", "the second argument where the first is true, else the third"),
    "clip": ("clip", "the first argument limited to between the second and the third"),
    "second": ("second", "y, with the shape of x"),
    # rounding
    "ceil": ("ceil", "the least integer not below x"),
    "floor": ("floor", "the greatest integer not above x"),
    "trunc": ("trunc", "x without its fraction"),
    "round_half_to_even": ("round_half_to_even", "the nearest integer, the even one of two"),
    "round_half_away_from_zero": ("round_half_away_from_zero", "the nearest integer, of two the one away from 0"),
    # exponentials and logarithms
    "exp": ("exp", "e to the power x"),
    "exp2": ("exp2", "2 to the power x"),
    "expm1": ("expm1", "e to the power x, less 1, accurate for small x"),
    "log": ("log", "the natural logarithm of x"),
    "log2": ("log2", "the base 2 logarithm of x"),
    "log10": ("log10", "the base 10 logarithm of x"),
    "log1p": ("log1p", "the natural logarithm of 1 + x, accurate for small x"),
    # trigonometry
    "deg2rad": ("deg2rad", "x degrees in radians"),
    "rad2deg": ("rad2deg", "x radians in degrees"),
    "cos": ("cos", "the cosine of x radians"),
    "sin": ("sin", "the sine of x radians"),
    "tan": ("tan", "the tangent of x radians"),
    "arccos": ("arccos", f"the inverse cosine of x. {_ANGLE}"),
    "arcsin": ("arcsin", f"the inverse sine of x. {_ANGLE}"),
    "arctan": ("arctan", f"the inverse tangent of x. {_ANGLE}"),
    "arctan2": ("arctan2", f"the angle of the point with ordinate x and abscissa y. {_ANGLE}"),
    "cosh": ("cosh", "the hyperbolic cosine of x"),
    "sinh": ("sinh", "the hyperbolic sine of x"),
    "tanh": ("tanh", "the hyperbolic tangent of x"),
    "arccosh": ("arccosh", "the inverse hyperbolic cosine of x"),
    "arcsinh": ("arcsinh", "the inverse hyperbolic sine of x"),
    "arctanh": ("arctanh", "the inverse hyperbolic tangent of x"),
    # special functions
    "erf": ("erf", "the error function of x"),
    "erfc": ("erfc", "1 - erf(x)"),
    "erfcx": ("erfcx", "exp(x**2) * erfc(x)"),
    "erfinv": ("erfinv", "the inverse of erf at x"),
    "erfcinv": ("erfcinv", "the inverse of erfc at x"),
    "gamma": ("gamma", "the gamma function of x"),
    "gammaln": ("gammaln", "the logarithm of the magnitude of the gamma function of x"),
    "psi": ("psi", "the derivative of gammaln at x (digamma)"),
    "tri_gamma": ("tri_gamma", "the second derivative of gammaln at x"),
    "chi2sf": ("chi2sf", "the probability that a chi-squared variable of y degrees of freedom exceeds x"),
    "gammainc": ("gammainc", "the regularised lower incomplete gamma function of x, up to y"),
    "gammaincc": ("gammaincc", "the regularised upper incomplete gamma function of x, from y"),
    "gammau": ("gammau", "the upper incomplete gamma function of x, from y"),
    "gammal": ("gammal", "the lower incomplete gamma function of x, up to y"),
    "j0": ("j0", "the Bessel function of the first kind of order 0"),
    "j1": ("j1", "the Bessel function of the first kind of order 1"),
    "jv": ("jv", "the Bessel function of the first kind of order x, at y"),
    "i0": ("i0", "the modified Bessel function of the first kind of order 0"),
    "i1": ("i1", "the modified Bessel function of the first kind of order 1"),
    "iv": ("iv", "the modified Bessel function of the first kind of order x, at y"),
    # complex numbers
    "real": ("real", "the real part of x"),
    "imag": ("imag", "the imaginary part of x"),
    "angle": ("angle", f"the argument of x. {_ANGLE}"),
    "complex": ("complex", "the complex number with real part x and imaginary part y"),
    "conj": ("conj", "the complex conjugate of x"),
    "complex_from_polar": ("complex_from_polar", "the complex number with magnitude x and argument y"),
}

#: other names for the same
_ALIASES = {
    "floor_div": "int_div", "square": "sqr", "fill": "second", "where": "switch",
    "bitwise_and": "and_", "bitwise_or": "or_", "bitwise_xor": "xor", "bitwise_not": "invert",
}  # fmt: skip

_PRINTERS = {
    "add": OperatorPrinter("+", -2, "either"),
    "mul": OperatorPrinter("*", -1, "either"),
    "sub": OperatorPrinter("-", -2, "left"),
    "neg": OperatorPrinter("-", 0, "either"),
    "true_div": OperatorPrinter("/", -1, "left"),
    "int_div": OperatorPrinter("//", -1, "left"),
    "pow": OperatorPrinter("**", 1, "right"),
    "abs_": PatternPrinter(("|%(0)s|", -1000)),
    "isnan_": FunctionPrinter("isnan"),
    "isinf_": FunctionPrinter("isinf"),
    "second": FunctionPrinter("fill"),
}


def _scal_elemwise(symbol):
    """Return the `Elemwise` of the scalar op that a function is named after: a decorator of old code."""
    name = symbol.__name__
    inplace = name.endswith("_inplace")
    scalar_name = name[: -len("_inplace")] if inplace else name
    scalar_op = getattr(scal, scalar_name)
    if inplace:
        made = Elemwise(scalar_op.__class__(scal.transfer_type(0)), {0: 0}, name=f"Elemwise{{{scalar_name},inplace}}")
    else:
        made = Elemwise(scalar_op, name=f"Elemwise{{{scalar_name},no_inplace}}")
    if getattr(symbol, "__doc__", None):
        made.__doc__ = symbol.__doc__ + "\n" + (made.__doc__ or "")
    pprint.assign(made, FunctionPrinter(name))
    return made


def _define():
    made = {}
    for name, (scalar_name, meaning) in _TABLE.items():
        op = Elemwise(getattr(scal, scalar_name), name=f"Elemwise{{{scalar_name},no_inplace}}")
        op.__doc__ = f"Return {meaning}, element by element, with broadcasting."
        pprint.assign(op, _PRINTERS.get(name) or FunctionPrinter(name))
        made[name] = op
    made.update({alias: made[name] for alias, name in _ALIASES.items()})
    return made


globals().update(_define())

tensor_copy = Elemwise(scal.identity)
pprint.assign(tensor_copy, IgnorePrinter())


def div_proxy(x, y):
    """Return ``x / y`` as Python 2 had it: rounded down if both are integers."""
    both_discrete = all(as_tensor_variable(v).dtype in discrete_dtypes for v in (x, y))
    return int_div(x, y) if both_discrete else true_div(x, y)  # noqa: F821


def divmod(x, y):
    """Return the quotient of `x` and `y` rounded down, and the remainder."""
    return floor_div(x, y), mod_check(x, y)  # noqa: F821


def mod_check(x, y):
    """Return the remainder of ``x / y`` rounded down.

    Raises
    ------
    theano_compat.scalar.ComplexError
        If either is complex.
    """
    if any(as_tensor_variable(v).dtype in complex_dtypes for v in (x, y)):
        raise scal.Mod.complex_error
    return mod(x, y)  # noqa: F821


def power(x, y):
    """Return `x` to the power `y`."""
    return pow(x, y)  # noqa: F821


def _constantly_false(a):
    from theano_compat.tensor.basic.creation import alloc

    return alloc(np.asarray(False, dtype="bool"), *[a.shape[i] for i in range(a.ndim)])


def isnan(a):
    """Return whether each element is NaN; integers never are."""
    a = as_tensor_variable(a)
    return _constantly_false(a) if a.dtype in discrete_dtypes else isnan_(a)  # noqa: F821


def isinf(a):
    """Return whether each element is infinite; integers never are."""
    a = as_tensor_variable(a)
    return _constantly_false(a) if a.dtype in discrete_dtypes else isinf_(a)  # noqa: F821


def isclose(a, b, rtol=1.0e-5, atol=1.0e-8, equal_nan=False):
    """Return whether each pair of elements is equal within a tolerance.

    Parameters
    ----------
    a, b : tensor_like
    rtol, atol : float
        Finite numbers agree if ``abs(a - b) <= atol + rtol * abs(b)``.
    equal_nan : bool
        Whether NaN agrees with NaN.

    Returns
    -------
    TensorVariable
        Of bool. Infinities agree with those of the same sign.
    """
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    near = le(abs_(a - b), atol + rtol * abs_(b))  # noqa: F821
    nan_a, nan_b, inf_a, inf_b = isnan(a), isnan(b), isinf(a), isinf(b)
    ordinary = invert(or_(or_(nan_a, nan_b), or_(inf_a, inf_b)))  # noqa: F821
    same_infinity = and_(and_(inf_a, inf_b), eq(inf_a * sgn(a), inf_b * sgn(b)))  # noqa: F821
    agree = or_(and_(near, ordinary), same_infinity)  # noqa: F821
    return or_(agree, and_(nan_a, nan_b)) if equal_nan else agree  # noqa: F821


def allclose(a, b, rtol=1.0e-5, atol=1.0e-8, equal_nan=False):
    """Return whether all pairs of elements are equal within a tolerance; see `isclose`."""
    from theano_compat.tensor.basic.reductions import all as all_

    return all_(isclose(a, b, rtol, atol, equal_nan))


def round(a, mode=None):
    """Return `a` rounded to integers.

    Parameters
    ----------
    a : tensor_like
    mode : {'half_to_even', 'half_away_from_zero'}, optional
        What becomes of a number halfway between two integers; by default as NumPy, the even one.
    """
    if mode is None:
        mode = "half_to_even"
        if config.warn.round:
            import warnings

            warnings.warn(
                "theano.tensor.round() changed its default from `half_away_from_zero` to `half_to_even` to have the "
                "same default as NumPy. Use the Theano flag `warn.round=False` to disable this warning.",
                stacklevel=2,
            )
    if mode == "half_away_from_zero":
        return round_half_away_from_zero(a)  # noqa: F821
    if mode == "half_to_even":
        return round_half_to_even(a)  # noqa: F821
    raise Exception(f"round mode {mode} is not implemented.")


def iround(a, mode=None):
    """Return `a` rounded, as int64."""
    from theano_compat.tensor.basic.casting import cast

    return cast(round(a, mode), "int64")


def _extremum(args, better, reduce_name):
    from theano_compat.tensor.basic import reductions
    from theano_compat.tensor.basic.joining import stack

    if len(args) == 2:
        a, b = args
        return switch(better(a, b), a, b)  # noqa: F821
    return getattr(reductions, reduce_name)(stack(args), axis=0)


def smallest(*args):
    """Return the smallest of the arguments, element by element."""
    return _extremum(args, lt, "min")  # noqa: F821


def largest(*args):
    """Return the largest of the arguments, element by element."""
    return _extremum(args, gt, "max")  # noqa: F821


def ceil_intdiv(a, b):
    """Return the integer quotient of `a` and `b` rounded up."""
    from theano_compat.tensor.basic.casting import cast

    quotient = int_div(a, b)  # noqa: F821
    return cast(neq(a % b, 0), quotient.dtype) + quotient  # noqa: F821


__all__ = [
    *_TABLE, *_ALIASES, "tensor_copy", "div_proxy", "divmod", "mod_check", "power", "isnan", "isinf", "isclose",
    "allclose", "round", "iround", "smallest", "largest", "ceil_intdiv", "_scal_elemwise",
]  # fmt: skip
