"""Cumulative sums, differences, repeats, diagonals.

Sorting has no lowering on purpose: NumPy's vectorised sort is faster than what a short C text gives.
"""

from __future__ import annotations

from theano_compat.codegen.builder import NotLowered, is_literal
from theano_compat.codegen.dtypes import compute_type, itemsize, literal
from theano_compat.codegen.ir import Load, Store, View
from theano_compat.codegen.lower.registry import register
from theano_compat.codegen.print_c import read_element, write_element
from theano_compat.codegen.scalarbody import Body, convert
from theano_compat.scalar import basic as scal
from theano_compat.tensor.basic import AllocDiag, ExtractDiag, Flatten
from theano_compat.tensor.extra_ops import (
    CpuContiguous,
    CumOp,
    DiffOp,
    FillDiagonal,
    FillDiagonalOffset,
    RepeatOp,
)


@register(CpuContiguous)
def lower_contiguous(op, node, builder):
    builder.bind(node.outputs[0], builder.packed(builder.view(node.inputs[0])))


@register(Flatten)
def lower_flatten(op, node, builder):
    source = builder.view(node.inputs[0])
    kept = list(source.shape[: op.outdim - 1])
    rest = builder.mul(*source.shape[op.outdim - 1 :], "1")
    source = builder.packed(source)
    shape = [*kept, rest]
    strides = builder.contiguous_strides(shape, itemsize(source.dtype))
    builder.bind(node.outputs[0], builder.subview(source, "0", shape, strides))


@register(CumOp)
def lower_cumulative(op, node, builder):
    source = builder.in_memory(builder.view(node.inputs[0]))
    dtype = node.outputs[0].type.dtype
    if op.axis is None:
        total = builder.mul(*source.shape, "1")
        source = builder.packed(source)
        source = builder.subview(source, "0", (total,), builder.contiguous_strides((total,), itemsize(dtype)))
    axis = 0 if op.axis is None else op.axis % source.ndim
    room = builder.temp(dtype, source.shape)
    shape = [builder.find(e) for e in source.shape]
    others = [d for d in range(source.ndim) if d != axis]
    ctype = compute_type(dtype)
    body = Body(builder)
    old, new = builder.name(), builder.name()
    value = body.apply(scal.add if op.mode == "add" else scal.mul, [old, new], [dtype, dtype], [dtype])[0]
    step = [f"const {s.ctype} {s.name} = {s.expr};" for s in body.statements]

    def place(view: View, along: str) -> str:
        terms = [f"i{d} * {view.strides[d]}" for d in others] + [f"{along} * {view.strides[axis]}"]
        return " + ".join([view.pointer, *terms])

    lines = [f"for (int64_t i{d} = 0; i{d} < {shape[d]}; i{d}++)" for d in others]
    lines += [
        "{",
        f"    {ctype} sum = {literal(0 if op.mode == 'add' else 1, dtype)};",
        f"    for (int64_t j = 0; j < {shape[axis]}; j++) {{",
        f"        const {ctype} {old} = sum, {new} = {read_element(place(source, 'j'), dtype)};",
        *[f"        {line}" for line in step],
        f"        sum = {value};",
        f"        {write_element(place(room, 'j'), dtype, 'sum')}",
        "    }",
        "}",
    ]
    builder.call("\n".join(lines), (source,), (room,), helpers=tuple(body.helpers), label="cumulative")
    builder.bind(node.outputs[0], room)


@register(DiffOp)
def lower_diff(op, node, builder):
    source = builder.view(node.inputs[0])
    axis = op.axis % source.ndim
    if op.n < 1 or source.dtype == "bool":
        raise NotLowered("differences of order 0 or of bool")
    for _ in range(op.n):
        source = _neighbours(builder, builder.in_memory(source), axis)
    builder.bind(node.outputs[0], source)


def _neighbours(builder, source: View, axis: int) -> View:
    extent = builder.find(source.shape[axis])
    less = str(max(int(extent) - 1, 0)) if is_literal(extent) else builder.let(f"tc_max({extent} - 1, 0)")
    shape = [less if d == axis else builder.find(e) for d, e in enumerate(source.shape)]
    first = builder.subview(source, "0", shape, source.strides)
    second = builder.subview(source, source.strides[axis], shape, source.strides)
    loads = [Load(builder.name(), v, tuple(v.strides)) for v in (second, first)]
    room = builder.temp(source.dtype, shape)
    body = Body(builder)
    value = body.apply(scal.sub, [load.name for load in loads], [source.dtype] * 2, [source.dtype])[0]
    builder.loop(shape, loads, body.statements, [Store(room, room.strides, value)], tuple(body.helpers))
    return room


@register(RepeatOp)
def lower_repeat(op, node, builder):
    if node.inputs[1].type.ndim:
        raise NotLowered("repeats by a vector")
    source = builder.in_memory(builder.view(node.inputs[0]))
    repeats = builder.integer(node.inputs[1])
    if not (is_literal(repeats) and int(repeats) >= 0):
        builder.check_message(f"{repeats} >= 0", ValueError, "repeats may not contain negative values.")
    if op.axis is None:
        total = builder.mul(*source.shape, "1")
        source = builder.packed(source)
        source = builder.subview(source, "0", (total,), builder.contiguous_strides((total,), itemsize(source.dtype)))
    axis = 0 if op.axis is None else op.axis % source.ndim
    shape = [builder.find(e) for e in source.shape]
    long = builder.mul(shape[axis], repeats)
    room = builder.temp(source.dtype, [*shape[:axis], long, *shape[axis + 1 :]])
    # the result seen with one more dimension, along which the source stands still
    domain = [*shape[: axis + 1], repeats, *shape[axis + 1 :]]
    step = str(itemsize(source.dtype)) if long == "1" else room.strides[axis]
    step = room.strides[axis] if room.strides[axis] != "0" else step
    strides = [*room.strides[:axis], builder.mul(step, repeats), step, *room.strides[axis + 1 :]]
    load = Load(builder.name(), source, (*source.strides[: axis + 1], "0", *source.strides[axis + 1 :]))
    target = builder.subview(room, "0", domain, strides)
    builder.loop(domain, [load], [], [Store(target, tuple(strides), load.name)])
    builder.bind(node.outputs[0], room)


def diagonal_view(builder, view: View, offset: str, axis1: int, axis2: int) -> View:
    """Return the diagonal of the planes of two axes, as the last dimension of a view; `offset` is a token."""
    rows, columns = builder.find(view.shape[axis1]), builder.find(view.shape[axis2])
    down = str(max(-int(offset), 0)) if is_literal(offset) else builder.let(f"tc_max(-{offset}, 0)")
    right = str(max(int(offset), 0)) if is_literal(offset) else builder.let(f"tc_max({offset}, 0)")
    length = builder.let(f"tc_max(tc_min({rows} - {down}, {columns} - {right}), 0)")
    start = builder.add(builder.mul(down, view.strides[axis1]), builder.mul(right, view.strides[axis2]))
    kept = [d for d in range(view.ndim) if d not in (axis1, axis2)]
    step = builder.add(view.strides[axis1], view.strides[axis2])
    return builder.subview(
        view, start, [*(view.shape[d] for d in kept), length], [*(view.strides[d] for d in kept), step]
    )


@register(ExtractDiag)
def lower_extract_diagonal(op, node, builder):
    source = builder.in_memory(builder.view(node.inputs[0]))
    view = diagonal_view(builder, source, str(int(op.offset)), op.axis1 % source.ndim, op.axis2 % source.ndim)
    if not op.view:
        room = builder.temp(view.dtype, view.shape)
        load = Load(builder.name(), view, view.strides)
        builder.loop(view.shape, [load], [], [Store(room, room.strides, load.name)])
        view = room
    builder.bind(node.outputs[0], view)


@register(AllocDiag)
def lower_alloc_diagonal(op, node, builder):
    source = builder.view(node.inputs[0])
    ndim = source.ndim + 1
    axis1, axis2 = op.axis1 % ndim, op.axis2 % ndim
    size = builder.add(source.shape[-1], str(abs(op.offset)))
    others = iter(source.shape[:-1])
    shape = [size if d in (axis1, axis2) else next(others) for d in range(ndim)]
    room = builder.temp(source.dtype, shape)
    builder.fill(room, literal(0, source.dtype))
    down, right = str(max(-op.offset, 0)), str(max(op.offset, 0))
    strides = list(room.strides)
    start = builder.add(builder.mul(down, strides[axis1]), builder.mul(right, strides[axis2]))
    kept = [d for d in range(ndim) if d not in (axis1, axis2)]
    step = builder.add(strides[axis1], strides[axis2])
    part = builder.subview(room, start, source.shape, [*(strides[d] for d in kept), step])
    if source.value is not None:
        builder.loop(part.shape, [], [], [Store(part, part.strides, source.value)])
    else:
        load = Load(builder.name(), source, source.strides)
        builder.loop(part.shape, [load], [], [Store(part, part.strides, load.name)])
    builder.bind(node.outputs[0], room)


def _filled_copy(builder, node) -> tuple[View, str]:
    source = builder.in_memory(builder.view(node.inputs[0]))
    room = builder.temp(source.dtype, source.shape, local=False)
    builder.copy(room, source)
    name, dtype = builder.scalar_of(node.inputs[1]), node.inputs[1].type.dtype
    body, value = convert(builder, name, dtype, source.dtype)
    builder.statements.extend(body)
    return room, value


@register(FillDiagonal)
def lower_fill_diagonal(op, node, builder):
    room, value = _filled_copy(builder, node)
    if room.ndim == 2:
        part = diagonal_view(builder, room, "0", 0, 1)
    else:
        extents = [builder.find(e) for e in room.shape]
        for extent in extents[1:]:
            if extent != extents[0]:
                builder.check_message(
                    f"{extents[0]} == {extent}", ValueError, "All dimensions of input must be of equal length"
                )
        step = builder.let(" + ".join(room.strides))
        part = builder.subview(room, "0", extents[:1], [step])
    builder.loop(part.shape, [], [], [Store(part, part.strides, value)])
    builder.bind(node.outputs[0], room)


@register(FillDiagonalOffset)
def lower_fill_diagonal_offset(op, node, builder):
    room, value = _filled_copy(builder, node)
    part = diagonal_view(builder, room, builder.integer(node.inputs[2]), 0, 1)
    builder.loop(part.shape, [], [], [Store(part, part.strides, value)])
    builder.bind(node.outputs[0], room)


