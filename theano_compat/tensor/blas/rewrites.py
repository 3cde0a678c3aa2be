"""Local rewrites from :class:`Dot` down to the cheapest BLAS call, and their places in ``optdb``."""

from __future__ import annotations

import numpy as np

from theano_compat import scalar as scal
from theano_compat.compile.mode import optdb
from theano_compat.gof.opt import EquilibriumOptimizer, copy_stack_trace, in2out, local_optimizer
from theano_compat.gof.optdb import SequenceDB
from theano_compat.tensor import basic as tb
from theano_compat.tensor.blas.gemm_sums import GemmOptimizer, _as_scalar, _clients, res_is_a
from theano_compat.tensor.blas.ops import (
    _dot22,
    _dot22scalar,
    gemm_inplace,
    gemm_no_inplace,
    gemv_inplace,
    gemv_no_inplace,
    ger,
    ger_destructive,
)
from theano_compat.tensor.elemwise import Elemwise
from theano_compat.tensor.opt import local_dimshuffle_lift

_DOT22_DTYPES = ("float16", "float32", "float64", "complex64", "complex128")

#: Ranks of the operands of a dot -> (order for x, order for y, order for the result).
_AS_MATRICES = {
    (2, 2): (None, None, None),
    (2, 1): (None, (0, "x"), (0,)),
    (1, 2): (("x", 0), None, (1,)),
    (1, 1): (("x", 0), (0, "x"), ()),
}


@local_optimizer([tb.Dot])
def local_dot_to_dot22(node):
    """Take a dot of matrices or vectors of one dtype to BLAS."""
    if not isinstance(node.op, tb.Dot):
        return False
    x, y = node.inputs
    if x.type.dtype != y.type.dtype or x.type.dtype not in _DOT22_DTYPES:
        return False
    orders = _AS_MATRICES.get((x.ndim, y.ndim))
    if orders is None:
        return False
    left = x if orders[0] is None else x.dimshuffle(*orders[0])
    right = y if orders[1] is None else y.dimshuffle(*orders[1])
    product = _dot22(left, right)
    result = product if orders[2] is None else product.dimshuffle(*orders[2])
    copy_stack_trace(node.outputs, product)
    copy_stack_trace(node.outputs, result)
    return [result]


def _inplace_twin(name: str, before, after, doc: str):
    """Make the rewrite of an op into the same op that destroys its first input."""

    def rewrite(node):
        if node.op != before:
            return False
        result = after(*node.inputs)
        copy_stack_trace(node.outputs, result)
        return [result]

    rewrite.__name__ = name
    rewrite.__doc__ = doc
    return local_optimizer([before], inplace=True)(rewrite)


local_inplace_gemm = _inplace_twin(
    "local_inplace_gemm", gemm_no_inplace, gemm_inplace, "Let Gemm write over its first input."
)
local_inplace_gemv = _inplace_twin(
    "local_inplace_gemv", gemv_no_inplace, gemv_inplace, "Let Gemv write over its first input."
)
local_inplace_ger = _inplace_twin(
    "local_inplace_ger", ger, ger_destructive, "Let Ger write over its first input."
)


@local_optimizer([gemm_no_inplace])
def local_gemm_to_gemv(node):
    """Use Gemv where one operand of a Gemm is a row or a column."""
    if node.op != gemm_no_inplace:
        return False
    z, a, x, y, b = node.inputs
    if z.broadcastable == x.broadcastable == (True, False):
        result = gemv_no_inplace(z.dimshuffle(1), a, y.T, x.dimshuffle(1), b)
        new = result.dimshuffle("x", 0)
    elif z.broadcastable == y.broadcastable == (False, True):
        result = gemv_no_inplace(z.dimshuffle(0), a, x, y.dimshuffle(0), b)
        new = result.dimshuffle(0, "x")
    else:
        return False
    copy_stack_trace(node.outputs, result)
    copy_stack_trace(node.outputs, new)
    return [new]


@local_optimizer([gemm_no_inplace])
def local_gemm_to_ger(node):
    """Use Ger where a Gemm adds an outer product."""
    if node.op != gemm_no_inplace:
        return False
    z, a, x, y, b = node.inputs
    if not (x.broadcastable[1] and y.broadcastable[0]):
        return False
    try:
        beta = tb.get_scalar_constant_value(b)
    except tb.NotScalarConstantError:
        return False
    if beta == 0:
        z = tb.zeros([x.shape[0], y.shape[1]], x.dtype)
    elif beta != 1:
        return False
    result = ger(z, a, x.dimshuffle(0), y.dimshuffle(1))
    copy_stack_trace(node.outputs, result)
    return [result]


@local_optimizer([_dot22])
def local_dot22_to_ger_or_gemv(node):
    """Use Ger or Gemv where an operand of a product is a row or a column."""
    if node.op != _dot22:
        return False
    x, y = node.inputs
    one = tb.as_tensor_variable(np.asarray(1, dtype=x.dtype))
    zero = tb.as_tensor_variable(np.asarray(0, dtype=x.dtype))
    if x.broadcastable[1] and y.broadcastable[0]:
        zeros = tb.zeros([x.shape[0], y.shape[1]], x.dtype)
        result = new = ger(zeros, one, x.dimshuffle(0), y.dimshuffle(1))
    elif x.broadcastable[0]:
        extent = 1 if y.broadcastable[1] else y.shape[1]
        space = tb.AllocEmpty(x.dtype)(extent)
        result = gemv_no_inplace(space, one, y.T, x.dimshuffle(1), zero)
        new = result.dimshuffle("x", 0)
    elif y.broadcastable[1]:
        space = tb.AllocEmpty(x.dtype)(x.shape[0])
        result = gemv_no_inplace(space, one, x, y.dimshuffle(0), zero)
        new = result.dimshuffle(0, "x")
    else:
        return False
    copy_stack_trace(node.outputs, result)
    copy_stack_trace(node.outputs, new)
    return [new]


def _is_mul(variable) -> bool:
    return (
        variable.owner is not None
        and isinstance(variable.owner.op, Elemwise)
        and isinstance(variable.owner.op.scalar_op, scal.Mul)
    )


@local_optimizer([tb.mul])
def local_dot22_to_dot22scalar(node):
    """Scale a product by a number inside the BLAS call.

    Notes
    -----
    Comes after Gemm, which takes the same number when it can. The number is cast to the dtype of
    the product where that does not change the result.
    """
    if not _is_mul(node.outputs[0]):
        return False
    products = [k for k, v in enumerate(node.inputs) if res_is_a(v, _dot22, 1)]
    if not products:
        return _scale_product_below(node)
    if len(products) > 1:
        return False
    (at,) = products
    product = node.inputs[at]
    found = _take_number(node.inputs, at, product.dtype)
    if found is None:
        return False
    number, others = found
    return _scaled_product(product, number, others, node)


def _take_number(factors, at: int, dtype):
    """Find a number among the factors of a product, or among those of one of the factors.

    Returns
    -------
    tuple or None
        The number in `dtype`, and the other factors without the one at place `at`.
    """
    for k, factor in enumerate(factors):
        number = None if k == at else _as_scalar(factor, dtype=dtype)
        if number is not None:
            return number, [v for j, v in enumerate(factors) if j not in (at, k)]
    for k, factor in enumerate(factors):
        if k == at or not _is_mul(factor) or _clients(factor) > 1:
            continue
        found = _take_number_here(factor.owner.inputs, dtype)
        if found is not None:
            number, rest = found
            kept = rest[0] if len(rest) == 1 else tb.mul(*rest)
            return number, [kept if j == k else v for j, v in enumerate(factors) if j != at]
    return None


def _take_number_here(factors, dtype):
    for k, factor in enumerate(factors):
        number = _as_scalar(factor, dtype=dtype)
        if number is not None:
            return number, [v for j, v in enumerate(factors) if j != k]
    return None


def _scale_product_below(node):
    """Handle ``number * (product * other)``: the number may join the product."""
    for k, inner in enumerate(node.inputs):
        if not _is_mul(inner) or _clients(inner) > 1:
            continue
        products = [j for j, v in enumerate(inner.owner.inputs) if res_is_a(v, _dot22, 1)]
        if len(products) != 1:
            continue
        (at,) = products
        product = inner.owner.inputs[at]
        around = [v for j, v in enumerate(node.inputs) if j != k]
        found = _take_number_here(around, product.dtype)
        if found is not None:
            number, others = found
            beside = [v for j, v in enumerate(inner.owner.inputs) if j != at]
            return _scaled_product(product, number, beside + others, node)
    return False


def _scaled_product(product, number, others, node):
    scaled = _dot22scalar(*product.owner.inputs, number)
    copy_stack_trace(node.outputs, scaled)
    return [_mul_with(scaled, others, node)]


def _mul_with(scaled, others, node):
    if not others:
        return scaled
    result = tb.mul(scaled, *others)
    copy_stack_trace(node.outputs, result)
    return result


@local_optimizer(None)
def local_print_as_we_go_along(node):
    """Print every sum and difference that is visited; a help in looking at rewrites."""
    if node.op in (tb.sub, tb.add):
        from theano_compat.printing import debugprint

        debugprint(node)
    return False


blas_optdb = SequenceDB()
optdb.register("BlasOpt", blas_optdb, 1.7, "fast_run", "fast_compile")
blas_optdb.register(
    "local_dot_to_dot22", in2out(local_dot_to_dot22), 0, "fast_run", "fast_compile"
)
blas_optdb.register("gemm_optimizer", GemmOptimizer(), 10, "fast_run")
blas_optdb.register(
    "local_dot22_to_dot22scalar", in2out(local_dot22_to_dot22scalar), 11, "fast_run"
)
blas_optdb.register(
    "local_gemm_to_gemv",
    EquilibriumOptimizer(
        [
            local_gemm_to_gemv,
            local_gemm_to_ger,
            local_dot22_to_ger_or_gemv,
            local_dimshuffle_lift,
        ],
        max_use_ratio=5,
        ignore_newtrees=False,
    ),
    15,
    "fast_run",
)


blas_opt_inplace = in2out(
    local_inplace_gemm, local_inplace_gemv, local_inplace_ger, name="blas_opt_inplace"
)
optdb.register(
    "InplaceBlasOpt", blas_opt_inplace, 70.0, "fast_run", "inplace", "blas_opt_inplace"
)
