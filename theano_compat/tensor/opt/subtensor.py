"""Reading parts of tensors: merging, lifting and removing subtensors."""

from __future__ import annotations

import numpy as np

from theano_compat import gof
from theano_compat import scalar as scal
from theano_compat.compile.ops import Rebroadcast
from theano_compat.gof import local_optimizer
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.tensor import basic as T
from theano_compat.tensor.basic.extents import Extent, either, where_negative
from theano_compat.tensor.elemwise import Elemwise
from theano_compat.tensor.opt.common import constant_value, is_value, made_by, shape_feature_of
from theano_compat.tensor.opt.make_vector import MakeVector
from theano_compat.tensor.opt.registry import (
    register_canonicalize,
    register_specialize,
    register_stabilize,
    register_useless,
)
from theano_compat.tensor.opt.shape_feature import equal_lengths, without_round_trip
from theano_compat.tensor.subtensor import (
    AdvancedIncSubtensor1,
    AdvancedSubtensor1,
    IncSubtensor,
    Subtensor,
    get_idx_list,
    make_constant,
    slice_len,
)
from theano_compat.tensor.subtensor.indices import canonical_slice, number_of_places


def index_of(node):
    """Return the index of a subtensor node: a list of slices and variables."""
    first = 1 if isinstance(node.op, Subtensor) else 2
    return list(get_idx_list([None, *node.inputs[first:]], node.op.idx_list))


def take(x, index):
    """Return ``x[index]`` for slices, integers and scalar variables; no index, no operation."""
    index = list(index)
    while index and _is_full(index[-1]):
        index.pop()
    if not index:
        return x
    index = make_constant(index)
    return Subtensor(index)(x, *Subtensor.collapse(index, lambda entry: isinstance(entry, gof.Variable)))


def _is_full(entry):
    return isinstance(entry, slice) and entry.start is None and entry.stop is None and entry.step is None


def number(entry):
    """Return the int that an index entry (or None, or variable) is; the entry itself where it is none."""
    if entry is None or isinstance(entry, (int, np.integer)):
        return entry if entry is None else int(entry)
    value = constant_value(T.tensor_from_scalar(entry) if isinstance(entry.type, scal.Scalar) else entry)
    return entry if value is None else int(value)


def _tensor(entry):
    """Return an index entry as an int or a 0-d tensor."""
    if isinstance(entry, (int, np.integer)):
        return int(entry)
    return T.tensor_from_scalar(entry) if isinstance(entry.type, scal.Scalar) else entry


def _lengths(node, variable):
    feature = shape_feature_of(node)
    shape = feature.shape_of[variable] if feature is not None else None
    return shape if shape is not None else [variable.shape[i] for i in range(variable.ndim)]


def covers(entry, length):
    """Whether a slice takes all of a dimension, in order."""
    if not isinstance(entry, slice):
        return False
    start, stop, step = number(entry.start), number(entry.stop), number(entry.step)
    if start not in (None, 0) or isinstance(start, gof.Variable) or not (step is None or step == 1):
        return False
    if stop is None:
        return True
    if isinstance(stop, int):
        known = constant_value(length)
        # The largest number there is counts as "to the end" too.
        return stop >= 0 and (stop >= np.iinfo("int64").max or (known is not None and stop >= known))
    stop = _tensor(stop)
    if stop.dtype != "int64":
        stop = T.cast(stop, "int64")
    stop = without_round_trip(stop)
    return equal_lengths(stop, length)


# --- vectors made of scalars --------------------------------------------------------------------------
# First: nothing is better than the element itself.


@register_useless
@register_specialize
@register_canonicalize("fast_compile_gpu")
@local_optimizer([Subtensor, AdvancedSubtensor1])
def local_subtensor_make_vector(node):
    """``[a, b, c][1]`` → ``b``, ``[a, b, c][0:2]`` → ``[a, b]``, ``[a, b, c][[2, 0]]`` → ``[c, a]``."""
    parts = made_by(node.inputs[0], MakeVector)
    if parts is None:
        return False
    maker, out = node.inputs[0].owner.op, node.outputs[0]
    if isinstance(node.op, AdvancedSubtensor1):
        rows = node.inputs[1]
        if not isinstance(rows, T.TensorConstant):
            return False
        try:
            result = maker(*[parts[int(i)] for i in rows.data])
        except IndexError:
            raise IndexError("bad index in AdvancedSubtensor1 of a vector of scalars", node) from None
        return [copy_stack_trace(out, T.patternbroadcast(result, out.broadcastable))]
    entries = index_of(node)
    if len(entries) != 1:
        return False
    (entry,) = entries
    if isinstance(entry, slice):
        bounds = [number(part) for part in (entry.start, entry.stop, entry.step)]
        if any(isinstance(part, gof.Variable) for part in bounds):
            return False
        result = maker(*parts[slice(*bounds)])
        result = T.patternbroadcast(result, out.broadcastable)
        return [copy_stack_trace(out, result)] if result.type == out.type else False
    position = number(entry)
    if not isinstance(position, int) or not -len(parts) <= position < len(parts):
        return False
    return [parts[position]] if parts[position].type == out.type else False


# --- useless ones -----------------------------------------------------------------------------------


@register_canonicalize
@register_specialize
@local_optimizer([Subtensor, AdvancedSubtensor1])
def local_useless_subtensor(node):
    """``x[0:len(x)]`` and ``x[arange(len(x))]`` → ``x``."""
    feature = shape_feature_of(node)
    if feature is None:
        return False
    source, out = node.inputs[0], node.outputs[0]
    if source.type != out.type:
        return False
    shape = feature.shape_of[source]
    if isinstance(node.op, Subtensor):
        if all(covers(entry, shape[i]) for i, entry in enumerate(index_of(node))):
            return [source]
        return False
    rows = node.inputs[1]
    if isinstance(rows, T.TensorConstant):
        length = constant_value(shape[0], only_process_constants=True)
        if length is not None and rows.data.shape == (int(length),) and np.array_equal(rows.data, np.arange(length)):
            return [source]
        return False
    made = made_by(rows, T.ARange)
    if made is None:
        return False
    start, stop, step = made
    if is_value(start, 0) and is_value(step, 1):
        stop = stop if stop.dtype == "int64" else T.cast(stop, "int64")
        if equal_lengths(without_round_trip(stop), shape[0]):
            return [source]
    return False


@register_useless
@register_canonicalize
@register_specialize
@local_optimizer([Subtensor])
def local_useless_slice(node):
    """``x[:]`` → ``x``, ``x[0, :]`` → ``x[0]``."""
    index = index_of(node)
    kept = list(index)
    while kept and _is_full(kept[-1]):
        kept.pop()
    if len(kept) == len(index):
        return False
    result = take(node.inputs[0], kept)
    return [result if not kept else copy_stack_trace(node.outputs[0], result)]


# --- merging ----------------------------------------------------------------------------------------


def merge_two_slices(slice1, len1, slice2, len2):
    """Return one index that does what ``[slice1]`` and then ``[slice2]`` do.

    Parameters
    ----------
    slice1 : slice
    len1 : int or 0-d Variable
        Of the dimension.
    slice2 : slice or integer
    len2 : int or 0-d Variable
        Of what `slice1` takes. It follows from the others, and is here for Theano's signature.

    Returns
    -------
    slice, int or Variable

    Notes
    -----
    A slice takes the positions ``first + k * stride`` for ``k < n``. So do two of them, with ``first1 + first2 * stride1`` and
    ``stride1 * stride2``, ``n`` being that of the second.
    """
    if not isinstance(slice1, slice):
        raise ValueError(f"First provided slice should be of type slice and not {type(slice1)}")
    quick = _merged_plain(slice1, slice2)
    if quick is not None:
        return quick
    counted = _merged_from_end(slice1, len1, slice2)
    if counted is not None:
        return counted
    first1, stride1, n1 = _progression(slice1, len1)
    if not isinstance(slice2, slice):
        return _merged_position(first1, stride1, Extent.of(slice2), len1, n1)
    first2, stride2, n2 = _progression(slice2, n1)
    return _slice_of(first1 + first2 * stride1, stride1 * stride2, n2, Extent.of(len1))


def _slice_of(first, stride, n, length):
    """Return the slice of a dimension that takes the places ``first + k * stride`` for ``k < n``."""
    if n.known == 0:
        return slice(0, 0, 1)
    stop, step = first + n * stride, stride.known
    # Going down, places are counted from the end: "before the first" is then any number below -length, where a plain -1 would mean the last.
    first_down, stop_down = first - length, stop - length
    if step is None:
        rising = T.gt(stride.as_tensor(), 0)
        return slice(either(rising, first, first_down).value(), either(rising, stop, stop_down).value(), stride.value())
    if step > 0:
        return slice(None if first.known == 0 else first.value(), None if stop.is_at_least(length) else stop.value(), None if step == 1 else step)
    to_the_first = step == -1 and stop.known == -1
    return slice(None if first_down.known == -1 else first_down.value(), None if to_the_first else stop_down.value(), step)


def _merged_plain(slice1, slice2):
    """Merge slices of step 1 with numbers that need no knowledge of the length; None for others."""
    if not isinstance(slice2, slice):
        return None
    if all(part is None for s in (slice1, slice2) for part in (s.start, s.stop)) and all(
        number(s.step) == -1 for s in (slice1, slice2)
    ):
        # Reversed twice.
        return slice(None)
    bounds = []
    for entry in (slice1, slice2):
        start, stop, step = (number(part) for part in (entry.start, entry.stop, entry.step))
        if isinstance(step, gof.Variable) or step not in (None, 1):
            return None
        if any(isinstance(part, gof.Variable) or (part is not None and part < 0) for part in (start, stop)):
            return None
        bounds.append((start or 0, stop))
    (start1, stop1), (start2, stop2) = bounds
    stops = [stop for stop in (stop1, None if stop2 is None else start1 + stop2) if stop is not None]
    start = start1 + start2
    return slice(start or None, min(stops) if stops else None)


def _merged_from_end(slice1, len1, slice2):
    """Merge ``[start:]`` with a place counted from the end, ``[-k]`` or ``[-k:]``, which stays one; None for others."""
    start = number(slice1.start) if slice1.start is not None else 0
    if slice1.stop is not None or number(slice1.step) not in (None, 1) or isinstance(start, gof.Variable) or start < 0:
        return None
    if isinstance(slice2, slice):
        back = number(slice2.start)
        if slice2.stop is not None or number(slice2.step) not in (None, 1):
            return None
    else:
        back = number(slice2)
    if back is None or isinstance(back, gof.Variable) or back >= 0:
        return None
    # Where there are not so many: the whole of the slice, or a place that is none.
    otherwise = start if isinstance(slice2, slice) else len1
    if isinstance(len1, int):
        place = back if len1 >= start - back else otherwise
    else:
        place = T.switch(T.ge(len1, start - back), back, otherwise)
    return slice(place, None) if isinstance(slice2, slice) else place


def _progression(entry, length):
    """Return (first position, stride, number of positions) of a slice, as `Extent`."""
    start, stop, step, direction = canonical_slice(entry, length)
    n = number_of_places(start, stop, step)
    if isinstance(direction, gof.Variable):
        return either(T.gt(direction, 0), start, stop - 1), step * direction, n
    return (start, step, n) if direction == 1 else (stop - 1, step * -1, n)


def _merged_position(first, stride, position, length, n):
    """Return the place of one element of a slice; a position outside of the slice stays outside of the dimension."""
    inside = where_negative(position, lambda: position + n, lambda: position)
    place = (first + inside * stride).value()
    too_low, too_high = None, None
    if not inside.is_at_least(0, (n,)):
        too_low = T.lt(inside.as_tensor(), 0)
    if not n.is_at_least(inside + 1):
        too_high = T.ge(inside.as_tensor(), n.as_tensor())
    if too_low is None and too_high is None:
        return place
    outside = T.or_(too_low, too_high) if None not in (too_low, too_high) else too_high if too_low is None else too_low
    return T.switch(outside, length, place)


def _simple(length):
    """Return a length as an int where it is known."""
    value = constant_value(length)
    return length if value is None else int(value)


@register_canonicalize
@register_specialize
@local_optimizer([Subtensor])
def local_subtensor_merge(node):
    """``x[a:b][c:d]`` → ``x[e:f]``; further dimensions likewise."""
    inner_var = node.inputs[0]
    inner = inner_var.owner
    if inner is None or not isinstance(inner.op, Subtensor):
        return False
    source = inner.inputs[0]
    first, second = index_of(inner), index_of(node)
    source_lengths, inner_lengths = _lengths(node, source), _lengths(node, inner_var)
    merged, dimension = [], 0
    for position, entry in enumerate(first):
        if not isinstance(entry, slice):
            merged.append(entry)
            continue
        if dimension < len(second):
            if _is_full(entry):
                combined = second[dimension]
            elif _is_full(second[dimension]):
                combined = entry
            else:
                combined = merge_two_slices(
                    entry, _simple(source_lengths[position]), second[dimension], _simple(inner_lengths[dimension])
                )
            merged.append(combined)
        else:
            merged.append(entry)
        dimension += 1
    merged.extend(second[dimension:])
    result = take(source, [_as_entry(entry) for entry in merged])
    out = node.outputs[0]
    if result.type != out.type:
        # The pattern of 1-long dimensions may be known better or worse for the merged index.
        result = T.patternbroadcast(result, out.broadcastable)
        if result.type != out.type:
            return False
    return [copy_stack_trace([inner_var, out], result)]


def _as_entry(entry):
    """Return an index entry in the form that `Subtensor` takes: numbers plain, tensors as they are."""
    if isinstance(entry, slice):
        return slice(_as_entry(entry.start), _as_entry(entry.stop), _as_entry(entry.step))
    if entry is None or isinstance(entry, (int, np.integer)):
        return entry
    value = number(entry)
    if isinstance(value, int):
        return value
    return T.cast(entry, "int64") if isinstance(entry.type, T.TensorType) and entry.dtype not in T.integer_dtypes else entry


@register_specialize
@register_canonicalize
@local_optimizer([Subtensor])
def local_subtensor_inc_subtensor(node):
    """``set_subtensor(x[i], y)[i]`` → ``y``."""
    inner = node.inputs[0].owner
    if inner is None or not isinstance(inner.op, IncSubtensor) or not inner.op.set_instead_of_inc:
        return False
    if inner.inputs[2:] != node.inputs[1:] or tuple(inner.op.idx_list) != tuple(node.op.idx_list):
        return False
    out, value = node.outputs[0], inner.inputs[1]
    if value.dtype != out.dtype:
        value = T.cast(value, out.dtype)
    if value.type == out.type:
        return [value]
    # The value was broadcast into the place.
    place = node.op(inner.inputs[0], *inner.inputs[2:])
    result = T.alloc(value, *[place.shape[i] for i in range(place.ndim)])
    if result.type != out.type:
        return False
    return [copy_stack_trace(out, result)]


@register_canonicalize
@register_stabilize
@local_optimizer([AdvancedSubtensor1])
def local_adv_sub1_adv_inc_sub1(node):
    """``inc(zeros, y, rows)[rows]`` or ``set(x, y, rows)[rows]`` → ``y``, as far as rows do not repeat."""
    inner = node.inputs[0].owner
    if inner is None or not isinstance(inner.op, AdvancedIncSubtensor1) or inner.inputs[2] is not node.inputs[1]:
        return False
    base, value, rows = inner.inputs
    if not inner.op.set_instead_of_inc and not is_value(base, 0):
        return False
    if not distinct(rows):
        # A row that occurs twice got two increments, or the last of two values.
        return False
    out = node.outputs[0]
    if value.dtype != out.dtype:
        value = T.cast(value, out.dtype)
    if value.type != out.type:
        return False
    return [value]


def distinct(rows):
    """Whether the numbers in a vector are known to be all different."""
    if isinstance(rows, T.TensorConstant):
        data = np.asarray(rows.data)
        return len(np.unique(data)) == data.size and (data.size == 0 or data.min() >= 0)
    return made_by(rows, T.ARange) is not None


# --- lifting ----------------------------------------------------------------------------------------


@register_canonicalize("fast_compile")
@local_optimizer([Subtensor])
def local_subtensor_lift(node):
    """``f(x)[i]`` → ``f(x[i])`` for elementwise `f`: less to compute."""
    source = node.inputs[0]
    inner = source.owner
    if inner is None or len(source.clients) > 1 or len(inner.outputs) != 1:
        return False
    out, index = node.outputs[0], node.inputs[1:]
    if isinstance(inner.op, Elemwise):
        if len(inner.inputs) == 1:
            part = copy_stack_trace(out, node.op(inner.inputs[0], *index))
            result = inner.op(part)
        else:
            flags = [v.type.broadcastable for v in inner.inputs]
            if not all(not any(f) or all(f) for f in flags) or all(all(f) for f in flags):
                return False
            parts = []
            for variable, pattern in zip(inner.inputs, flags):
                if not any(pattern):
                    parts.append(copy_stack_trace(out, node.op(variable, *index)))
                elif out.ndim == variable.ndim:
                    parts.append(variable)
                else:
                    # A scalar in as many dimensions as are left.
                    parts.append(variable.dimshuffle(["x"] * out.ndim))
            result = inner.op(*parts)
        if result.type != out.type:
            return False
        return [copy_stack_trace([source, out], result)]
    if isinstance(inner.op, Rebroadcast):
        # Which dimensions of the result are declared.
        axes, dimension = [], 0
        entries = index_of(node)
        for i in range(source.ndim):
            if i < len(entries) and not isinstance(entries[i], slice):
                continue
            if i in inner.op.axis:
                axes.append((dimension, inner.op.axis[i]))
            dimension += 1
        part = copy_stack_trace(out, node.op(inner.inputs[0], *index))
        result = Rebroadcast(*axes)(part) if axes else part
        if result.type != out.type:
            return False
        return [copy_stack_trace([source, out], result)]
    return False


@register_canonicalize
@register_stabilize
@register_specialize
@local_optimizer([Subtensor])
def local_subtensor_of_dot(node):
    """``dot(A, B)[i, j]`` → ``dot(A[i], B[:, j])``: compute only what is wanted."""
    source = node.inputs[0]
    inner = source.owner
    if inner is None or not isinstance(inner.op, T.Dot) or len(source.clients) > 1:
        return False
    a, b = inner.inputs
    index = index_of(node)
    rows = a.ndim - 1
    a_index, b_index = index[:rows], index[rows:]
    if b.ndim > 1 and b_index:
        # The last but one dimension of b is summed over.
        b_index = [*b_index[: b.ndim - 2], slice(None), *b_index[b.ndim - 2 :]] if len(b_index) >= b.ndim - 1 else None
        if b_index is None:
            return False
    a_part = copy_stack_trace(source, take(a, a_index)) if a_index and take_changes(a_index) else a
    b_part = copy_stack_trace(source, take(b, b_index)) if b_index and take_changes(b_index) else b
    result = T.dot(a_part, b_part)
    if result.type != node.outputs[0].type:
        return False
    return [copy_stack_trace([source, node.outputs[0]], result)]


def take_changes(index):
    """Whether an index takes anything but everything."""
    return not all(_is_full(entry) for entry in index)


@register_canonicalize
@register_specialize
@local_optimizer([Subtensor])
def local_subtensor_remove_broadcastable_index(node):
    """``x[0, :, 0]`` with dimensions of length 1 → a dimshuffle that drops them."""
    source = node.inputs[0]
    kept = []
    entries = index_of(node)
    for i, entry in enumerate(entries):
        if isinstance(entry, slice):
            if not _is_full(entry):
                return False
            kept.append(i)
            continue
        if not source.type.broadcastable[i]:
            return False
        value = number(entry)
        if not isinstance(value, int) or value not in (0, -1):
            return False
    if len(kept) == len(entries):
        return False
    kept.extend(range(len(entries), source.ndim))
    result = source.dimshuffle(kept)
    return [copy_stack_trace(node.outputs[0], result)] if result.type == node.outputs[0].type else False


@register_useless
@register_canonicalize
@register_specialize
@local_optimizer([Subtensor])
def local_subtensor_of_alloc(node):
    """``alloc(value, shape)[i]`` → ``alloc(value[i], shape of that)``."""
    filled = made_by(node.inputs[0], T.Alloc)
    if filled is None:
        return False
    value, *lengths = filled
    out = node.outputs[0]
    entries = index_of(node)
    entries += [slice(None)] * (node.inputs[0].ndim - len(entries))
    added = node.inputs[0].ndim - value.ndim
    value_index, new_lengths = [], []
    for i, (length, entry) in enumerate(zip(lengths, entries)):
        if i >= added:
            # A dimension of the value; one of length 1 is broadcast to whatever length is asked for.
            broadcast = value.type.broadcastable[i - added] and not is_value(length, 1)
            if broadcast:
                value_index.append(slice(None) if isinstance(entry, slice) else 0)
            else:
                value_index.append(entry)
        elif not isinstance(entry, slice) and not isinstance(number(entry), int):
            # An index that may lie outside must go on being checked.
            return False
        if isinstance(entry, slice):
            if _is_full(entry):
                new_lengths.append(length)
                continue
            new_lengths.append(slice_len(entry, _simple(length)))
        elif not _surely_inside(number(entry), length) and not (i >= added and not value.type.broadcastable[i - added]):
            return False
    part = take(value, value_index)
    if part is not value:
        part = copy_stack_trace(out, part)
    if not new_lengths:
        result = part
    else:
        result = T.alloc(part, *new_lengths)
    if result.type != out.type:
        result = T.patternbroadcast(result, out.broadcastable)
    if result.type != out.type:
        return False
    return [copy_stack_trace(out, result)] if result is not value else [result]


def _surely_inside(position, length):
    """Whether a position is known to be inside of a dimension."""
    known = constant_value(length)
    if not isinstance(position, int):
        return False
    if known is None:
        # Nothing is known of the length: as Theano does, take it that the program is right.
        return True
    return -known <= position < known


__all__ = [
    "index_of", "local_adv_sub1_adv_inc_sub1", "local_subtensor_inc_subtensor",
    "local_subtensor_lift", "local_subtensor_make_vector", "local_subtensor_merge", "local_subtensor_of_alloc",
    "local_subtensor_of_dot", "local_subtensor_remove_broadcastable_index", "local_useless_slice",
    "local_useless_subtensor", "merge_two_slices", "take",
]  # fmt: skip
