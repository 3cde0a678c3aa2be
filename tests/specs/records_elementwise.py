"""Elementwise ops."""
from __future__ import annotations

import numpy as np
import scipy.special as special

import theano_compat.tensor as T
from tests.specs.spec import (
    ALL,
    BOOL,
    COMPLEX,
    DISCRETE,
    FLOATS,
    REAL,
    SIGNED,
    Case,
    OpSpec,
    cases,
    sample,
    stretched,
)

ODD_VALUES = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-310, -1e-310, 1e308, -1e308, 0.5])

MIXED = [
    ("bool", "float32"),
    ("int8", "uint8"),
    ("int8", "float16"),
    ("uint16", "int16"),
    ("int32", "float32"),
    ("uint32", "int64"),
    ("float16", "float32"),
    ("float32", "float64"),
    ("int64", "float32"),
]
MIXED_COMPLEX = [("float32", "complex64"), ("complex64", "float64"), ("int8", "complex128")]


def odd_cases(arity, values=ODD_VALUES, keep=lambda *xs: np.ones(len(xs[0]), bool)):
    """Cases of NaN, infinities, signed zeros and extremes, in both precisions."""
    grids = [g.ravel() for g in np.meshgrid(*[values] * arity, indexing="ij")]
    found = []
    for dtype in ("float64", "float32"):
        with np.errstate(all="ignore"):
            arrays = [g.astype(dtype) for g in grids]
            chosen = keep(*arrays)
        found.append(Case(f"odd values {dtype}", tuple(a[chosen] for a in arrays)))
    return found


def quiet(function):
    """The function without warnings."""

    def run(*args):
        with np.errstate(all="ignore"):
            return function(*args)

    return run


def unary(name, reference, domain=(-3.0, 3.0), dtypes=REAL + BOOL, op=None, odd=True, smooth=True, **more):
    """Record of an elementwise function of one input."""
    op = op or getattr(T, name)
    found = [*cases([(5, 3)], dtypes, domain, differentiable=smooth)]
    layout = "float64" if "float64" in dtypes else dtypes[-1]
    found += stretched([domain], layout, differentiable=smooth and layout == "float64")
    found += stretched([domain], "float32", False)[:4] if "float32" in dtypes else []
    if odd and "float64" in dtypes:
        found += odd_cases(1, keep=odd if callable(odd) else lambda x: np.ones(len(x), bool))
    return OpSpec(name, lambda x: op(x), quiet(reference), tuple(found), elementwise=True, **more)


def binary(name, reference, domains=((-3.0, 3.0), (-3.0, 3.0)), dtypes=REAL + BOOL, mixed=tuple(MIXED), op=None, odd=True,
           smooth=True, **more):  # fmt: skip
    """Record of an elementwise function of two inputs."""
    op = op or getattr(T, name)
    domains = list(domains)
    found = [*cases([(5, 3)], [*[(d, d) for d in dtypes], *mixed], domains, arity=2, differentiable=smooth)]
    layout = "float64" if "float64" in dtypes else dtypes[-1]
    found += stretched(domains, layout, differentiable=smooth and layout == "float64")
    if odd and "float64" in dtypes:
        found += odd_cases(2, keep=odd if callable(odd) else lambda x, y: np.ones(len(x), bool))
    return OpSpec(name, lambda x, y: op(x, y), quiet(reference), tuple(found), elementwise=True, **more)


def not_huge(*xs):
    """Keep values that are not near the ends of the range."""
    return np.all([~np.isfinite(x) | (np.abs(x) < 1e30) for x in xs], axis=0)


def positive_finite(x):
    """Keep ordinary positive values."""
    return np.isfinite(x) & (x > 1e-30) & (x < 1e30)


WITH_COMPLEX = REAL + BOOL + COMPLEX
STEP = {"smooth": False, "grad": False, "rop": False}

ELEMENTARY = [
    unary("exp", np.exp, dtypes=WITH_COMPLEX),
    unary("exp2", np.exp2),
    unary("expm1", np.expm1),
    unary("log", np.log, (0.1, 5.0), WITH_COMPLEX),
    unary("log2", np.log2, (0.1, 5.0)),
    unary("log10", np.log10, (0.1, 5.0)),
    unary("log1p", np.log1p, (-0.9, 5.0), SIGNED + FLOATS + BOOL),
    unary("sqrt", np.sqrt, (0.1, 5.0), WITH_COMPLEX),
    unary("deg2rad", np.deg2rad, (-300.0, 300.0)),
    unary("rad2deg", np.rad2deg, (-6.0, 6.0)),
    unary("sin", np.sin, dtypes=WITH_COMPLEX, odd=not_huge),
    unary("cos", np.cos, dtypes=WITH_COMPLEX, odd=not_huge),
    unary("tan", np.tan, (-1.3, 1.3), WITH_COMPLEX, odd=not_huge),
    unary("arcsin", np.arcsin, (-0.9, 0.9), WITH_COMPLEX),
    unary("arccos", np.arccos, (-0.9, 0.9), WITH_COMPLEX),
    unary("arctan", np.arctan, dtypes=WITH_COMPLEX),
    unary("sinh", np.sinh, dtypes=WITH_COMPLEX),
    unary("cosh", np.cosh, dtypes=WITH_COMPLEX),
    unary("tanh", np.tanh, dtypes=WITH_COMPLEX),
    unary("arcsinh", np.arcsinh, dtypes=WITH_COMPLEX),
    unary("arccosh", np.arccosh, (1.1, 5.0), WITH_COMPLEX),
    unary("arctanh", np.arctanh, (-0.9, 0.9), WITH_COMPLEX),
    unary("sqr", lambda x: x * x, dtypes=REAL + COMPLEX),
    unary("inv", lambda x: 1.0 / x, (0.5, 3.0), REAL + COMPLEX),
    unary("neg", np.negative, dtypes=REAL + COMPLEX),
    unary("abs_", np.abs, dtypes=WITH_COMPLEX),
    unary("sgn", np.sign, dtypes=REAL),
]

ROUNDING = [
    unary("ceil", np.ceil, smooth=False, rop=False),
    unary("floor", np.floor, smooth=False, rop=False),
    unary("trunc", np.trunc, smooth=False, rop=False),
    unary("round_half_to_even", np.round, dtypes=FLOATS, smooth=False, rop=False),
    unary("round_half_away_from_zero", lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5), dtypes=FLOATS, smooth=False,
          rop=False, odd=lambda x: np.abs(x) < 1e15),  # fmt: skip
    unary("isnan", np.isnan, dtypes=WITH_COMPLEX, **STEP),
    unary("isinf", np.isinf, dtypes=WITH_COMPLEX, **STEP),
    unary("invert", np.invert, dtypes=DISCRETE, odd=False, **STEP),
]

COMPLEX_OPS = [
    unary("real", np.real, dtypes=WITH_COMPLEX, rop=False),
    unary("imag", np.imag, dtypes=COMPLEX, odd=False, grad=False, rop=False),
    unary("angle", np.angle, dtypes=COMPLEX, odd=False, grad=False, rop=False, rtol=1e-7),
    unary("conj", np.conj, dtypes=WITH_COMPLEX),
    binary("complex", lambda x, y: x + 1j * y, dtypes=FLOATS, mixed=(), odd=False, grad=False, rop=False),
    binary("complex_from_polar", lambda r, a: r * np.exp(1j * a), dtypes=FLOATS, mixed=(), odd=False, grad=False, rop=False),
]

SPECIAL = [
    unary("erf", special.erf),
    unary("erfc", special.erfc),
    unary("erfcx", special.erfcx, (-2.0, 5.0), odd=not_huge),
    unary("erfinv", special.erfinv, (-0.9, 0.9), FLOATS),
    unary("erfcinv", special.erfcinv, (0.1, 1.9), FLOATS),
    unary("gamma", special.gamma, (0.5, 6.0), odd=positive_finite),
    unary("gammaln", special.gammaln, (0.5, 6.0), odd=positive_finite),
    unary("psi", special.psi, (0.5, 6.0), odd=positive_finite),
    unary("tri_gamma", lambda x: special.polygamma(1, x), (0.5, 6.0), odd=positive_finite, grad=False, rop=False),
    unary("j0", special.j0, odd=positive_finite),
    unary("j1", special.j1, odd=positive_finite),
    unary("i0", special.i0, odd=positive_finite),
    unary("i1", special.i1, odd=positive_finite),
    binary("chi2sf", lambda x, k: special.gammaincc(k / 2, x / 2), ((0.5, 5.0), (0.5, 5.0)), FLOATS, (), odd=False,
           grad=False, rop=False),  # fmt: skip
    *[
        binary(name, reference, ((0.5, 5.0), (0.5, 5.0)), FLOATS, (), odd=False, grad=False, rop=False)
        for name, reference in (
            ("gammainc", special.gammainc),
            ("gammaincc", special.gammaincc),
            ("gammau", lambda k, x: special.gammaincc(k, x) * special.gamma(k)),
            ("gammal", lambda k, x: special.gammainc(k, x) * special.gamma(k)),
        )
    ],
    # The gradient with respect to the order is not defined.
    binary("jv", special.jv, ((0.5, 3.0), (0.5, 5.0)), FLOATS, (), odd=False, grad=False, rop=False),
    binary("iv", special.iv, ((0.5, 3.0), (0.5, 5.0)), FLOATS, (), odd=False, grad=False, rop=False),
]


def floor_mod(x, y):
    """Remainder with the sign of the divisor, 0 for whole numbers over 0."""
    return np.mod(x, y)


def whole_power(x, y):
    """Power, with an integer to a negative integer cut to an integer."""
    if x.dtype.kind == "i" and np.any(y < 0):
        return np.trunc(x.astype("float64") ** y)
    return np.power(x, y)


ARITHMETIC = [
    binary("add", np.add, mixed=tuple(MIXED + MIXED_COMPLEX), dtypes=WITH_COMPLEX),
    binary("sub", np.subtract, mixed=tuple(MIXED + MIXED_COMPLEX), dtypes=REAL + COMPLEX),
    binary("mul", np.multiply, mixed=tuple(MIXED + MIXED_COMPLEX), dtypes=WITH_COMPLEX),
    binary("true_div", np.true_divide, ((-3.0, 3.0), (0.5, 3.0)), mixed=tuple(MIXED + MIXED_COMPLEX), dtypes=REAL + COMPLEX),
    binary("int_div", np.floor_divide, ((-30.0, 30.0), (0.6, 7.0)), REAL, **STEP),
    binary("mod", floor_mod, ((-30.0, 30.0), (0.6, 7.0)), REAL, smooth=False, rop=False, odd=not_huge),
    binary("pow", whole_power, ((0.3, 3.0), (-3.0, 3.0)), REAL + COMPLEX, odd=not_huge, rtol=1e-9),
    binary("arctan2", np.arctan2, dtypes=REAL),
    binary("maximum", np.maximum, dtypes=REAL + BOOL),
    binary("minimum", np.minimum, dtypes=REAL + BOOL),
    binary("second", lambda x, y: np.broadcast_to(y, np.broadcast_shapes(x.shape, y.shape)), op=T.fill,
           mixed=(("int8", "float32"), ("float64", "uint8")), rop=False),  # fmt: skip
]

COMPARISON = [
    *[
        binary(name, reference, ((-2.0, 2.0), (-2.0, 2.0)), REAL + BOOL, (*MIXED, ("int64", "uint64"), ("uint64", "int8")),
               **STEP)  # fmt: skip
        for name, reference in (
            ("lt", np.less),
            ("gt", np.greater),
            ("le", np.less_equal),
            ("ge", np.greater_equal),
            ("eq", np.equal),
            ("neq", np.not_equal),
        )
    ],
    *[
        binary(name, reference, ((-100.0, 100.0), (-100.0, 100.0)), DISCRETE, (("int8", "uint8"), ("int64", "int16")),
               odd=False, **STEP)  # fmt: skip
        for name, reference in (("and_", np.bitwise_and), ("or_", np.bitwise_or), ("xor", np.bitwise_xor))
    ],
]


CHOICE = [
    OpSpec(
        "switch",
        lambda c, a, b: T.switch(c, a, b),
        np.where,
        tuple(
            Case(f"{dtypes} {shapes}", tuple(sample(s, d, key=(i,)) for i, (s, d) in enumerate(zip(shapes, dtypes))))
            for dtypes in [("bool", d, d) for d in ALL] + [("int8", "int8", "float32"), ("float32", "int64", "float64")]
            for shapes in (((5, 3), (5, 3), (5, 3)), ((3,), (5, 1), (1, 3)), ((0, 3), (0, 3), (0, 3)))
        ),
        grad=False,
        rop=False,
        elementwise=True,
        wide=False,
    ),
    OpSpec(
        "clip",
        lambda x: T.clip(x, -1, 2),
        lambda x: np.clip(x, -1, 2),
        cases([(5, 3), (), (0, 2), (40,)], SIGNED + FLOATS),
        rop=False,
        elementwise=True,
    ),
    OpSpec(
        "add of many",
        lambda *xs: T.add(*xs),
        lambda *xs: xs[0] + xs[1] + xs[2] + xs[3],
        cases([((3, 4), (4,), (3, 1), ()), ((2, 2),) * 4], ("float64", "int16", "float32"), arity=4),
        elementwise=True,
    ),
    OpSpec(
        "mul of many",
        lambda *xs: T.mul(*xs),
        lambda *xs: xs[0] * xs[1] * xs[2] * xs[3],
        cases([((3, 4), (4,), (3, 1), ()), ((2, 2),) * 4], ("float64", "int16", "float32", "complex64"), arity=4),
        elementwise=True,
    ),
    *[
        OpSpec(
            f"cast to {target}",
            lambda x, target=target: T.cast(x, target),
            lambda x, target=target: x.astype(target),
            cases([(5, 3), (), (0, 2)], ("bool", *SIGNED, "uint8", "uint64", *FLOATS)
                  if target not in COMPLEX else (*REAL, *COMPLEX), (0.0, 100.0), differentiable=False),  # fmt: skip
            grad=False,
            rop=False,
            wide=False,
        )
        for target in ALL
    ],
]

RECORDS = [*ELEMENTARY, *ROUNDING, *COMPLEX_OPS, *SPECIAL, *ARITHMETIC, *COMPARISON, *CHOICE]
