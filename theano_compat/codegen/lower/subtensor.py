"""Basic indexing: a view that starts elsewhere with other extents and strides."""

from __future__ import annotations

from theano_compat.codegen.abi import ErrorCode
from theano_compat.codegen.builder import NotLowered, is_literal
from theano_compat.codegen.ir import View
from theano_compat.codegen.lower.registry import register
from theano_compat.gof.graph import Variable
from theano_compat.gof.type import PureType
from theano_compat.tensor.subtensor import Subtensor


class _Indices:
    """Gives the entries of an ``idx_list`` as tokens, taking the variables of a node in order."""

    def __init__(self, builder, variables) -> None:
        self.builder = builder
        self.variables = iter(variables)

    def token(self, entry) -> str | None:
        if entry is None:
            return None
        if isinstance(entry, (PureType, Variable)):
            return self.builder.find(self.builder.integer(next(self.variables)))
        return str(int(entry))


def indexed_view(builder, view: View, idx_list, variables) -> View:
    """Return the view that basic indexing gives.

    Parameters
    ----------
    view : View
    idx_list : sequence
        As in `Subtensor.idx_list`: integers, slices, types standing for the next of `variables`.
    variables : list of Variable
    """
    indices = _Indices(builder, variables)
    offsets, shape, strides = [], [], []
    whole = True
    for axis, entry in enumerate(idx_list):
        extent, stride = builder.find(view.shape[axis]), view.strides[axis]
        if isinstance(entry, slice):
            start, stop, step = (indices.token(e) for e in (entry.start, entry.stop, entry.step))
            if start is None and stop is None and step in (None, "1"):
                shape.append(extent)
                strides.append(stride)
                continue
            whole = False
            first, count, step = _slice(builder, extent, start, stop, step)
            offsets.append(builder.mul(first, stride))
            shape.append(count)
            strides.append(builder.mul(stride, step))
        else:
            whole = False
            index = indices.token(entry)
            position = _index(builder, index, extent, axis)
            offsets.append(builder.mul(position, stride))
    shape += view.shape[len(idx_list) :]
    strides += view.strides[len(idx_list) :]
    if whole:
        return view
    offset = "0"
    for piece in offsets:
        offset = builder.add(offset, piece)
    return builder.subview(view, offset, shape, strides)


def _index(builder, index: str, extent: str, axis: int) -> str:
    details = (index, extent, str(axis))
    if is_literal(index):
        if int(index) >= 0:
            builder.check(f"{index} < {extent}", ErrorCode.INDEX, *details)
            return index
        builder.check(f"{-int(index)} <= {extent}", ErrorCode.INDEX, *details)
        return builder.add(extent, index)
    position = builder.let(f"{index} < 0 ? {index} + {extent} : {index}")
    builder.check(f"{position} >= 0 && {position} < {extent}", ErrorCode.INDEX, *details)
    return position


def _slice(builder, extent: str, start, stop, step) -> tuple[str, str, str]:
    """Return the first element, the number of elements and the step of a slice of an axis as tokens."""
    step = "1" if step is None else step
    if not is_literal(step):
        builder.check_message(f"{step} != 0", ValueError, "slice step cannot be zero")
        first = (
            builder.let(f"{step} > 0 ? 0 : {extent} - 1") if start is None else builder.let(f"tc_first({extent}, {start}, {step})")
        )
        last = builder.let(f"{step} > 0 ? {extent} : -1") if stop is None else builder.let(f"tc_first({extent}, {stop}, {step})")
        return first, builder.let(f"tc_count({first}, {last}, {step})"), step
    if step == "0":
        raise NotLowered("slice step of zero")
    low, high = ("0", extent) if int(step) > 0 else ("-1", builder.sub(extent, "1"))
    first, last = (low, high) if int(step) > 0 else (high, low)
    first, last = (end if at is None else _end(builder, extent, at, step, low, high) for end, at in ((first, start), (last, stop)))
    if step == "1" and (first == low or last == high):
        return first, builder.sub(last, first), step
    if step == "-1" and last == low:
        return first, extent if first == high else builder.add(first, "1"), step
    return first, builder.let(f"tc_count({first}, {last}, {step})"), step


def _end(builder, extent: str, at: str, step: str, low: str, high: str) -> str:
    """Return where a slice with a known step begins or ends, from `low` to `high`: ``tc_first``, where that can be, in fewer words."""
    if not is_literal(at):
        return builder.let(f"tc_first({extent}, {at}, {step})")
    if is_literal(extent):
        place = int(at) + int(extent) if int(at) < 0 else int(at)
        return str(max(min(place, int(high)), int(low)))
    if at == low == "0":
        return low
    if int(at) >= 0:
        return builder.let(f"tc_min({at}, {high})")
    from_end = builder.add(extent, at)
    return high if from_end == high else builder.let(f"tc_max({from_end}, {low})")


@register(Subtensor)
def lower_subtensor(op, node, builder):
    source = builder.view(node.inputs[0])
    out = node.outputs[0]
    if source.items is not None and len(op.idx_list) == 1:
        picked = _picked(builder, source, op.idx_list[0], node.inputs[1:])
        if picked is not None:
            builder.bind(out, picked)
            return
    source = builder.in_memory(source)
    view = indexed_view(builder, source, op.idx_list, node.inputs[1:])
    shape, strides = list(view.shape), list(view.strides)
    for axis, one in enumerate(out.type.broadcastable):
        if one and builder.find(shape[axis]) != "1":
            builder.check(f"{shape[axis]} == 1", ErrorCode.NOT_BROADCASTABLE, "0", str(axis), shape[axis])
            shape[axis] = "1"
    view = View(view.buffer, view.dtype, view.pointer, tuple(shape), tuple(strides), view.axes, also=view.also)
    builder.bind(out, view)


def _picked(builder, source: View, entry, variables):
    """An element of a vector whose elements are known by name, for a constant index."""
    if isinstance(entry, slice):
        return None
    index = _Indices(builder, variables).token(entry)
    if not is_literal(index) or not -len(source.items) <= int(index) < len(source.items):
        return None
    view = builder.integer_view(builder.find(source.items[int(index)]))
    if source.dtype != "int64":
        return None
    return view
