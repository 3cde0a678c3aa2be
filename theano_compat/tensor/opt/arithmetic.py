"""Signs, products, quotients and powers: towards one form, and from it to the cheapest operations."""

from __future__ import annotations

from functools import reduce

import numpy as np

from theano_compat import scalar as scal
from theano_compat.gof import local_optimizer
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.tensor import basic as T
from theano_compat.tensor.elemwise import Elemwise
from theano_compat.tensor.opt.canonizer import local_mul_canonizer
from theano_compat.tensor.opt.common import (
    broadcast_like,
    constant_value,
    fill_chain,
    like,
    made_by,
    with_type_of,
)
from theano_compat.tensor.opt.registry import (
    register_canonicalize,
    register_specialize,
    register_specialize_device,
)

# --- canonical forms ------------------------------------------------------------------------------


@register_canonicalize
@local_optimizer([T.neg])
def local_neg_to_mul(node):
    """``-x`` → ``-1 * x``, so that products see signs."""
    source = node.inputs[0]
    result = T.mul(np.array(-1).astype(source.dtype), source)
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


@register_canonicalize
@local_optimizer([T.inv])
def local_inv_canon(node):
    """``1 / x`` as an operation of its own → ``x ** -1``."""
    result = T.pow(node.inputs[0], -1.0 if node.inputs[0].dtype in T.float_dtypes else -1)
    result = with_type_of(result, node)
    return [copy_stack_trace(node.outputs[0], result)] if result is not None else False


@register_canonicalize
@local_optimizer([T.pow])
def local_pow_canonicalize(node):
    """``x ** 0`` → 1, ``x ** 1`` → ``x``."""
    power = local_mul_canonizer.get_constant(node.inputs[1])
    if power is None or not (power == 0 or power == 1):
        return False
    if power == 0:
        return like(1, node)
    result = broadcast_like(node.inputs[0], node.outputs[0], node.fgraph)
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


@register_canonicalize
@local_optimizer([T.mul])
def local_mul_zero(node):
    """``0 * x`` → 0 (for infinite and NaN `x` too: that is Theano's convention)."""
    for variable in node.inputs:
        value = constant_value(variable)
        if value is not None and value == 0:
            return like(0, node)
    return False


@register_canonicalize
@register_specialize
@local_optimizer([T.int_div, T.true_div])
def local_zero_div(node):
    """``0 / x`` → 0."""
    value = constant_value(node.inputs[0])
    return like(0, node) if value is not None and value == 0 else False


@register_canonicalize
@local_optimizer([T.int_div])
def local_intdiv_by_one(node):
    """``x // 1`` → ``x`` for integers, ``floor(x)`` for floats."""
    dividend = node.inputs[0]
    divisor = constant_value(node.inputs[1], only_process_constants=True)
    if divisor is None or divisor != 1 or dividend.type != node.outputs[0].type:
        return False
    if dividend.dtype in T.integer_dtypes:
        return [dividend]
    return [copy_stack_trace(node.outputs[0], T.floor(dividend))] if dividend.dtype in T.float_dtypes else False


@register_canonicalize
@local_optimizer([T.abs_])
def local_abs_lift(node):
    """``abs(x * y)`` → ``abs(x) * abs(y)``, likewise quotients: factors may cancel then."""
    inner = node.inputs[0].owner
    if inner is None or node.outputs[0].dtype != node.inputs[0].dtype:
        return False
    if any(v.dtype in T.int_dtypes and v.dtype != node.inputs[0].dtype for v in inner.inputs):
        return False  # the lowest number of a narrow integer dtype has no absolute value there
    if inner.op == T.mul and len(inner.inputs) > 1:
        return [copy_stack_trace(node.outputs[0], T.mul(*[T.abs_(v) for v in inner.inputs]))]
    if inner.op == T.true_div:
        above, below = inner.inputs
        result = T.true_div(T.abs_(above), T.abs_(below))
        return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False
    return False


@register_specialize
@local_optimizer([T.mul, T.true_div])
def local_abs_merge(node):
    """``abs(x) * abs(y)`` → ``abs(x * y)``: the reverse, once all is settled."""

    def below(variable):
        inner = made_by(variable, T.abs_)
        return inner[0] if inner is not None else None

    if sum(below(v) is not None for v in node.inputs) < 2:
        return False
    inner = []
    for variable in node.inputs:
        source = below(variable)
        if source is None:
            value = constant_value(variable)
            if value is None or np.iscomplexobj(value) or value < 0:
                return False
            source = variable
        inner.append(source)
    result = T.abs_(node.op(*inner))
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


# --- cheap operations -----------------------------------------------------------------------------


@register_specialize
@local_optimizer([T.neg])
def local_neg_neg(node):
    """``-(-x)`` → ``x``."""
    inner = made_by(node.inputs[0], T.neg)
    return [inner[0]] if inner is not None and inner[0].type == node.outputs[0].type else False


@register_specialize
@local_optimizer([T.neg])
def local_neg_div_neg(node):
    """``-((-a) / b)`` → ``a / b``, and ``-(c / b)`` → ``(-c) / b`` for a constant `c`."""
    if len(node.inputs[0].clients) != 1:
        return False
    quotient = made_by(node.inputs[0], T.true_div)
    if quotient is None:
        return False
    above, below = quotient
    negated = made_by(above, T.neg)
    if negated is not None:
        result = T.true_div(negated[0], below)
    elif constant_value(above) is not None and above.dtype not in T.uint_dtypes:
        # Constant folding takes care of the new sign.
        result = T.true_div(-above, below)
    else:
        return False
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


@register_specialize
@local_optimizer([T.mul])
def local_mul_to_sqr(node):
    """``x * x`` → ``sqr(x)``."""
    if len(node.inputs) == 2 and node.inputs[0] is node.inputs[1]:
        return [copy_stack_trace(node.outputs[0], T.sqr(node.inputs[0]))]
    return False


@register_specialize
@local_optimizer([T.true_div])
def local_div_to_inv(node):
    """``1 / x`` → ``inv(x)``."""
    value = constant_value(node.inputs[0])
    if value is None or value != 1:
        return False
    out = node.outputs[0]
    result = T.inv(local_mul_canonizer.merge_num_denum(list(node.inputs[1:]), []))
    if out.type.broadcastable != result.type.broadcastable:
        # The numerator is 1 but not scalar: the shape is the numerator's too.
        result = broadcast_like(result, out, node.fgraph)
    result = T.cast(result, out.dtype)
    return [copy_stack_trace(out, result)] if result.type == out.type else False


@register_specialize
@local_optimizer([T.add])
def local_add_specialize(node):
    """``x + 0`` → ``x``."""
    kept = []
    for variable in node.inputs:
        value = constant_value(variable)
        if value is None or value != 0:
            kept.append(variable)
    if len(kept) == len(node.inputs):
        return False
    out = node.outputs[0]
    if not kept:
        # All are zeros: give zeros, in the shape of all inputs together.
        (result,) = fill_chain(np.asarray(0, dtype=out.dtype), node.inputs)
        result = T.cast(result, out.dtype)
    else:
        result = kept[0] if len(kept) == 1 else T.add(*kept)
        result = with_type_of(result, node)
    if result is None or result.type != out.type:
        return False
    return [result if result in node.inputs else copy_stack_trace(out, result)]


@register_specialize
@local_optimizer([T.mul])
def local_mul_specialize(node):
    """Drop ones and pairs of signs from a product, make it 0 where there is a zero, and ``-1 * x`` a `neg`."""
    out = node.outputs[0]
    negative, negs, units, kept = False, 0, 0, []
    for variable in node.inputs:
        inner = made_by(variable, T.neg)
        while inner is not None:
            variable, negative, negs = inner[0], not negative, negs + 1
            inner = made_by(variable, T.neg)
        value = local_mul_canonizer.get_constant(variable)
        if value is not None and value == 0:
            return like(0, node)
        if value is not None and (value == 1 or value == -1):
            units += 1
            negative ^= bool(value == -1)
        else:
            kept.append(variable)
    if not negs and not units:
        return False
    if not kept:
        return like(-1 if negative else 1, node)
    if len(kept) == 1:
        if negative and (kept[0].dtype in T.uint_dtypes or kept[0].dtype == "bool"):
            return False
        result = T.neg(kept[0]) if negative else kept[0]
    elif negative and not negs and units == 1:
        # One -1 among several factors is as good as a neg of the product.
        return False
    else:
        sign = [np.asarray(-1).astype(out.dtype)] if negative else []
        result = T.mul(*sign, *kept)
    result = with_type_of(result, node)
    if result is None:
        return False
    return [result if result in node.inputs else copy_stack_trace(out, result)]


@register_specialize
@local_optimizer([T.sub])
def local_elemwise_sub_zeros(node):
    """``x - x`` → 0."""
    if node.inputs[0] is node.inputs[1]:
        return like(0, node)
    return False


# --- powers ---------------------------------------------------------------------------------------

# Exact rewritings of x ** p for small p.
_POWERS = {
    2: T.sqr,
    -2: lambda x: T.inv(T.sqr(x)),
    -1: T.inv,
    0.5: T.sqrt,
    -0.5: lambda x: T.inv(T.sqrt(x)),
    1: lambda x: x,
}


def _power_of(node):
    """Return (x, p) of ``x ** p`` with a number p, if rewriting is possible; p may broadcast only as far as x does."""
    if node.outputs[0].dtype != node.inputs[0].dtype and node.inputs[0].dtype in T.discrete_dtypes:
        base = T.cast(node.inputs[0], node.outputs[0].dtype)
    else:
        base = node.inputs[0]
    power = local_mul_canonizer.get_constant(node.inputs[1])
    if power is None or node.inputs[1].ndim > node.inputs[0].ndim:
        return None
    if node.inputs[0].type.broadcastable != node.outputs[0].type.broadcastable:
        return None
    return base, power


@register_specialize
@local_optimizer([T.pow])
def local_pow_specialize(node):
    """``x ** 2`` → ``sqr(x)``, ``x ** 0.5`` → ``sqrt(x)``, ``x ** -1`` → ``inv(x)``, and so on."""
    found = _power_of(node)
    if found is None:
        return False
    base, power = found
    if base.dtype in T.discrete_dtypes and power < 0:
        return False
    out = node.outputs[0]
    if power == 0:
        return like(1, node)
    build = next((b for p, b in _POWERS.items() if power == p), None)
    if build is None:
        return False
    result = build(base)
    if result.dtype != out.dtype:
        result = T.cast(result, out.dtype)
    return [copy_stack_trace(out, result)] if result.type == out.type else False


@register_specialize_device
@local_optimizer([T.pow])
def local_pow_specialize_device(node):
    """``x ** n`` for integers up to 512 → products of squares: at most twice log2(n) products."""
    found = _power_of(node)
    if found is None:
        return False
    base, power = found
    out = node.outputs[0]
    if np.iscomplexobj(power) or abs(power) > 512 or int(power) != power or power == 0:
        return False
    number = abs(int(power))
    if power < 0 and base.dtype in T.discrete_dtypes:
        return False
    # All in scalars: one elementwise operation does it in one pass.
    scalar_in = scal.get_scalar_type(base.dtype)("x")
    factors, square, bit = [], scalar_in, 1
    while bit <= number:
        if number & bit:
            factors.append(square)
        bit <<= 1
        if bit <= number:
            square = scal.sqr(square)
    result = reduce(scal.mul, reversed(factors))
    value = Elemwise(scal.Composite([scalar_in], [result]))(base) if number > 2 else _POWERS[number](base)
    if power < 0:
        value = T.inv(copy_stack_trace(out, value))
    if value.dtype != out.dtype:
        value = T.cast(value, out.dtype)
    return [copy_stack_trace(out, value)] if value.type == out.type else False


__all__ = [
    "local_abs_lift", "local_abs_merge", "local_add_specialize", "local_div_to_inv",
    "local_elemwise_sub_zeros", "local_intdiv_by_one", "local_inv_canon", "local_mul_specialize", "local_mul_to_sqr",
    "local_mul_zero", "local_neg_div_neg", "local_neg_neg", "local_neg_to_mul", "local_pow_canonicalize",
    "local_pow_specialize", "local_pow_specialize_device", "local_zero_div",
]  # fmt: skip
