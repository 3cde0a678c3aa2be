"""Rewrites of symbolic shapes, and of conversions between scalars and 0-d tensors."""

from __future__ import annotations

from theano_compat.compile.ops import Shape, Shape_i
from theano_compat.gof import local_optimizer
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.tensor import basic as T
from theano_compat.tensor.opt.common import shape_feature_of
from theano_compat.tensor.opt.registry import (
    at_position,
    register_canonicalize,
    register_specialize,
)
from theano_compat.tensor.opt.shape_feature import ShapeOptimizer, UnShapeOptimizer, _is_length_of

# After the first merge, so that shapes are asked of fewer variables; before anything that uses them.
at_position("ShapeOpt", ShapeOptimizer(), 0.1, "fast_run", "fast_compile")
# Not part of any usual query: for those who want no shape graphs.
at_position("UnShapeOpt", UnShapeOptimizer(), 10)


@register_specialize
@register_canonicalize
@local_optimizer([Shape])
def local_shape_to_shape_i(node):
    """``x.shape`` → ``[length 0, length 1, ...]`` in terms of the inputs."""
    feature = shape_feature_of(node)
    if feature is None or feature.shape_of[node.inputs[0]] is None:
        return False
    result = feature.make_vector_shape(node.inputs[0])
    if result.type != node.outputs[0].type:
        # A vector of one scalar is known to have length 1; `Shape` does not say so.
        result = T.patternbroadcast(result, node.outputs[0].broadcastable)
    return [copy_stack_trace(node.outputs[0], result)]


@register_specialize
@register_canonicalize
@local_optimizer([Shape_i])
def local_track_shape_i(node):
    """``Shape_i(x)`` → what is known of that length, also when `x` has been replaced since."""
    feature = shape_feature_of(node)
    if feature is None:
        return False
    source, i = node.inputs[0], node.op.i
    newest = feature.latest(source)
    shape = feature.shape_of[newest]
    if shape is None:
        return False
    length = shape[i]
    if newest is source and _is_length_of(length, source, i):
        return False
    if length is node.outputs[0] or length.type != node.outputs[0].type:
        return False
    return [length]


@register_specialize
@register_canonicalize
@local_optimizer([T.TensorFromScalar])
def local_tensor_scalar_tensor(node):
    """``tensor_from_scalar(scalar_from_tensor(x))`` → ``x``."""
    owner = node.inputs[0].owner
    if owner is not None and isinstance(owner.op, T.ScalarFromTensor):
        return [owner.inputs[0]]
    return False


@register_specialize
@register_canonicalize
@local_optimizer([T.ScalarFromTensor])
def local_scalar_tensor_scalar(node):
    """``scalar_from_tensor(tensor_from_scalar(x))`` → ``x``."""
    owner = node.inputs[0].owner
    if owner is not None and isinstance(owner.op, T.TensorFromScalar):
        return [owner.inputs[0]]
    return False
