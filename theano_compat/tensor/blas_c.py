"""Gemv and Ger as the compiled engine calls them, under the names that they have in printed graphs."""

from __future__ import annotations

from theano_compat import config
from theano_compat.compile.mode import optdb
from theano_compat.gof import ParamsType
from theano_compat.gof.opt import copy_stack_trace, in2out, local_optimizer
from theano_compat.scalar import bool as bool_t
from theano_compat.tensor.basic import AllocEmpty
from theano_compat.tensor.blas import (
    Gemv,
    Ger,
    blas_optdb,
    check_init_y,
    gemv_inplace,
    gemv_no_inplace,
    ger,
    ger_destructive,
)

__all__ = [
    "BaseBLAS",
    "CGemv",
    "CGer",
    "blas_optdb",
    "bool_t",
    "cgemv_inplace",
    "cgemv_no_inplace",
    "cger_inplace",
    "cger_no_inplace",
    "check_force_gemv_init",
    "config",
    "gemv_inplace",
    "gemv_no_inplace",
    "ger",
    "ger_destructive",
    "make_c_gemv_destructive",
    "make_c_ger_destructive",
    "optdb",
    "use_c_gemv",
    "use_c_ger",
]

_DTYPES = ("float32", "float64")


class BaseBLAS:
    """Mark of the ops that are one call of a BLAS routine."""


class CGer(BaseBLAS, Ger):
    """Rank-one update through ``?ger``."""

    params_type = ParamsType(destructive=bool_t)


class CGemv(BaseBLAS, Gemv):
    """Matrix-vector product through ``?gemv``."""

    params_type = ParamsType(inplace=bool_t)

    def __init__(self, inplace):
        super().__init__(bool(inplace))


cger_inplace = CGer(True)
cger_no_inplace = CGer(False)
cgemv_inplace = CGemv(inplace=True)
cgemv_no_inplace = CGemv(inplace=False)


def check_force_gemv_init() -> bool:
    """Tell whether ``gemv`` needs an initialised result vector even where beta is zero."""
    return check_init_y()


def _replacement(name: str, before, after, doc: str, inplace: bool = False):
    """Make the rewrite of one op into another with the same inputs."""

    def rewrite(node):
        if node.op != before or node.outputs[0].dtype not in _DTYPES:
            return False
        if any(inp.dtype != node.outputs[0].dtype for inp in node.inputs):
            return False
        target, *others = node.inputs
        if inplace and target.owner is not None and isinstance(target.owner.op, AllocEmpty) and len(target.clients) > 1:
            target = target.owner.op(*target.owner.inputs)  # equal empty memory was merged: each result needs its own
        result = after(target, *others)
        copy_stack_trace(node.outputs, result)
        return [result]

    rewrite.__name__ = name
    rewrite.__doc__ = doc
    return local_optimizer([before], inplace=inplace)(rewrite)


use_c_ger = _replacement("use_c_ger", ger, cger_no_inplace, "Call ``?ger``.")
use_c_gemv = _replacement("use_c_gemv", gemv_no_inplace, cgemv_no_inplace, "Call ``?gemv``.")
make_c_ger_destructive = _replacement(
    "make_c_ger_destructive",
    cger_no_inplace,
    cger_inplace,
    "Let CGer write over its first input.",
    inplace=True,
)
make_c_gemv_destructive = _replacement(
    "make_c_gemv_destructive",
    cgemv_no_inplace,
    cgemv_inplace,
    "Let CGemv write over its first input.",
    inplace=True,
)

blas_optdb.register("use_c_blas", in2out(use_c_ger, use_c_gemv), 20, "fast_run", "c_blas")
optdb.register(
    "c_blas_destructive",
    in2out(make_c_ger_destructive, make_c_gemv_destructive, name="c_blas_destructive"),
    70.0,
    "fast_run",
    "inplace",
    "c_blas",
)
