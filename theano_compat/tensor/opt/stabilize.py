"""Equal expressions that lose fewer digits."""

from __future__ import annotations

import numpy as np

from theano_compat import scalar as scal
from theano_compat.gof import PatternSub, local_optimizer
from theano_compat.gof.opt import copy_stack_trace, in2out
from theano_compat.tensor import basic as T
from theano_compat.tensor.elemwise import DimShuffle, Sum
from theano_compat.tensor.opt.canonizer import local_mul_canonizer
from theano_compat.tensor.opt.common import (
    fill_chain,
    get_clients,
    get_clients2,
    is_value,
    made_by,
    scalar_op,
    scalarconsts_rest,
)
from theano_compat.tensor.opt.registry import (
    at_position,
    register_canonicalize,
    register_specialize,
    register_stabilize,
)
from theano_compat.tensor.type import values_eq_approx_remove_inf

# --- exponentials and logarithms ------------------------------------------------------------------


@register_canonicalize
@register_stabilize
@register_specialize
@local_optimizer([T.sub, T.add])
def local_expm1(node):
    """``exp(x) - 1`` → ``expm1(x)``."""
    out = node.outputs[0]
    if len(node.inputs) != 2:
        return False
    if node.op == T.sub:
        candidates = [(node.inputs[0], node.inputs[1], 1)]
    else:
        candidates = [(node.inputs[0], node.inputs[1], -1), (node.inputs[1], node.inputs[0], -1)]
    for exponential, number, wanted in candidates:
        if isinstance(scalar_op(exponential), scal.Exp) and is_value(number, wanted):
            argument = exponential.owner.inputs[0]
            result = T.expm1(argument)
            if result.dtype != out.dtype:
                result = T.cast(result, out.dtype)
            return [copy_stack_trace(out, result)] if result.type == out.type else False
    return False


@register_specialize
@register_stabilize
@local_optimizer([T.log])
def local_log1p(node):
    """``log(1 + x)`` → ``log1p(x)``, also under `fill`; ``log(1 - x)`` → ``log1p(-x)``."""
    out = node.outputs[0]
    argument = node.inputs[0].owner
    if argument is None:
        return False
    if argument.op == T.add:
        values, _constants, others = scalarconsts_rest(argument.inputs, only_process_constants=True)
        # Fillings may hide the 1: sum the constants.
        if values and others and np.allclose(np.sum(values), 1):
            inner = others[0] if len(others) == 1 else T.add(*others)
            if inner.dtype != node.inputs[0].dtype:
                return False
            result = T.log1p(inner)
            if result.type.broadcastable != out.type.broadcastable:
                (result,) = fill_chain(result, argument.inputs)
            return [copy_stack_trace(out, result)] if result.type == out.type else False
    elif argument.op == T.sub:
        one, other = argument.inputs
        if not is_value(one, 1) or other.type != node.inputs[0].type:
            return False
        return [copy_stack_trace(out, T.log1p(T.neg(other)))]
    return False


@register_stabilize
@register_specialize
@local_optimizer([T.log])
def local_log_add(node):
    """``log(exp(x) + exp(y))`` → ``max(x, y) + log1p(exp(-abs(x - y)))``."""
    total = made_by(node.inputs[0], T.add)
    if total is None or len(total) != 2:
        return False
    if not all(isinstance(scalar_op(v), scal.Exp) for v in total):
        return False
    x, y = (v.owner.inputs[0] for v in total)
    if x is y or x.dtype not in T.float_dtypes or y.dtype not in T.float_dtypes:
        return False
    largest = T.maximum(x, y)
    # One of the two differences is 0.
    result = largest + T.log1p(T.exp(T.add(x - largest, y - largest)))
    # Both are -inf or both +inf: the difference is NaN, the value is the largest itself.
    result.tag.values_eq_approx = values_eq_approx_remove_inf
    if result.dtype != node.outputs[0].dtype:
        result = T.cast(result, node.outputs[0].dtype)
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


@local_optimizer([T.log])
def local_log_sum_exp(node):
    """``log(sum(exp(x)))`` → ``m + log(sum(exp(x - m)))`` with `m` the maximum of `x` (infinities kept right)."""
    source, dimshuffle = node.inputs[0], None
    shuffled = made_by(source, DimShuffle)
    if shuffled is not None:
        source, dimshuffle = shuffled[0], source.owner.op
    summed = source.owner
    if summed is None or not isinstance(summed.op, Sum):
        return False
    exponential = summed.inputs[0]
    if not isinstance(scalar_op(exponential), scal.Exp):
        return False
    x = exponential.owner.inputs[0]
    if x.dtype not in T.float_dtypes:
        return False
    axis = summed.op.axis
    if axis is not None:
        axis = tuple(int(a) for a in np.atleast_1d(axis))
        if not axis:
            return False
    largest = T.max(x, axis=axis)
    largest_kept = T.max(x, axis=axis, keepdims=True)
    shifted = T.switch(T.isinf(largest_kept), T.exp(largest_kept), T.sum(T.exp(x - largest_kept), axis=axis, keepdims=True))
    kept = [i for i in range(x.ndim) if axis is not None and i not in axis]
    result = largest + T.log(shifted.dimshuffle(kept))
    if dimshuffle is not None:
        result = dimshuffle(result)
    if result.dtype != node.outputs[0].dtype:
        result = T.cast(result, node.outputs[0].dtype)
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


# After ``local_log_add`` and before fillings become allocs of shapes that use the maximum.
at_position("local_log_sum_exp", in2out(local_log_sum_exp, ignore_newtrees=True), 1.6, "fast_run")


# --- the error function -----------------------------------------------------------------------------

_ONE = {"pattern": "one", "constraint": lambda v: is_value(v, 1)}
_MINUS_ONE = {"pattern": "minus_one", "constraint": lambda v: is_value(v, -1)}

# name: (pattern, replacement). Canonical sums lead with their constant.
_ERF_RULES = {
    "local_one_minus_erf": ((T.sub, _ONE, (T.erf, "x")), (T.erfc, "x")),
    "local_one_minus_erf2": ((T.add, _ONE, (T.mul, _MINUS_ONE, (T.erf, "x"))), (T.erfc, "x")),
    "local_one_plus_neg_erf": ((T.add, _ONE, (T.neg, (T.erf, "x"))), (T.erfc, "x")),
    "local_one_plus_erf": ((T.add, _ONE, (T.erf, "x")), (T.erfc, (T.neg, "x"))),
    "local_erf_minus_one": ((T.add, _MINUS_ONE, (T.erf, "x")), (T.neg, (T.erfc, "x"))),
    "local_erf_neg_minus_one": ((T.add, _MINUS_ONE, (T.erfc, (T.neg, "x"))), (T.erf, "x")),
    "local_erf_neg_minus_one2": ((T.add, _MINUS_ONE, (T.erfc, (T.mul, _MINUS_ONE, "x"))), (T.erf, "x")),
    "local_one_minus_erfc": ((T.sub, _ONE, (T.erfc, "x")), (T.erf, "x")),
    "local_one_minus_erfc2": ((T.add, _ONE, (T.neg, (T.erfc, "x"))), (T.erf, "x")),
    "local_one_minus_erfc3": ((T.add, _ONE, (T.mul, _MINUS_ONE, (T.erfc, "x"))), (T.erf, "x")),
    "local_one_add_neg_erfc": ((T.add, (T.neg, (T.erfc, "x")), _ONE), (T.erf, "x")),
}

for _name, (_pattern, _replacement) in _ERF_RULES.items():
    _rule = PatternSub(_pattern, _replacement, allow_multiple_clients=True, name=_name)
    globals()[_name] = _rule
    register_canonicalize(_rule, name=_name)
    register_stabilize(_rule, name=_name)
    register_specialize(_rule, name=_name)


def _log_erfc_tail(x):
    """Return log(erfc(x)) for large x: the asymptotic series of erfc, in logarithms."""
    squared = T.sqr(x)
    series = 1 - 1 / (2 * squared) + 3 / (4 * T.sqr(squared)) - 15 / (8 * squared**3)
    return -squared - T.log(x) - np.asarray(0.5 * np.log(np.pi), dtype=x.dtype) + T.log(series)


# Beyond these, erfc underflows in float64 and in float32.
_ERFC_LIMIT = {"float64": 26.641747557, "float32": 10.0541949, "float16": 3.0}


@register_stabilize
@register_specialize
@local_optimizer([T.log])
def local_log_erfc(node):
    """``log(erfc(x))`` → the same with the tail from the asymptotic series, where erfc underflows."""
    source = made_by(node.inputs[0], T.erfc)
    if source is None:
        return False
    # Our own product below has this form too: leave it alone.
    if any(isinstance(getattr(c.op, "scalar_op", None), scal.Switch) for c in get_clients(node)):
        return False
    (x,) = source
    out = node.outputs[0]
    if x.dtype not in _ERFC_LIMIT:
        return False
    result = T.switch(x < np.asarray(_ERFC_LIMIT[x.dtype], dtype=x.dtype), T.log(T.erfc(x)), _log_erfc_tail(x))
    result.tag.values_eq_approx = values_eq_approx_remove_inf
    return [copy_stack_trace(out, result)] if result.type == out.type else False


@register_stabilize
@register_specialize
@local_optimizer([T.true_div])
def local_grad_log_erfc_neg(node):
    """``exp(-x**2) / erfc(x)``, the gradient of ``log(erfc(x))``, with the tail from the asymptotic series."""
    above, below = node.inputs
    divisor = made_by(below, T.erfc)
    if divisor is None:
        return False
    (x,) = divisor
    if x.dtype not in _ERFC_LIMIT:
        return False
    if any(
        isinstance(getattr(c.op, "scalar_op", None), scal.Switch) for c in (*get_clients(node), *get_clients2(node))
    ):
        return False
    factors = made_by(above, T.mul)
    factors = [above] if factors is None else list(factors)
    exponentials = [v for v in factors if isinstance(scalar_op(v), scal.Exp)]
    found = next((v for v in exponentials if _is_minus_square(v.owner.inputs[0], x)), None)
    if found is None:
        return False
    rest = list(factors)
    rest.remove(found)
    # exp(-x^2) / erfc(x) = x sqrt(pi) / (1 - 1/(2x^2) + 3/(4x^4) - 15/(8x^6))
    squared = T.sqr(x)
    series = 1 - 1 / (2 * squared) + 3 / (4 * T.sqr(squared)) - 15 / (8 * squared**3)
    tail = x * np.asarray(np.sqrt(np.pi), dtype=x.dtype) / series
    limit = np.asarray({"float64": 26.63, "float32": 9.3, "float16": 3.0}[x.dtype], dtype=x.dtype)
    ratio = T.switch(x < limit, T.true_div(found, below), tail)
    result = T.mul(ratio, *rest) if rest else ratio
    result.tag.values_eq_approx = values_eq_approx_remove_inf
    if result.dtype != node.outputs[0].dtype:
        result = T.cast(result, node.outputs[0].dtype)
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


def _is_minus_square(variable, x):
    """Whether an expression is ``-x**2`` in one of its usual forms."""
    inner = made_by(variable, T.neg)
    if inner is not None:
        return _is_square(inner[0], x)
    product = made_by(variable, T.mul)
    if product is None:
        return False
    num, denum = local_mul_canonizer.get_num_denum(variable)
    minus = [v for v in num if is_value(v, -1)]
    rest = [v for v in num if not is_value(v, -1)]
    if denum or len(minus) != 1:
        return False
    if len(rest) == 1:
        return _is_square(rest[0], x)
    return len(rest) == 2 and rest[0] is x and rest[1] is x


def _is_square(variable, x):
    owner = variable.owner
    if owner is None:
        return False
    if owner.op == T.sqr:
        return owner.inputs[0] is x
    if owner.op == T.pow:
        return owner.inputs[0] is x and is_value(owner.inputs[1], 2)
    return owner.op == T.mul and len(owner.inputs) == 2 and all(v is x for v in owner.inputs)


__all__ = [
    *_ERF_RULES, "local_expm1", "local_grad_log_erfc_neg", "local_log1p", "local_log_add",
    "local_log_erfc", "local_log_sum_exp",
]  # fmt: skip
