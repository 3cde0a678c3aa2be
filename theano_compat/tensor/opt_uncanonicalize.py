"""Undoing forms that only canonicalization needed.

`MaxAndArgmax` whose index nobody uses becomes a maximum; ``-max(-x)`` becomes a minimum; and pairs of operations that move data are
brought into the order that costs least.
"""

from __future__ import annotations

from theano_compat import scalar as scal
from theano_compat.gof import local_optimizer
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.tensor import basic as T
from theano_compat.tensor.elemwise import CAReduce, DimShuffle
from theano_compat.tensor.opt.common import made_by
from theano_compat.tensor.opt.registry import register_uncanonicalize
from theano_compat.tensor.opt.subtensor import index_of, take
from theano_compat.tensor.subtensor import Subtensor


@register_uncanonicalize
@local_optimizer([T.MaxAndArgmax])
def local_max_and_argmax(node):
    """Compute only the one of maximum and index that is used."""
    maximum, index = node.outputs
    axis = node.op.axis
    if not index.clients:
        result = CAReduce(scal.maximum, axis)(node.inputs[0])
        result = copy_stack_trace(maximum, result)
        return [result, None] if result.type == maximum.type else False
    if not maximum.clients:
        result = copy_stack_trace(index, T.Argmax(axis)(node.inputs[0]))
        return [None, result] if result.type == index.type else False
    return False


@register_uncanonicalize
@local_optimizer([T.neg])
def local_max_to_min(node):
    """``-max(-x)`` → ``min(x)``."""
    inner = node.inputs[0].owner
    if inner is None or not isinstance(inner.op, CAReduce) or not isinstance(inner.op.scalar_op, scal.Maximum):
        return False
    negated = made_by(inner.inputs[0], T.neg)
    if negated is None:
        return False
    result = CAReduce(scal.minimum, inner.op.axis)(negated[0])
    return [copy_stack_trace([node.inputs[0], node.outputs[0]], result)] if result.type == node.outputs[0].type else False


@register_uncanonicalize
@local_optimizer([T.Alloc])
def local_alloc_dimshuffle(node):
    """``alloc(dimshuffle(x), shape)`` → ``alloc(x, shape)`` where the dimshuffle only adds dimensions on the left."""
    shuffled = made_by(node.inputs[0], DimShuffle)
    if shuffled is None:
        return False
    order = tuple(node.inputs[0].owner.op.new_order)
    inner = shuffled[0]
    if order != ("x",) * (len(order) - inner.ndim) + tuple(range(inner.ndim)):
        return False
    result = T.alloc(inner, *node.inputs[1:])
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


@register_uncanonicalize
@local_optimizer([T.Reshape])
def local_reshape_dimshuffle(node):
    """``reshape(dimshuffle(x), shape)`` → ``reshape(x, shape)`` where the dimshuffle keeps the order of what it does not add."""
    shuffled = made_by(node.inputs[0], DimShuffle)
    if shuffled is None:
        return False
    kept = [o for o in node.inputs[0].owner.op.new_order if o != "x"]
    if kept != list(range(shuffled[0].ndim)):
        return False
    result = node.op(shuffled[0], node.inputs[1])
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


@register_uncanonicalize
@local_optimizer([DimShuffle])
def local_dimshuffle_alloc(node):
    """``dimshuffle(alloc(x, a, b), 'x', 0, 1)`` → ``alloc(x, 1, a, b)``."""
    filled = made_by(node.inputs[0], T.Alloc)
    if filled is None:
        return False
    order = tuple(node.op.new_order)
    added = len(order) - node.inputs[0].ndim
    if added <= 0 or order != ("x",) * added + tuple(range(node.inputs[0].ndim)):
        return False
    result = T.alloc(filled[0], *([T.constant(1, dtype="int64")] * added), *filled[1:])
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


@register_uncanonicalize
@local_optimizer([DimShuffle])
def local_dimshuffle_subtensor(node):
    """``x[i:j].dimshuffle(kept)`` of a 1-long slice dimension → ``x[i]``: no dimension that is dropped again."""
    source = node.inputs[0]
    inner = source.owner
    if inner is None or not isinstance(inner.op, Subtensor):
        return False
    order = node.op.new_order
    dropped = [i for i in range(source.ndim) if i not in order]
    if not dropped or not all(source.type.broadcastable[i] for i in dropped):
        return False
    entries = index_of(inner)
    entries += [slice(None)] * (inner.inputs[0].ndim - len(entries))
    kept = [i for i, entry in enumerate(entries) if isinstance(entry, slice)]
    new = list(entries)
    for dimension in dropped:
        position = kept[dimension]
        entry = entries[position]
        if entry.step is not None and not _is_one(entry.step):
            return False
        new[position] = 0 if entry.start is None else entry.start
    part = take(inner.inputs[0], new)
    left = [i for i in range(source.ndim) if i not in dropped]
    moved = ["x" if o == "x" else left.index(o) for o in order]
    result = part if moved == list(range(part.ndim)) else part.dimshuffle(moved)
    return [copy_stack_trace([source, node.outputs[0]], result)] if result.type == node.outputs[0].type else False


def _is_one(step):
    from theano_compat.tensor.opt.subtensor import number

    return number(step) == 1


__all__ = [
    "local_alloc_dimshuffle", "local_dimshuffle_alloc", "local_dimshuffle_subtensor", "local_max_and_argmax",
    "local_max_to_min", "local_reshape_dimshuffle",
]  # fmt: skip
