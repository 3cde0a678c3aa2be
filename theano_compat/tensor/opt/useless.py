"""Operations that do nothing, or whose result is known."""

from __future__ import annotations

import numpy as np

from theano_compat import scalar as scal
from theano_compat.compile.ops import Shape_i, ViewOp
from theano_compat.gof import Constant, OpRemove, local_optimizer
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.gradient import ConsiderConstant, DisconnectedGrad, GradClip, GradScale, UndefinedGrad, ZeroGrad
from theano_compat.tensor import basic as T
from theano_compat.tensor.elemwise import Elemwise
from theano_compat.tensor.opt.common import constant_value, is_inverse_pair, like, same_variable, scalar_op
from theano_compat.tensor.opt.make_vector import MakeVector
from theano_compat.tensor.opt.registry import (
    register_canonicalize,
    register_specialize,
    register_stabilize,
    register_useless,
)

# ``copy`` only matters to aliasing, which the compiled function takes care of.
register_canonicalize(OpRemove(T.tensor_copy), name="remove_tensor_copy")


@register_useless("fast_compile")
@register_canonicalize("fast_compile")
# Only these: an OutputGuard has to stay.
@local_optimizer([ViewOp, ConsiderConstant, DisconnectedGrad, GradClip, GradScale, UndefinedGrad, ZeroGrad])
def local_view_op(node):
    """``view(x)`` → ``x``."""
    return list(node.inputs)


def _equal(node):
    # As in Theano, NaN counts as equal to itself here.
    return like(1, node) if same_variable(*node.inputs) else False


def _different(node):
    return like(0, node) if same_variable(*node.inputs) else False


def _discrete(variable):
    return variable.type.dtype in T.discrete_dtypes


def _only_input(node):
    # With one input there is nothing to combine.
    if len(node.inputs) == 1 and node.inputs[0].type == node.outputs[0].type:
        return [node.inputs[0]]
    return False


def _identity(node):
    return [node.inputs[0]] if node.inputs[0].type == node.outputs[0].type else False


def _and(node):
    return _with_constant(node, absorbing=_no_bit, neutral=_all_ones)


def _or(node):
    return _with_constant(node, absorbing=_all_ones, neutral=_no_bit)


def _no_bit(value, dtype):
    return value == 0


def _all_ones(value, dtype):
    """Whether a constant has all the bits of a dtype: True for bool, -1 for signed integers."""
    if dtype == "bool":
        return bool(value)
    return bool(np.asarray(value).astype(dtype) == ~np.zeros((), dtype=dtype))


def _with_constant(node, absorbing, neutral):
    """Bit operation of two inputs, one of which is a constant."""
    if len(node.inputs) != 2:
        return _only_input(node)
    out = node.outputs[0]
    for constant, other in (node.inputs, reversed(node.inputs)):
        value = constant_value(constant, only_process_constants=True)
        if value is None or other.type.dtype != out.dtype:
            continue
        if absorbing(value, out.dtype):
            return like(value, node)
        if neutral(value, out.dtype) and other.type == out.type:
            return [other]
    return False


def _xor(node):
    if len(node.inputs) != 2:
        return _only_input(node)
    return like(0, node) if node.inputs[0] is node.inputs[1] else False


def _never(node):
    # Integers are neither NaN nor infinite.
    return like(0, node) if _discrete(node.inputs[0]) else False


_USELESS = {
    scal.EQ: _equal,
    scal.NEQ: _different,
    scal.Add: _only_input,
    scal.Mul: _only_input,
    scal.Maximum: _only_input,
    scal.Minimum: _only_input,
    scal.Identity: _identity,
    scal.AND: _and,
    scal.OR: _or,
    scal.XOR: _xor,
    scal.IsNan: _never,
    scal.IsInf: _never,
}


@register_useless
@register_canonicalize("fast_compile")
@register_specialize
@local_optimizer(list(_USELESS))
def local_useless_elemwise(node):
    """``eq(x, x)`` → 1, ``neq(x, x)`` → 0, ``add(x)`` → ``x``, ``x & 0`` → 0, and the like."""
    if not isinstance(node.op, Elemwise):
        return False  # sum(x) is found under add too
    rule = _USELESS.get(type(node.op.scalar_op))
    return rule(node) if rule is not None else False


# --- comparisons ----------------------------------------------------------------------------------

_COMPARISONS = {scal.LT: "<", scal.LE: "<=", scal.GT: ">", scal.GE: ">=", scal.EQ: "==", scal.NEQ: "!="}


def _is_length(variable):
    """Whether a variable is a length of something: it cannot be negative."""
    owner = variable.owner
    if owner is None:
        return False
    if isinstance(owner.op, Shape_i):
        return True
    if isinstance(owner.op, MakeVector):
        return all(_is_length(v) or (isinstance(v, Constant) and np.all(v.data >= 0)) for v in owner.inputs)
    if isinstance(scalar_op(variable), (scal.Add, scal.Mul, scal.Maximum)):
        return all(_is_length(v) or (isinstance(v, Constant) and np.all(v.data >= 0)) for v in owner.inputs)
    return False


@register_useless
@register_canonicalize
@register_stabilize
@register_specialize
@local_optimizer([*_COMPARISONS, scal.Maximum, scal.Minimum])
def local_useless_elemwise_comparison(node):
    """Comparisons of something with itself, and of lengths with numbers that they cannot be below."""
    op = getattr(node.op, "scalar_op", None)
    if op is None or len(node.inputs) != 2:
        return False
    a, b = node.inputs
    kind, out = type(op), node.outputs[0]
    if a is b:
        if kind in (scal.Maximum, scal.Minimum):
            return [a] if a.type == out.type else False
        if kind in (scal.LT, scal.GT):
            return like(0, node)
        if kind in (scal.LE, scal.GE):
            return like(1, node)
        return False
    if not (_discrete(a) and _discrete(b)):
        return False
    for length, other, swapped in ((a, b, False), (b, a, True)):
        value = constant_value(other, only_process_constants=True)
        if value is None or not _is_length(length):
            continue
        found = _length_against(kind, int(value), swapped)
        if found is None:
            continue
        if found == "length":
            return [length] if length.type == out.type else False
        if found == "number":
            return [other] if other.type == out.type else False
        return like(found, node)
    return False


def _length_against(kind, value, swapped):
    """Return the known result of ``kind(length, value)`` (or swapped): 0, 1, 'length', 'number' or None."""
    if swapped:
        kind = {scal.LT: scal.GT, scal.GT: scal.LT, scal.LE: scal.GE, scal.GE: scal.LE}.get(kind, kind)
    if value <= 0:
        if kind is scal.LT:
            return 0
        if kind is scal.GE:
            return 1
        if kind is scal.Maximum:
            return "length"
        if kind is scal.Minimum:
            return "number"
    if value < 0:
        return {scal.LE: 0, scal.GT: 1, scal.EQ: 0, scal.NEQ: 1}.get(kind)
    return None


# --- fused operations -----------------------------------------------------------------------------


@register_canonicalize
@local_optimizer([scal.Composite])
def local_useless_composite(node):
    """Drop results of a fused operation that nobody uses."""
    if not isinstance(node.op, Elemwise):
        return False
    composite = node.op.scalar_op
    used = [i for i, output in enumerate(node.outputs) if output.clients]
    if not used or len(used) == len(node.outputs):
        return False
    smaller = scal.Composite(composite.inputs, [composite.outputs[i] for i in used])
    results = Elemwise(smaller)(*node.inputs, return_list=True)
    copy_stack_trace([node.outputs[i] for i in used], results)
    return dict(zip([node.outputs[i] for i in used], results))


# --- functions and their inverses -----------------------------------------------------------------

_INVERSES = (
    (scal.Deg2Rad, scal.Rad2Deg),
    (scal.Cosh, scal.ArcCosh),
    (scal.Tanh, scal.ArcTanh),
    (scal.Sinh, scal.ArcSinh),
    (scal.Conj, scal.Conj),
    (scal.Neg, scal.Neg),
    (scal.Inv, scal.Inv),
)


@register_canonicalize
@register_specialize
@local_optimizer([kind for pair in _INVERSES for kind in pair])
def local_func_inv(node):
    """``f(g(x))`` → ``x`` for pairs of functions that undo each other."""
    inner = node.inputs[0].owner
    if inner is None or not isinstance(node.op, Elemwise):
        return False
    if any(is_inverse_pair(node.op, inner.op, pair) for pair in _INVERSES):
        source = inner.inputs[0]
        return [source] if source.type == node.outputs[0].type else False
    return False


__all__ = [
    "local_func_inv", "local_useless_composite", "local_useless_elemwise", "local_useless_elemwise_comparison",
    "local_view_op",
]  # fmt: skip
