"""Ops that only look at an array differently: no code but extents and strides."""

from __future__ import annotations

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.builder import NotLowered
from theano_compat.codegen.ir import View
from theano_compat.codegen.lower.registry import register
from theano_compat.compile.ops import DeepCopyOp, OutputGuard, Rebroadcast, SpecifyShape, ViewOp
from theano_compat.tensor.elemwise import DimShuffle


@register(DimShuffle)
def lower_dimshuffle(op, node, builder):
    view = builder.view(node.inputs[0])
    order = [None if d == "x" else d for d in op.new_order]
    for axis in range(view.ndim):
        if axis not in order and builder.find(view.shape[axis]) != "1":
            extent = builder.find(view.shape[axis])
            builder.check(f"{extent} == 1", ErrorCode.NOT_BROADCASTABLE, "0", str(axis), extent)
    builder.bind(node.outputs[0], builder.permute(view, order))


@register(ViewOp)
@register(OutputGuard)
def lower_same(op, node, builder):
    builder.bind(node.outputs[0], builder.view(node.inputs[0]))


@register(Rebroadcast)
def lower_rebroadcast(op, node, builder):
    view = builder.view(node.inputs[0])
    shape, strides = list(view.shape), list(view.strides)
    for axis, one in op.axis.items():
        if one and builder.find(shape[axis]) != "1":
            extent = builder.find(shape[axis])
            builder.check_message(
                f"{extent} == 1",
                ValueError,
                f"Dimension {axis} in Rebroadcast's input was supposed to be 1 (got {{}} instead)",
                extent,
            )
            builder.unify(extent, "1")
            shape[axis], strides[axis] = "1", "0"
    builder.bind(node.outputs[0], _reshaped(view, shape, strides))


@register(SpecifyShape)
def lower_specify_shape(op, node, builder):
    view = builder.view(node.inputs[0])
    wanted = builder.integers(node.inputs[1])
    shape, strides = list(view.shape), list(view.strides)
    if len(wanted) != len(shape):
        raise NotLowered("SpecifyShape with another rank")
    for axis, extent in enumerate(wanted):
        builder.require_equal(shape[axis], extent, ErrorCode.SPECIFY_SHAPE, str(axis), builder.find(shape[axis]), extent)
        shape[axis] = builder.find(extent)
    builder.bind(node.outputs[0], _reshaped(view, shape, strides))


def _reshaped(view: View, shape, strides) -> View:
    """The same view with extents that are known better by now."""
    return View(
        view.buffer, view.dtype, view.pointer, tuple(shape), tuple(strides), view.axes, view.value, view.items, view.also
    )


@register(DeepCopyOp)
def lower_deep_copy(op, node, builder):
    view = builder.view(node.inputs[0])
    if view.buffer is None and view.ndim == 0:
        builder.bind(node.outputs[0], view)
        return
    if view.ndim == 0:
        builder.bind(node.outputs[0], builder.value_view(builder.scalar(view), view.dtype))
        return
    room = builder.temp(view.dtype, view.shape)
    builder.copy(room, view)
    builder.bind(node.outputs[0], room)
