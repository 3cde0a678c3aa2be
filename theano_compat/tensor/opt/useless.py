"""Operations that do nothing, or whose result is known."""

from __future__ import annotations

import numpy as np

from theano_compat import scalar as scal
from theano_compat.compile.ops import ViewOp
from theano_compat.gof import OpRemove, local_optimizer
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.gradient import ConsiderConstant, DisconnectedGrad, GradClip, GradScale, UndefinedGrad, ZeroGrad
from theano_compat.tensor import basic as T
from theano_compat.tensor.basic.extents import Extent
from theano_compat.tensor.elemwise import Elemwise
from theano_compat.tensor.opt.common import constant_value, is_inverse_pair, like, made_by, same_variable
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


def _numbers(variable):
    """Return what is known of the elements of an integer scalar, of a vector that is made of such, or of a constant of one value; None for others."""
    if not _discrete(variable):
        return None
    made = made_by(variable, MakeVector)
    if made is not None:
        return [Extent.of(v) for v in made]
    if variable.ndim == 0:
        return [Extent.of(variable)]
    value = constant_value(variable, only_process_constants=True)
    return None if value is None else [Extent(int(value))]


@register_useless
@register_canonicalize
@register_stabilize
@register_specialize
@local_optimizer([*_COMPARISONS, scal.Maximum, scal.Minimum])
def local_useless_elemwise_comparison(node):
    """Comparisons of something with itself, and of lengths and other integers whose order is known: ``min(1, 1 + len(x))`` → 1."""
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
    ours, theirs = _numbers(a), _numbers(b)
    if ours is None or theirs is None or not (len(ours) == len(theirs) or 1 in (len(ours), len(theirs))):
        return False
    n = max(len(ours), len(theirs))
    results = {_known_result(kind, x, y) for x, y in zip(ours * (n // len(ours)), theirs * (n // len(theirs)))} if ours and theirs else set()
    found = results.pop() if len(results) == 1 else None
    if found is None:
        return False
    if kind in (scal.Maximum, scal.Minimum):
        return [node.inputs[found]] if node.inputs[found].type == out.type else False
    return like(int(found), node)


def _known_result(kind, a, b):
    """Return what is known of a comparison: the truth value, or for an extremum the number of the argument; None for nothing."""
    if kind in (scal.GT, scal.GE):
        a, b, kind = b, a, {scal.GT: scal.LT, scal.GE: scal.LE}[kind]
    if kind in (scal.EQ, scal.NEQ):
        equal = a.is_equal(b)
        differ = not equal and (a.is_at_least(b + 1) or b.is_at_least(a + 1))
        return (equal == (kind is scal.EQ)) if equal or differ else None
    if kind in (scal.Maximum, scal.Minimum):
        return int(kind is scal.Maximum) if b.is_at_least(a) else int(kind is scal.Minimum) if a.is_at_least(b) else None
    strict = int(kind is scal.LT)
    return True if b.is_at_least(a + strict) else False if a.is_at_least(b + 1 - strict) else None


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
