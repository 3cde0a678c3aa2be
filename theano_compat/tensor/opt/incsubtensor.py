"""Writing parts of tensors: useless writes, set instead of increment, chains of increments, work in place."""

from __future__ import annotations

import numpy as np

from theano_compat.gof import local_optimizer
from theano_compat.gof.opt import TopoOptimizer, copy_stack_trace, in2out
from theano_compat.tensor import basic as T
from theano_compat.tensor.opt.asserts import Assert
from theano_compat.tensor.opt.common import constant_value, is_value, made_by, shape_feature_of
from theano_compat.tensor.opt.registry import (
    at_position,
    register_canonicalize,
    register_specialize,
    register_stabilize,
    register_useless,
)
from theano_compat.tensor.opt.shape_feature import equal_lengths
from theano_compat.tensor.opt.subtensor import covers, distinct, index_of, number, take
from theano_compat.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedIncSubtensor1,
    AdvancedSubtensor1,
    IncSubtensor,
    Subtensor,
    advanced_inc_subtensor1,
    advanced_subtensor,
    advanced_subtensor1,
)

_WRITERS = [IncSubtensor, AdvancedIncSubtensor, AdvancedIncSubtensor1]


def _sets(node):
    return getattr(node.op, "set_instead_of_inc", False)


@register_canonicalize("local_incsubtensor_of_allocs")
@register_stabilize("local_incsubtensor_of_allocs")
@local_optimizer(_WRITERS)
def local_incsubtensor_of_zeros(node):
    """``inc_subtensor(x[i], 0)`` → ``x``."""
    if _sets(node):
        return False
    value = constant_value(node.inputs[1], only_process_constants=False)
    return [node.inputs[0]] if value is not None and value == 0 else False


@register_canonicalize
@register_specialize
@local_optimizer([IncSubtensor])
def local_incsubtensor_of_zeros_to_setsubtensor(node):
    """``inc_subtensor(zeros[i], y)`` → ``set_subtensor(zeros[i], y)``."""
    if _sets(node):
        return False
    base = node.inputs[0]
    if not isinstance(base, T.TensorConstant) or np.any(base.data):
        return False
    op = IncSubtensor(
        node.op.idx_list,
        inplace=node.op.inplace,
        set_instead_of_inc=True,
        destroyhandler_tolerate_aliased=node.op.destroyhandler_tolerate_aliased,
    )
    return [copy_stack_trace(node.outputs[0], op(*node.inputs))]


@register_canonicalize("local_setsubtensor_of_allocs")
@register_stabilize("local_setsubtensor_of_allocs")
@local_optimizer([IncSubtensor])
def local_setsubtensor_of_constants(node):
    """``set_subtensor(full_of_c[i], c)`` → ``full_of_c``."""
    if not _sets(node):
        return False
    base, value = (constant_value(v) for v in node.inputs[:2])
    if base is None or value is None or not np.array_equal(base, value):
        return False
    return [node.inputs[0]]


@register_useless
@register_canonicalize
@register_specialize
@local_optimizer([IncSubtensor])
def local_useless_inc_subtensor(node):
    """``inc_subtensor(zeros[:], y)`` and ``set_subtensor(x[:], y)`` → ``y``; ``[::-1]`` → ``y[::-1]``."""
    base, value = node.inputs[:2]
    if not _sets(node) and not is_value(base, 0):
        return False
    if base.type != value.type:
        return False
    entries, feature = index_of(node), shape_feature_of(node)
    if feature is None:
        return False
    lengths = feature.shape_of[base]
    turned = [_reverses(entry) for entry in entries]
    if not all(reverse or covers(entry, length) for reverse, entry, length in zip(turned, entries, lengths)):
        return False
    if not feature.same_shape(base, value):
        return False
    if not any(turned):
        return [value]
    return [copy_stack_trace(node.outputs[0], take(value, [slice(None, None, -1 if reverse else None) for reverse in turned]))]


def _reverses(entry):
    """Whether a part of an index is ``::-1``."""
    if not isinstance(entry, slice) or entry.start is not None or entry.stop is not None:
        return False
    step = number(entry.step)
    return isinstance(step, int) and step == -1


@register_useless
@register_canonicalize
@register_stabilize
@register_specialize
@local_optimizer(_WRITERS)
def local_useless_inc_subtensor_alloc(node):
    """``inc_subtensor(x[i], alloc(z, shape))`` → ``inc_subtensor(x[i], z)``: writing broadcasts anyway."""
    base, value, *index = node.inputs
    filled = made_by(value, T.Alloc)
    feature = shape_feature_of(node)
    if filled is None or feature is None:
        return False
    inner = filled[0]
    if inner.dtype != value.dtype:
        return False
    if isinstance(node.op, IncSubtensor):
        place = Subtensor(node.op.idx_list)(base, *index)
    elif isinstance(node.op, AdvancedIncSubtensor1):
        place = advanced_subtensor1(base, index[0])
    else:
        place = advanced_subtensor(base, *index)
    if value.ndim > place.ndim:
        return False
    place_shape, value_shape = feature.shape_of[place], feature.shape_of[value]
    offset, conditions = place.ndim - value.ndim, []
    for i in range(value.ndim):
        wanted, given = place_shape[i + offset], value_shape[i]
        if value.type.broadcastable[i] or is_value(given, 1) or equal_lengths(given, wanted):
            continue
        # The Alloc said how long it is; without it somebody must still check that it fits.
        same = T.eq(wanted, given)
        conditions.append(T.or_(T.eq(given, 1), same))
    if conditions:
        inner = copy_stack_trace(value, Assert("`x[i]` and `y` do not have the same shape.")(inner, *conditions))
    result = node.op(base, inner, *index)
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


@register_canonicalize
@local_optimizer([AdvancedIncSubtensor1])
def local_set_to_inc_subtensor(node):
    """``set_subtensor(x[i], x[i] + y)`` → ``inc_subtensor(x[i], y)`` for a vector `i` of distinct rows."""
    base, value, rows = node.inputs
    if not _sets(node) or not distinct(rows):
        # A row that occurs twice is set once, and would be incremented twice.
        return False
    total = made_by(value, T.add)
    if total is None or len(total) != 2:
        return False
    for part, other in (total, reversed(total)):
        read = part.owner
        if read is None or not isinstance(read.op, AdvancedSubtensor1):
            continue
        if read.inputs[0] is base and read.inputs[1] is rows:
            if other.ndim > base.ndim:
                return False
            result = advanced_inc_subtensor1(base, other, rows)
            return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False
    return False


@register_canonicalize
@local_optimizer([T.add])
def local_IncSubtensor_serialize(node):
    """``inc(zeros, a) + inc(zeros, b)`` → ``inc(inc(zeros + zeros, a), b)``: one array is written twice, none is added.

    The gradient of a tensor that is read in many places is such a sum.
    """
    out = node.outputs[0]

    def movable(variable):
        owner = variable.owner
        return (
            owner is not None
            and isinstance(owner.op, tuple(_WRITERS))
            and not _sets(owner)
            and not getattr(owner.op, "inplace", False)
            and variable.type == out.type
            and len(variable.clients) == 1
        )

    moved = [v for v in node.inputs if movable(v)]
    if not moved:
        return False
    # What is incremented may be such a chain itself: its base joins the sum, for linear cost in one step.
    steps, bases = [], []
    for variable in moved:
        chain = []
        while movable(variable):
            chain.append(variable.owner)
            variable = variable.owner.inputs[0]
        steps.extend(reversed(chain))
        bases.append(variable)
    terms = [v for v in node.inputs if v not in moved] + bases
    tip = terms[0] if len(terms) == 1 else copy_stack_trace(out, T.add(*terms))
    if tip.type != out.type:
        return False
    for step in steps:
        tip = copy_stack_trace([out, step.outputs[0]], step.op(tip, *step.inputs[1:]))
    return [tip]


at_position("pre_local_IncSubtensor_serialize", in2out(local_IncSubtensor_serialize), 0.99, "fast_run")


# --- in place ---------------------------------------------------------------------------------------


@local_optimizer([IncSubtensor], inplace=True)
def local_inplace_setsubtensor(node):
    """Write into the input itself."""
    if node.op.inplace:
        return False
    op = type(node.op)(
        node.op.idx_list,
        inplace=True,
        set_instead_of_inc=node.op.set_instead_of_inc,
        destroyhandler_tolerate_aliased=node.op.destroyhandler_tolerate_aliased or [[0, 1]],
    )
    return [copy_stack_trace(node.outputs[0], op(*node.inputs))]


@local_optimizer([AdvancedIncSubtensor1], inplace=True)
def local_inplace_incsubtensor1(node):
    """Write rows into the input itself."""
    if node.op.inplace:
        return False
    return [copy_stack_trace(node.outputs[0], node.op.clone_inplace()(*node.inputs))]


for _rewrite in (local_inplace_setsubtensor, local_inplace_incsubtensor1):
    at_position(
        _rewrite.__name__,
        TopoOptimizer(_rewrite, failure_callback=TopoOptimizer.warn_inplace),
        60,
        "fast_run",
        "inplace",
    )
