# ruff: noqa: F401
"""All names of Theano's ``theano.scalar.basic``: types, rules, bases and ops, each from its topic file."""
from __future__ import annotations

from theano_compat import config
from theano_compat.gof import Apply, Constant, FunctionGraph, Op, Type, Variable
from theano_compat.scalar.arithmetic import (
    Abs,
    Add,
    IntDiv,
    Inv,
    Mod,
    Mul,
    Neg,
    Pow,
    Sgn,
    Sqr,
    Sub,
    TrueDiv,
    abs_,
    add,
    div_proxy,
    floor_div,
    int_div,
    int_or_true_div,
    inv,
    mod,
    mod_check,
    mul,
    neg,
    pow,
    sgn,
    sqr,
    sub,
    true_div,
)
from theano_compat.scalar.autocast import (
    NumpyAutocaster,
    autocast_float,
    autocast_float_as,
    autocast_int,
    convert,
)
from theano_compat.scalar.bits import AND, OR, XOR, Invert, and_, invert, or_, xor
from theano_compat.scalar.casting import (
    Cast,
    _cast_mapping,
    cast,
    convert_to_bool,
    convert_to_complex64,
    convert_to_complex128,
    convert_to_float16,
    convert_to_float32,
    convert_to_float64,
    convert_to_int8,
    convert_to_int16,
    convert_to_int32,
    convert_to_int64,
    convert_to_uint8,
    convert_to_uint16,
    convert_to_uint32,
    convert_to_uint64,
)
from theano_compat.scalar.choice import (
    Clip,
    Identity,
    Maximum,
    Minimum,
    Second,
    Switch,
    clip,
    identity,
    maximum,
    minimum,
    second,
    switch,
)
from theano_compat.scalar.comparison import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NEQ,
    InRange,
    IsInf,
    IsNan,
    eq,
    ge,
    gt,
    inclosedrange,
    inopenrange,
    isinf,
    isnan,
    le,
    lt,
    neq,
)
from theano_compat.scalar.complex_ops import (
    Angle,
    Complex,
    ComplexFromPolar,
    Conj,
    Imag,
    Real,
    angle,
    complex,
    complex_from_polar,
    conj,
    imag,
    real,
)
from theano_compat.scalar.composite import (
    Composite,
    Compositef32,
    composite_f32,
    handle_cast,
    handle_composite,
)
from theano_compat.scalar.dtypes import upcast
from theano_compat.scalar.op import (
    BinaryBitOp,
    BinaryScalarOp,
    ComplexError,
    FixedLogicalComparison,
    IntegerDivisionError,
    LogicalComparison,
    ScalarOp,
    UnaryBitOp,
    UnaryScalarOp,
)
from theano_compat.scalar.outputs import (
    float_out,
    float_out_nocomplex,
    int_out,
    int_out_nocomplex,
    real_out,
    same_out,
    same_out_float_only,
    same_out_min8,
    same_out_nobool,
    same_out_nocomplex,
    specific_out,
    transfer_type,
    unary_out_lookup,
    upcast_out,
    upcast_out_min8,
    upcast_out_no_complex,
    upcast_out_nobool,
    upgrade_to_float,
    upgrade_to_float64,
    upgrade_to_float_no_complex,
)
from theano_compat.scalar.rounding import (
    Ceil,
    Floor,
    RoundHalfAwayFromZero,
    RoundHalfToEven,
    Trunc,
    ceil,
    floor,
    round_half_away_from_zero,
    round_half_away_from_zero_,
    round_half_away_from_zero_vec,
    round_half_to_even,
    trunc,
)
from theano_compat.scalar.transcendental import (
    ArcCos,
    ArcCosh,
    ArcSin,
    ArcSinh,
    ArcTan,
    ArcTan2,
    ArcTanh,
    Cos,
    Cosh,
    Deg2Rad,
    Exp,
    Exp2,
    Expm1,
    Log,
    Log1p,
    Log2,
    Log10,
    Rad2Deg,
    Sin,
    Sinh,
    Sqrt,
    Tan,
    Tanh,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cos,
    cosh,
    deg2rad,
    exp,
    exp2,
    expm1,
    log,
    log1p,
    log2,
    log10,
    rad2deg,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from theano_compat.scalar.type import (
    Scalar,
    all_types,
    bool,
    complex64,
    complex128,
    complex_types,
    continuous_types,
    discrete_types,
    float16,
    float32,
    float64,
    float_types,
    get_scalar_type,
    int8,
    int16,
    int32,
    int64,
    int_types,
    integer_types,
    uint8,
    uint16,
    uint32,
    uint64,
    uint_types,
)
from theano_compat.scalar.variables import (
    ScalarConstant,
    ScalarVariable,
    _scalar_py_operators,
    as_common_dtype,
    as_scalar,
    constant,
)


def _maker(type_):
    """Give a constructor of several variables of one type: from names, or from one string of letters."""

    def make(*names):
        if len(names) == 1:
            names = names[0]
            if isinstance(names, str) and len(names) == 1:
                return type_(names)
            if isinstance(names, int):
                names = (None,) * names
        return [type_(name) for name in names]

    make.__doc__ = f"Make several {type_.dtype} variables, as in ``('a', 'b')`` or ``('ab')``; from a count, unnamed ones."
    return make


ints, floats, complexs = _maker(int64), _maker(float64), _maker(complex128)
complexs64, complexs128 = _maker(complex64), _maker(complex128)

_UPWARD = {"DisconnectedType": "gradient", "grad_undefined": "gradient", "grad_not_implemented": "gradient",
           "pprint": "printing"}


def __getattr__(name):
    """Serve the names that Theano kept here but that live above this package."""
    if name in _UPWARD:
        from importlib import import_module

        return getattr(import_module(f"theano_compat.{_UPWARD[name]}"), name)
    if name == "imported_scipy_special":
        from theano_compat.scalar import basic_scipy

        return basic_scipy.imported_scipy_special
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
