"""IncSubtensor: adding to, or setting, a basic-indexed part of an array."""

from __future__ import annotations

from theano_compat.codegen.builder import NotLowered
from theano_compat.codegen.ir import Load, Store, View
from theano_compat.codegen.lower.registry import register
from theano_compat.codegen.lower.subtensor import indexed_view
from theano_compat.codegen.scalarbody import Body, convert
from theano_compat.scalar import basic as scal
from theano_compat.tensor.subtensor import IncSubtensor


def writable(builder, op, node) -> View:
    """Return the array that the op writes into: its first input, or a copy of it."""
    source = builder.in_memory(builder.view(node.inputs[0]))
    if op.inplace:
        return View(
            source.buffer, source.dtype, source.pointer, source.shape, source.strides, source.axes, also=source.also
        )
    room = builder.temp(source.dtype, source.shape)
    builder.copy(room, source)
    return room


def stretched(builder, value: View, wanted: tuple[str, ...]) -> View:
    """Return a view of `value` that broadcasts to the extents `wanted` as NumPy's assignment does.

    Unlike in an elementwise op, an extent that only turns out to be 1 at run time is stretched too.
    """
    shape, strides = list(value.shape), list(value.strides)
    for axis, whole in enumerate(map(builder.find, wanted)):
        mine = builder.find(shape[axis])
        if mine in ("1", whole):
            continue
        builder.check_message(
            f"{mine} == {whole} || {mine} == 1",
            ValueError,
            "could not broadcast input array: its dimension {} has extent {}, {} was expected",
            str(axis),
            mine,
            whole,
        )
        value = builder.in_memory(value)
        shape[axis] = whole
        strides[axis] = builder.let(f"{mine} == 1 ? 0 : {strides[axis]}")
    if shape == list(value.shape):
        return value
    return View(value.buffer, value.dtype, value.pointer, tuple(shape), tuple(strides), None, value.value, None, value.also)


def assign_into(builder, target: View, value: View, add: bool) -> None:
    """Emit ``target[...] += value`` or ``target[...] = value`` with broadcasting of `value`."""
    if value.ndim > target.ndim:
        raise NotLowered("a value of higher rank than what it is assigned to")
    value = builder.permute(value, [None] * (target.ndim - value.ndim) + list(range(value.ndim)))
    value = stretched(builder, value, target.shape)
    if value.value is not None:
        name, loads = value.value, []
    else:
        loads = [builder.load(value, target.shape)]
        name = loads[0].name
    body, name = convert(builder, name, value.dtype, target.dtype)
    if add:
        old = Load(builder.name(), target, target.strides)
        loads.append(old)
        total = Body(builder)
        name = total.apply(scal.add, [old.name, name], [target.dtype] * 2, [target.dtype])[0]
        body = [*body, *total.statements]
    if target.ndim == 0:
        target = View(target.buffer, target.dtype, target.pointer, (), (), also=target.also)
    builder.loop(target.shape, loads, body, [Store(target, target.strides, name)])


@register(IncSubtensor)
def lower_inc_subtensor(op, node, builder):
    if op.idx_list is None:
        raise NotLowered("IncSubtensor without index list")
    value = builder.view(node.inputs[1])
    target = writable(builder, op, node)
    part = indexed_view(builder, target, op.idx_list, node.inputs[2:])
    if part is target:
        part = View(target.buffer, target.dtype, target.pointer, target.shape, target.strides, also=target.also)
    assign_into(builder, part, value, not op.set_instead_of_inc)
    builder.bind(node.outputs[0], target)
