"""Rewrites that introduce softmax ops, take their logarithm stably, and push argmax below them."""
from __future__ import annotations

from theano_compat import config
from theano_compat.gof.opt import copy_stack_trace, local_optimizer
from theano_compat.gof.opt.base import Reports
from theano_compat.tensor import basic as tensor
from theano_compat.tensor import opt, subtensor
from theano_compat.tensor.elemwise import DimShuffle, Elemwise, Sum
from theano_compat.tensor.opt import register_specialize
from theano_compat.tensor.type import values_eq_approx_remove_inf, values_eq_approx_remove_nan

from ..sigm.ops import sigmoid, softplus
from .quotient import Quotient, without
from .softmax import logsoftmax_op, softmax_grad, softmax_op, softmax_with_bias


def _owner(v, *ops):
    """The apply node of `v` where its op is one of `ops` (else None)."""
    return v.owner if v.owner is not None and v.owner.op in ops else None


def _row_of_vector(v):
    """The vector behind ``v = vector.dimshuffle('x', 0)``, or None."""
    node = v.owner
    if node is not None and isinstance(node.op, DimShuffle) and tuple(node.op.new_order) == ("x", 0):
        return node.inputs[0]
    return None


def split_bias(x):
    """Split a sum into a matrix and a bias vector.

    Parameters
    ----------
    x : matrix

    Returns
    -------
    (matrix, vector) or None
        None where `x` is no sum or has no vector among its terms.
    """
    node = _owner(x, tensor.add)
    if node is None:
        return None
    matrices, vectors = [], []
    for term in node.inputs:
        (matrices if _row_of_vector(term) is None else vectors).append(term)
    if not matrices and len(vectors) > 1:
        # A sum of rows only: one of them plays the matrix.
        matrices.append(vectors.pop(0))
    if not vectors or not matrices:
        return None
    matrix = matrices[0] if len(matrices) == 1 else tensor.add(*matrices)
    terms = [_row_of_vector(v) for v in vectors]
    bias = terms[0] if len(terms) == 1 else tensor.add(*terms)
    copy_stack_trace(x, [v for v in (matrix, bias) if v.owner is not None and not getattr(v.tag, "trace", None)])
    if matrix.ndim != 2 or bias.ndim != 1 or matrix.dtype != x.dtype or bias.dtype not in tensor.float_dtypes \
            or matrix.broadcastable != x.broadcastable:
        return None
    return matrix, bias


@register_specialize("fast_compile_gpu")
@local_optimizer([softmax_op])
def local_softmax_with_bias(node):
    """``softmax(matrix + vector) -> softmax_with_bias(matrix, vector)``."""
    if node.op != softmax_op:
        return None
    parts = split_bias(node.inputs[0])
    if parts is None:
        return None
    new = softmax_with_bias(*parts)
    if new.type != node.outputs[0].type:
        return None
    copy_stack_trace(node.outputs[0], new)
    return [new]


def _sum_of_rows(denominator):
    """``x`` where `denominator` is ``sum(x, axis=1).dimshuffle(0, 'x')`` (else None)."""
    node = denominator.owner
    if node is None or not isinstance(node.op, DimShuffle) or tuple(node.op.new_order) != (0, "x"):
        return None
    inner = node.inputs[0].owner
    if inner is None or not isinstance(inner.op, Sum) or inner.inputs[0].ndim != 2 \
            or tuple(inner.op.axis or ()) not in ((1,), (-1,)):
        return None
    return inner.inputs[0]


def softmax_simplifier(numerators, denominators):
    """Simplifier of the product canonizer: ``exp(x) / sum(exp(x), axis=1)`` is a softmax.

    Parameters
    ----------
    numerators, denominators : list of variables
        Factors of a quotient; changed in place.

    Returns
    -------
    (list, list)
    """
    for numerator in list(numerators):
        node = _owner(numerator, tensor.exp)
        if node is None or numerator.type.dtype not in tensor.float_dtypes or numerator.ndim != 2:
            continue
        x = node.inputs[0]
        for denominator in denominators:
            summed = _sum_of_rows(denominator)
            inner = None if summed is None else _owner(summed, tensor.exp)
            if inner is None or inner.inputs[0] is not x or summed.dtype != numerator.dtype:
                continue
            new = softmax_op(x)
            copy_stack_trace(numerator, new)
            numerators.remove(numerator)
            denominators.remove(denominator)
            numerators.append(new)
            break
    return numerators, denominators


opt.local_mul_canonizer.add_simplifier(softmax_simplifier, "softmax_simplifier")


@register_specialize("stabilize", "fast_compile")
@local_optimizer([tensor.log])
def local_logsoftmax(node):
    """``log(softmax(x)) -> logsoftmax(x)``, which keeps the digits of small probabilities."""
    if node.op != tensor.log:
        return None
    inner = _owner(node.inputs[0], softmax_op)
    if inner is None:
        return None
    new = logsoftmax_op(inner.inputs[0])
    new.tag.values_eq_approx = values_eq_approx_remove_inf
    copy_stack_trace([node.inputs[0], node.outputs[0]], new)
    return [new]


@register_specialize("stabilize", "fast_compile")
@local_optimizer([softmax_grad])
def local_logsoftmax_grad(node):
    """Gradient of ``log(softmax(x))``: ``g - sum(g, axis=1) * softmax(x)``, without the quotient ``g / softmax(x)``."""
    if node.op != softmax_grad:
        return None
    d_sm, sm = node.inputs
    if d_sm.owner is None or not isinstance(d_sm.owner.op, Elemwise) \
            or _owner(sm, softmax_op, softmax_with_bias) is None:
        return None
    quotient = Quotient(d_sm)
    if not any(v is sm for v in quotient.denom):
        return None
    # The gradient of an indexed log-softmax becomes a crossentropy gradient instead.
    if any(v.owner is not None and isinstance(v.owner.op, subtensor.AdvancedIncSubtensor) for v in quotient.num):
        return None
    quotient.denom = without(quotient.denom, sm)
    g = quotient.build(extra_sign=False)
    if g.ndim != 2:
        return None
    if g.broadcastable[0] and not sm.broadcastable[0]:
        g = tensor.alloc(g, sm.shape[0], g.shape[1])
    if g.broadcastable[1] and not sm.broadcastable[1]:
        g = tensor.alloc(g, g.shape[0], sm.shape[1])
    new = g - tensor.sum(g, axis=1, keepdims=True) * sm
    if new.type != node.outputs[0].type:
        return None
    new.tag.values_eq_approx = values_eq_approx_remove_nan
    copy_stack_trace(node.outputs[0], new)
    return [new]


# Increasing in each element; the softmaxes are increasing along a row only.
_INCREASING = (softplus, tensor.exp, tensor.log, tensor.tanh, sigmoid)
_warned_about_argmax_bug = False


@register_specialize("fast_compile_gpu")
@local_optimizer([tensor.MaxAndArgmax, tensor.Argmax])
def local_argmax_pushdown(node):
    """``argmax(softmax(x)) -> argmax(x)``, and the same for other increasing functions, where the maximum is unused."""
    if isinstance(node.op, tensor.MaxAndArgmax):
        if node.outputs[0].clients:
            return None
    elif not isinstance(node.op, tensor.Argmax):
        return None
    inner = node.inputs[0].owner
    if inner is None:
        return None
    axis = node.op.axis
    if axis is None:
        axis = tuple(range(node.inputs[0].ndim))
    along_rows = tuple(axis) == (1,)
    if inner.op in _INCREASING or (inner.op == softmax_op and along_rows):
        (below,) = inner.inputs
    elif inner.op == softmax_with_bias and along_rows:
        x, b = inner.inputs
        below = x + DimShuffle(b.broadcastable, ("x", 0))(b)
        copy_stack_trace(node.inputs[0], below)
    else:
        return None
    if below.dtype not in tensor.float_dtypes:
        return None
    _warn_of_old_bug()
    new = node.op(below, *node.inputs[1:], return_list=True) if isinstance(node.op, tensor.Argmax) \
        else tensor.max_and_argmax(below, axis)
    copy_stack_trace(node.outputs, new)
    return list(new)


def _warn_of_old_bug():
    global _warned_about_argmax_bug
    if config.warn.argmax_pushdown_bug and not _warned_about_argmax_bug:
        import logging

        _warned_about_argmax_bug = True
        Reports.count += 1
        logging.getLogger("theano.tensor.nnet.nnet").warning(
            "There was a bug in Theano versions between May 27th, 2010 and January 4th, 2011: the maximum of a softmax "
            "could be replaced by the maximum below it. Results here are right; set warn.argmax_pushdown_bug to False "
            "to hide this message.")
