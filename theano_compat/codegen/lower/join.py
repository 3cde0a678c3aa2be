"""Join and Split: copies into and out of parts."""

from __future__ import annotations

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.builder import NotLowered, is_literal
from theano_compat.codegen.dtypes import itemsize
from theano_compat.codegen.lower.registry import register
from theano_compat.gof.graph import Constant
from theano_compat.tensor.basic import Join, Split


def _axis(var, ndim: int) -> int:
    if not isinstance(var, Constant):
        raise NotLowered("an axis that is not known while compiling")
    axis = int(var.data)
    if not -ndim <= axis < ndim:
        raise NotLowered("an axis out of range")
    return axis % ndim


@register(Join)
def lower_join(op, node, builder):
    if op.view != -1:
        raise NotLowered("its result may be one of its inputs")
    out = node.outputs[0]
    axis = _axis(node.inputs[0], out.type.ndim)
    parts = [builder.view(v) for v in node.inputs[1:]]
    shape = list(map(builder.find, parts[0].shape))
    for k, part in enumerate(parts[1:], 1):
        for d in range(part.ndim):
            if d != axis:
                mine = builder.find(part.shape[d])
                builder.require_equal(shape[d], mine, ErrorCode.JOIN_MISMATCH, str(k), str(d), mine, shape[d])
                shape[d] = builder.find(shape[d])
    total = "0"
    starts = []
    for part in parts:
        starts.append(total)
        total = builder.add(total, part.shape[axis])
    shape[axis] = total
    room = builder.temp(out.type.dtype, shape)
    step = room.strides[axis] if total != "1" else str(itemsize(room.dtype))
    for start, part in zip(starts, parts):
        extents = [*shape[:axis], builder.find(part.shape[axis]), *shape[axis + 1 :]]
        builder.copy(builder.subview(room, builder.mul(start, step), extents, room.strides), part)
    builder.bind(out, room)


@register(Split)
def lower_split(op, node, builder):
    source = builder.in_memory(builder.view(node.inputs[0]))
    axis = _axis(node.inputs[1], source.ndim)
    sizes = builder.integers(node.inputs[2], len(node.outputs))
    total = "0"
    starts = []
    for size in sizes:
        if not is_literal(size) or int(size) < 0:
            builder.check_message(
                f"{size} >= 0", ValueError, "Split: you tried to make an ndarray with a negative number of elements."
            )
        if is_literal(size):
            size = str(max(int(size), 0))
        starts.append(total)
        total = builder.add(total, size)
    extent = builder.find(source.shape[axis])
    builder.check(f"{total} == {extent}", ErrorCode.SPLIT, total, extent)
    for out, start, size in zip(node.outputs, starts, sizes):
        shape = [*source.shape[:axis], size, *source.shape[axis + 1 :]]
        part = builder.subview(source, builder.mul(start, source.strides[axis]), shape, source.strides)
        room = builder.temp(source.dtype, shape)
        builder.copy(room, part)
        builder.bind(out, room)
