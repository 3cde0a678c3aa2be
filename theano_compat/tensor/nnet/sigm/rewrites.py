"""Rewrites that find sigmoids and softpluses in expressions of exponentials and logarithms."""
from __future__ import annotations

import numpy as np

from theano_compat.compile.mode import optdb
from theano_compat.gof.opt import PatternSub, copy_stack_trace, local_optimizer
from theano_compat.tensor import basic as tensor
from theano_compat.tensor import opt

from .match import _is_1, is_1pexp, is_exp, is_neg, partition_num_or_denom
from .ops import hard_sigmoid, sigmoid, sigmoid_inplace, softplus, ultra_fast_sigmoid, ultra_fast_sigmoid_inplace
from .products import compute_mul, parse_mul_tree, perform_sigm_times_exp, simplify_mul


def _skip_identical_or_infinite(x, y):
    """Compare two results, ignoring places where the unstable form overflowed to -inf or NaN."""
    x, y = np.asarray(x), np.asarray(y)
    usable = np.isfinite(x)
    return bool(np.allclose(x[usable], y[usable], rtol=1e-4, atol=1e-6))


# --- logarithms: patterns and what they become ---

logsigm_to_softplus = PatternSub(
    (tensor.log, (sigmoid, "x")),
    (tensor.neg, (softplus, (tensor.neg, "x"))),
    allow_multiple_clients=True,
    values_eq_approx=_skip_identical_or_infinite)
log1msigm_to_softplus = PatternSub(
    (tensor.log, (tensor.sub, dict(pattern="y", constraint=_is_1), (sigmoid, "x"))),
    (tensor.neg, (softplus, "x")),
    allow_multiple_clients=True,
    values_eq_approx=_skip_identical_or_infinite)
log1pexp_to_softplus = PatternSub(
    (tensor.log1p, (tensor.exp, "x")),
    (softplus, "x"),
    values_eq_approx=_skip_identical_or_infinite,
    allow_multiple_clients=True)
log1p_neg_sigmoid = PatternSub(
    (tensor.log1p, (tensor.neg, (sigmoid, "x"))),
    (tensor.neg, (softplus, "x")),
    values_eq_approx=_skip_identical_or_infinite,
    allow_multiple_clients=True)

for _rewrite, _name in (
        (logsigm_to_softplus, "logsigm_to_softplus"),
        (log1msigm_to_softplus, "log1msigm_to_softplus"),
        (log1pexp_to_softplus, "log1pexp_to_softplus"),
        (log1p_neg_sigmoid, "log1p_neg_sigmoid,")):  # Theano's name has the comma
    opt.register_stabilize(_rewrite, name=_name)


@opt.register_stabilize
@local_optimizer([tensor.log1p])
def local_log1p_minus_sigmoid(node):
    """``log1p(-sigmoid(x)) -> -softplus(x)``, also where canonicalization wrote the minus as a factor -1."""
    if node.op != tensor.log1p:
        return None
    inner = is_neg(node.inputs[0])
    if inner is None or inner.owner is None or inner.owner.op != sigmoid:
        return None
    new = -softplus(inner.owner.inputs[0])
    new.tag.values_eq_approx = _skip_identical_or_infinite
    copy_stack_trace(node.outputs[0], new)
    return [new]


# --- quotients and products of exponentials ---

@opt.register_stabilize
@local_optimizer([tensor.true_div])
def local_exp_over_1_plus_exp(node):
    """``exp(x) / (1 + exp(x)) -> sigmoid(x)`` and ``c / (1 + exp(-x)) -> c * sigmoid(x)``, within products."""
    if node.op != tensor.true_div:
        return None
    num, denom = node.inputs
    numerators, num_rest, num_negative = partition_num_or_denom(num, is_exp)
    denominators, denom_rest, denom_negative = partition_num_or_denom(denom, is_1pexp)
    if not denominators:
        return None
    sigmoids = []
    for x in denominators:
        # 1 / (1 + e^x) is sigmoid(-x); with e^x above it is sigmoid(x).
        for position, numerator in enumerate(numerators):
            if numerator is x:
                del numerators[position]
                sigmoids.append(sigmoid(x))
                break
        else:
            sigmoids.append(sigmoid(-x))
    copy_stack_trace(node.outputs[0], sigmoids)
    factors = list(sigmoids)
    if num_negative ^ denom_negative:
        factors[0] = -factors[0]
        copy_stack_trace(node.outputs[0], factors[0])
    factors += [tensor.exp(x) for x in numerators]
    factors += [factor for factor in num_rest if not _is_1(factor)]
    new = factors[0] if len(factors) == 1 else tensor.mul(*factors)
    if denom_rest:
        divisor = denom_rest[0] if len(denom_rest) == 1 else tensor.mul(*denom_rest)
        new = new / divisor
    if new.dtype != node.outputs[0].dtype:
        new = tensor.cast(new, node.outputs[0].dtype)
    if new.broadcastable != node.outputs[0].broadcastable:
        new = tensor.fill(node.outputs[0], new)
    copy_stack_trace(node.outputs[0], new)
    return [new]


@opt.register_stabilize
@local_optimizer([tensor.mul])
def local_sigm_times_exp(node):
    """``exp(x) * sigmoid(-x) -> sigmoid(x)`` and ``exp(-x) * sigmoid(x) -> sigmoid(-x)``, anywhere in a product."""
    if node.op != tensor.mul:
        return None
    tree = parse_mul_tree(node.outputs[0])
    if not perform_sigm_times_exp(tree):
        return None
    new = compute_mul(simplify_mul(tree))
    if new.type != node.outputs[0].type:
        return None
    copy_stack_trace(node.outputs[0], new)
    return [new]


@opt.register_stabilize
@local_optimizer([tensor.inv])
def local_inv_1_plus_exp(node):
    """``1 / (1 + exp(x)) -> sigmoid(-x)``."""
    if node.op != tensor.inv:
        return None
    found = is_1pexp(node.inputs[0])
    if found is None or found[0]:
        return None
    new = sigmoid(-found[1])
    copy_stack_trace([node.inputs[0], node.outputs[0]], new)
    if new.broadcastable != node.outputs[0].broadcastable:
        new = tensor.fill(node.outputs[0], new)
    return [new]


# Off by default, as in Theano: with shared sigmoids it can add work.
register_local_1msigmoid = False


@local_optimizer([tensor.sub])
def local_1msigmoid(node):
    """``1 - sigmoid(x) -> sigmoid(-x)``."""
    if node.op != tensor.sub:
        return None
    one, sigm = node.inputs
    if sigm.owner is None or sigm.owner.op != sigmoid or not _is_1(one) or len(sigm.clients) > 1:
        return None
    new = sigmoid(-sigm.owner.inputs[0])
    copy_stack_trace([node.outputs[0], sigm], new)
    return [new]


if register_local_1msigmoid:
    opt.register_canonicalize(local_1msigmoid)


# --- approximations, only where asked for by name ---

_FAST = {sigmoid: ultra_fast_sigmoid, sigmoid_inplace: ultra_fast_sigmoid_inplace}


@local_optimizer([sigmoid, sigmoid_inplace])
def local_ultra_fast_sigmoid(node):
    """``sigmoid -> ultra_fast_sigmoid``, for ``optimizer_including=local_ultra_fast_sigmoid``."""
    fast = _FAST.get(node.op)
    if fast is None:
        return None
    new = fast(node.inputs[0])
    copy_stack_trace(node.outputs[0], new)
    new.tag.values_eq_approx = _within_approximation
    return [new]


@local_optimizer([sigmoid])
def local_hard_sigmoid(node):
    """``sigmoid -> hard_sigmoid``, for ``optimizer_including=local_hard_sigmoid``."""
    if node.op != sigmoid:
        return None
    new = hard_sigmoid(node.inputs[0])
    copy_stack_trace(node.outputs[0], new)
    new.tag.values_eq_approx = _within_approximation
    return [new]


def _within_approximation(x, y):
    """Compare values of a sigmoid and of its approximation."""
    return tensor.TensorType.values_eq_approx(x, y, atol=0.2)


for _rewrite in (local_ultra_fast_sigmoid, local_hard_sigmoid):  # no fast_run tag: applied only where named
    optdb["uncanonicalize"].register(_rewrite.__name__, _rewrite)
