"""Switches and casts."""

from __future__ import annotations

from theano_compat import scalar as scal
from theano_compat.compile.ops import Shape_i
from theano_compat.gof import local_optimizer
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.tensor import basic as T
from theano_compat.tensor.elemwise import Elemwise
from theano_compat.tensor.opt.common import constant_value, is_an_upcast, made_by, scalar_op
from theano_compat.tensor.opt.registry import register_canonicalize, register_specialize, register_useless
from theano_compat.tensor.type import values_eq_approx_remove_nan


@register_useless("local_remove_switch_const_cond")
@register_canonicalize("fast_compile", "local_remove_switch_const_cond")
@register_specialize
@local_optimizer([scal.Switch])
def local_useless_switch(node):
    """A switch with a constant condition, with equal branches, or one that keeps a length from being negative."""
    if not isinstance(node.op, Elemwise):
        return False
    condition, when_true, when_false = node.inputs
    out = node.outputs[0]
    value = constant_value(condition, elemwise=False, only_process_constants=True)
    if value is not None and condition.type.ndim == 0 or value is not None and all(condition.type.broadcastable):
        chosen = when_false if value == 0 else when_true
        return _fitted(chosen, node)
    if when_true is when_false:
        result = T.fill(condition, when_true) if when_true.type != out.type else when_true
        return [result] if result.type == out.type else False
    # switch(length <= 0, 0, length) and switch(length < 0, 0, length)
    compared = condition.owner
    if compared is not None and isinstance(scalar_op(condition), (scal.LE, scal.LT)):
        length, bound = compared.inputs
        if (
            length is when_false
            and made_by(length, Shape_i) is not None
            and constant_value(bound, only_process_constants=True) == 0
            and constant_value(when_true, only_process_constants=True) == 0
            and when_false.type == out.type
        ):
            return [when_false]
    return False


def _fitted(chosen, node):
    """Return a branch with the type and shape that the whole switch has."""
    out = node.outputs[0]
    if chosen.dtype != out.dtype:
        chosen = T.cast(chosen, out.dtype)
    if chosen.type.broadcastable != out.type.broadcastable:
        lengths = []
        for i in range(out.ndim):
            giver = chosen
            if chosen.type.broadcastable[i] and not out.type.broadcastable[i]:
                giver = next(v for v in node.inputs if not v.type.broadcastable[i])
            lengths.append(giver.shape[i])
        chosen = T.alloc(chosen, *lengths)
    if chosen.type != out.type:
        return False
    return [chosen if chosen in node.inputs else copy_stack_trace(out, chosen)]


# Cheap operations for which it does not matter whether they are done before or after the choice.
_MERGEABLE = (
    scal.Add, scal.Sub, scal.Mul, scal.TrueDiv, scal.IntDiv, scal.Pow, scal.Mod, scal.Maximum, scal.Minimum,
    scal.EQ, scal.NEQ, scal.LT, scal.LE, scal.GT, scal.GE, scal.AND, scal.OR, scal.XOR,
)  # fmt: skip


@register_canonicalize
@local_optimizer(list(_MERGEABLE))
def local_merge_switch_same_cond(node):
    """``switch(c, a, b) + switch(c, d, e)`` → ``switch(c, a + d, b + e)``."""
    if not isinstance(node.op, Elemwise) or len(node.inputs) < 2:
        return False
    parts = [v.owner.inputs if isinstance(scalar_op(v), scal.Switch) else None for v in node.inputs]
    if any(part is None for part in parts) or any(part[0] is not parts[0][0] for part in parts):
        return False
    # a switch has the wider dtype of its branches: the operation is done in that one
    above, below = (
        node.op(*[p[k] if p[k].dtype == v.dtype else T.cast(p[k], v.dtype) for p, v in zip(parts, node.inputs)])
        for k in (1, 2)
    )
    result = T.switch(parts[0][0], above, below)
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


def _sink(node, variable, combine):
    """Move an operation into the branch of a switch whose other branch is 0."""
    if not isinstance(scalar_op(variable), scal.Switch):
        return None
    condition, *branches = variable.owner.inputs
    for i, branch in enumerate(branches):
        value = constant_value(branch, only_process_constants=True)
        if value is None or value != 0:
            continue
        other = combine(branches[1 - i])
        # A plain 0 does not widen the dtype, and merges with others.
        result = T.switch(condition, *((0, other) if i == 0 else (other, 0)))
        if result.type != node.outputs[0].type:
            return None
        # What would have been 0 * inf or 0 / 0 is 0 now.
        result.tag.values_eq_approx = values_eq_approx_remove_nan
        return [copy_stack_trace(node.outputs[0], result)]
    return None


@register_specialize
@register_canonicalize
@local_optimizer([T.mul])
def local_mul_switch_sink(node):
    """``switch(c, 0, a) * b`` → ``switch(c, 0, a * b)``: no NaN from ``0 * inf`` that the program excludes by the switch."""
    for i, variable in enumerate(node.inputs):
        others = [v for j, v in enumerate(node.inputs) if j != i]

        def combine(branch, others=others):
            return copy_stack_trace(node.outputs[0], T.mul(*others, branch)) if others else branch

        result = _sink(node, variable, combine)
        if result is not None:
            return result
    return False


@register_canonicalize
@local_optimizer([T.true_div, T.int_div])
def local_div_switch_sink(node):
    """``switch(c, 0, a) / b`` → ``switch(c, 0, a / b)``."""
    result = _sink(
        node, node.inputs[0], lambda branch: copy_stack_trace(node.outputs[0], node.op(branch, node.inputs[1]))
    )
    return result or False


# --- casts ----------------------------------------------------------------------------------------


@register_canonicalize
@register_specialize
@local_optimizer([scal.Cast])
def local_cast_cast(node):
    """``cast(cast(x, a), b)`` → ``cast(x, b)`` where the inner cast loses nothing; a cast to the own dtype goes."""
    if not isinstance(node.op, Elemwise):
        return False
    source, out = node.inputs[0], node.outputs[0]
    if source.type == out.type:
        return [source]
    if not isinstance(scalar_op(source), scal.Cast):
        return False
    origin = source.owner.inputs[0]
    if not is_an_upcast(origin.dtype, source.dtype):
        return False
    if origin.dtype == out.dtype:
        return [origin]
    return [copy_stack_trace(out, node.op(origin))]


@register_canonicalize
@local_optimizer([Elemwise])
def local_upcast_elemwise_constant_inputs(node):
    """Cast constants of an elementwise operation to the dtype of its result now, not for each element at run time."""
    if len(node.outputs) != 1:
        return False
    rule = getattr(node.op.scalar_op, "output_types_preference", None)
    if rule is not scal.upgrade_to_float and rule is not scal.upcast_out:
        return False
    out = node.outputs[0]
    inputs, changed = [], False
    for variable in node.inputs:
        converted = None if variable.type.dtype == out.type.dtype else _upcast_constant(variable, out.type.dtype)
        if converted is None:
            inputs.append(variable)
        else:
            inputs.append(converted)
            changed = True
    if not changed:
        return False
    result = node.op(*inputs)
    if result.type != out.type:
        return False
    return [copy_stack_trace(out, result)]


def _upcast_constant(variable, dtype):
    """Return a constant in another dtype; None if the variable is no constant."""
    value = constant_value(variable, only_process_constants=True)
    if value is not None and all(variable.type.broadcastable):
        return T.shape_padleft(T.cast(T.constant(value), dtype), variable.ndim)
    if isinstance(variable, T.TensorConstant):
        return T.cast(variable, dtype)
    return None
