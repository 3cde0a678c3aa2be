"""Output type rules: from the types of an op's inputs to those of its outputs.

Each rule takes `Scalar` types and gives a tuple of them; `TypeError` where there is none.
"""
from __future__ import annotations

from theano_compat import config
from theano_compat.gof.utils import object2
from theano_compat.scalar import type as t
from theano_compat.scalar.type import Scalar, get_scalar_type


def _refuse_complex(types):
    if any(type_ in t.complex_types for type_ in types):
        raise TypeError("complex argument not supported")


def upcast_out(*types):
    """One output that holds all the inputs' values."""
    return (get_scalar_type(Scalar.upcast(*types)),)


def upcast_out_nobool(*types):
    """As `upcast_out`, refusing a bool output."""
    out = upcast_out(*types)
    if out[0] == t.bool:
        raise TypeError("bool output not supported")
    return out


def upcast_out_min8(*types):
    """As `upcast_out`, with int8 for a bool output."""
    out = upcast_out(*types)
    return (t.int8,) if out[0] == t.bool else out


def upcast_out_no_complex(*types):
    """As `upcast_out`, refusing complex inputs."""
    if any(type_ in t.complex_types for type_ in types):
        raise TypeError("complex type are not supported")
    return upcast_out(*types)


def _to_float(type_):
    """The float type for one input: wide integers need float64, narrow ones float32."""
    if type_ in t.continuous_types:
        return type_
    return t.float32 if type_.dtype in ("bool", "int8", "int16", "uint8", "uint16") else t.float64


def upgrade_to_float(*types):
    """One floating output: the common float or complex type after integers became floats."""
    return (get_scalar_type(Scalar.upcast(*map(_to_float, types))),)


def upgrade_to_float_no_complex(*types):
    """As `upgrade_to_float`, refusing complex inputs."""
    _refuse_complex(types)
    return upgrade_to_float(*types)


def upgrade_to_float64(*types):
    """Always float64."""
    return (t.float64,)


def same_out(type):
    """The input's type."""
    return (type,)


def same_out_nobool(type):
    """The input's type, refusing bool."""
    if type == t.bool:
        raise TypeError("bool input not supported")
    return (type,)


def same_out_min8(type):
    """The input's type, with int8 for bool."""
    return (t.int8,) if type == t.bool else (type,)


def same_out_nocomplex(type):
    """The input's type, refusing complex."""
    _refuse_complex((type,))
    return (type,)


def same_out_float_only(type) -> tuple:
    """The input's type, which has to be a real float."""
    if type not in t.float_types:
        raise TypeError("only float type are supported")
    return (type,)


def int_out(*types):
    """int64."""
    return (t.int64,)


def int_out_nocomplex(*types):
    """int64, refusing complex inputs."""
    _refuse_complex(types)
    return (t.int64,)


def float_out(*types):
    """float64."""
    return (t.float64,)


def float_out_nocomplex(*types):
    """float64, refusing complex inputs."""
    _refuse_complex(types)
    return (t.float64,)


def real_out(type):
    """The type of the real part of the input."""
    return (get_scalar_type({"complex64": "float32", "complex128": "float64"}.get(type.dtype, type.dtype)),)


def floatx_if_discrete(*types):
    """``config.floatX`` where all inputs are integers, else their common type."""
    if all(type_ in t.discrete_types for type_ in types):
        return (get_scalar_type(config.floatX),)
    return upcast_out(*types)


def complex_out(x, y):
    """The complex type whose parts hold both inputs, which have to be real."""
    for type_ in (x, y):
        if type_ in t.complex_types:
            raise TypeError(type_)
    wide = Scalar.upcast(x, y) in ("int32", "int64", "uint32", "uint64", "float64")
    return (t.complex128 if wide else t.complex64,)


class unary_out_lookup(object2):
    """Rule of one input, from a table of types or dtype names.

    Parameters
    ----------
    type_table : dict
        Input type (or dtype name) to output type (or name).
    """

    def __init__(self, type_table):
        self.tbl = type_table

    def __call__(self, *types):
        if len(types) == 1:
            types = types[0]
        try:
            return (self.tbl[types],)
        except KeyError:
            raise TypeError(types) from None

    def __eq__(self, other):
        return type(self) is type(other) and self.tbl == other.tbl

    def __hash__(self):
        return hash((type(self), frozenset(self.tbl.items())))


class specific_out(object2):
    """Rule that gives fixed types, whatever the inputs.

    Parameters
    ----------
    *spec : Scalar
        The outputs' types.
    """

    __props__ = ("spec",)

    def __init__(self, *spec):
        self.spec = spec

    def __call__(self, *types):
        return self.spec

    def __eq__(self, other):
        return type(self) is type(other) and self.spec == other.spec

    def __hash__(self):
        return hash((type(self), self.spec))

    def __str__(self):
        return f"{type(self).__name__}{{spec={self.spec!r}}}"


class transfer_type(object2):
    """Rule that gives each output the type of a chosen input.

    Parameters
    ----------
    *transfer : int or callable
        Per output: the index of the input, or a function of all input types.
    """

    __props__ = ("transfer",)

    def __init__(self, *transfer):
        if not all(item is None or callable(item) or isinstance(item, int) for item in transfer):
            raise AssertionError("transfer_type takes indices of inputs or functions of types")
        self.transfer = transfer

    def __call__(self, *types):
        upcast = upcast_out(*types)
        return tuple(
            upcast[0] if i is None else i(types) if callable(i) else types[i] for i in self.transfer
        )

    def __eq__(self, other):
        return type(self) is type(other) and self.transfer == other.transfer

    def __hash__(self):
        return hash((type(self), self.transfer))

    def __str__(self):
        return "transfer_type{%s}" % ", ".join(map(str, self.transfer))
