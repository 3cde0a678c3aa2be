"""Index templates and what can be said about an index before it has a value.

A template (``idx_list``) is a tuple in which every number that an index needs is replaced by its
scalar type; the numbers themselves are inputs of the apply node, in the order in which they are met.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from theano_compat import scalar as scal
from theano_compat.gof import Constant, Type, Variable
from theano_compat.tensor import basic as tb
from theano_compat.tensor.basic.extents import Extent, either, larger, smaller, where_negative
from theano_compat.tensor.type import TensorType
from theano_compat.tensor.type_other import NoneConst, NoneTypeT, SliceType, make_slice

INDEX_DTYPES = frozenset(
    ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
)
_REJECT_BOOL = (
    "AdvancedSubtensor does not support boolean masks for indexing."
    " Use AdvancedBooleanSubtensor instead. "
)


class AdvancedIndexingError(TypeError):
    """An entry cannot be part of a basic index; advanced indexing may still take it."""


class AdvancedBooleanIndexingError(TypeError):
    """An entry is a boolean mask, which basic indexing does not take."""


def fill_template(template: Iterable, values: Iterable) -> tuple:
    """Replace every scalar type of an index template by the next of `values`."""
    source = iter(values)

    def fill(entry):
        if isinstance(entry, Type):
            return next(source)
        if isinstance(entry, slice):
            start = fill(entry.start)
            stop = fill(entry.stop)
            return slice(start, stop, fill(entry.step))
        return entry

    return tuple(fill(entry) for entry in template)


def get_idx_list(inputs: Sequence, idx_list: Sequence, get_count: bool = False):
    """Put the inputs of an indexing node into its template.

    Parameters
    ----------
    inputs
        The indexed tensor, followed by one value per type in the template.
    idx_list
        The template.
    get_count
        Return only how many values the template takes.

    Returns
    -------
    tuple or int
        Integers, slices and variables as given, one entry per indexed dimension.
    """
    if get_count:
        return len(flatten_index(idx_list, lambda entry: isinstance(entry, Type)))
    return fill_template(idx_list, inputs[1:])


def flatten_index(entries: Iterable, keep: Callable[[Any], bool]) -> list:
    """List the parts of an index (slices opened) for which `keep` holds, in order."""
    found = []
    for entry in entries:
        parts = (entry.start, entry.stop, entry.step) if isinstance(entry, slice) else (entry,)
        found.extend(part for part in parts if keep(part))
    return found


def make_constant(args: Sequence) -> tuple:
    """Turn the Python integers of an index into ``int64`` scalar constants, slices included."""

    def convert(entry):
        if isinstance(entry, slice):
            return slice(convert(entry.start), convert(entry.stop), convert(entry.step))
        if isinstance(entry, (int, np.integer)):
            return scal.ScalarConstant(scal.int64, entry)
        return entry

    return tuple(convert(entry) for entry in args)


def not_integers(idx) -> str:
    """Say, in a line after Theano's, which entry of an index has which dtype, and what to do."""
    return f"\n{idx} has dtype {idx.type.dtype}. Cast it to an integer dtype, with .astype('int64') for example."


def as_index_variable(idx):
    """Make a variable of one entry of an advanced index.

    Parameters
    ----------
    idx
        ``None``, a slice, or anything that becomes an integer or boolean tensor.

    Raises
    ------
    TypeError
        The entry is a tensor of another dtype.
    """
    if idx is None:
        return NoneConst.clone()
    if isinstance(idx, slice):
        return make_slice(idx)
    if isinstance(idx, Variable) and isinstance(idx.type, (SliceType, NoneTypeT)):
        return idx
    idx = tb.as_tensor_variable(idx)
    if idx.type.dtype not in INDEX_DTYPES and idx.type.dtype != "bool":
        raise TypeError(f"index must be integers or a boolean mask{not_integers(idx)}")
    return idx


# -- canonical slices ------------------------------------------------------------------------------


def _clamp(position: Extent, length: Extent, low: int) -> Extent:
    """Bring a possibly negative position into ``[low, length + low]``; `low` is 0 or -1."""
    facts = (length,)
    return where_negative(
        position,
        lambda: larger(position + length, Extent(low), facts),
        lambda: smaller(position, length + low, facts),
        facts,
    )


def _reaches_end(stop: Extent, length: Extent) -> bool:
    """Tell whether a stop certainly reaches the end of the dimension."""
    # The largest number there is counts as "to the end".
    return stop.known == sys.maxsize or stop.is_at_least(length)


def _floor_div(a: Extent, b: Extent) -> Extent:
    if a.known is not None and b.known is not None:
        return Extent(a.known // b.known)
    return Extent.variable_of(tb.int_div(a.as_tensor(), b.as_tensor()))


def canonical_slice(theslice: slice, length):
    """Rewrite a slice so that it needs no knowledge of Python's conventions; see :func:`get_canonical_form_slice`.

    Returns
    -------
    start, stop, step : Extent
    direction : int or 0-d Variable
    """
    length = Extent.of(length)
    facts = (length,)
    start, stop, step = (None if part is None else Extent.of(part) for part in (theslice.start, theslice.stop, theslice.step))
    step = Extent(1) if step is None else step
    if step.known == 0:
        raise ValueError("slice step cannot be zero")

    def forward():
        first = Extent(0) if start is None else _clamp(start, length, 0)
        if stop is None or _reaches_end(stop, length):
            return first, length
        last = _clamp(stop, length, 0)
        return smaller(first, last, facts), last

    def backward(size):
        last = length if start is None else _clamp(start, length, -1) + 1
        first = Extent(0) if stop is None else smaller(_clamp(stop, length, -1) + 1, last, facts)
        if size.known == 1:
            return first, last
        # The lowest element that is taken, counted down from the highest.
        return smaller(last - 1 - _floor_div(last - first - 1, size) * size, last, facts), last

    if step.known is not None:
        size = Extent(abs(step.known))
        return (*(forward() if step.known > 0 else backward(size)), size, 1 if step.known > 0 else -1)
    falling, size = tb.lt(step.as_tensor(), 0), Extent.variable_of(tb.abs_(step.as_tensor()))
    first, last = (either(falling, b, a) for a, b in zip(forward(), backward(size)))
    return first, last, size, tb.sgn(step.as_tensor())


def get_canonical_form_slice(theslice, length):
    """Rewrite an index so that it needs no knowledge of Python's conventions.

    Parameters
    ----------
    theslice
        A slice or an integer, its numbers Python ints or integer scalars of a graph.
    length
        Extent of the indexed dimension, an int or an integer scalar, not negative.

    Returns
    -------
    tuple
        ``(canonical, direction)``. For an integer: its non-negative form, and 1. For a slice:
        ``slice(start, stop, step)`` with ``0 <= start``, ``stop <= length`` and ``step > 0``, and
        1 or -1 (or a 0-d variable holding one of them).

    Notes
    -----
    ``x[canonical][::direction]`` is what the given slice selects.
    """
    if not isinstance(theslice, slice):
        position, extent = Extent.of(theslice), Extent.of(length)
        return where_negative(position, lambda: position + extent, lambda: position).value(), 1
    start, stop, step, direction = canonical_slice(theslice, length)
    return slice(start.value(), stop.value(), step.value()), direction


def number_of_places(start: Extent, stop: Extent, step: Extent) -> Extent:
    """Number of elements that a canonical slice takes."""
    extent = stop - start
    return extent if step.known == 1 else _floor_div(extent - 1, step) + 1


def slice_len(theslice: slice, length):
    """Number of elements that a slice takes from a dimension of extent `length`.

    Returns
    -------
    int or 0-d integer variable
    """
    return number_of_places(*canonical_slice(theslice, length)[:3]).value()


# -- advanced indices ------------------------------------------------------------------------------


def _is_bool(entry) -> bool:
    if isinstance(entry, (bool, np.bool_)):
        return True
    dtype = getattr(entry, "dtype", None)
    return dtype is not None and str(dtype) == "bool"


def check_and_reject_bool(args_el) -> None:
    """Raise TypeError if there is a boolean anywhere in an index."""
    pending = [args_el]
    while pending:
        entry = pending.pop()
        if _is_bool(entry):
            raise TypeError(_REJECT_BOOL)
        if isinstance(entry, (list, tuple)):
            pending.extend(entry)


def _is_mask(entry) -> bool:
    return _is_bool(entry) and getattr(entry, "ndim", 0) > 0


def check_advanced_indexing_dimensions(input, idx_list) -> None:
    """Compare the shapes of boolean masks with the dimensions that they index.

    Parameters
    ----------
    input : ndarray or tensor variable
        What is indexed; without a concrete shape nothing is compared.
    idx_list
        The entries of the index.

    Raises
    ------
    IndexError
        A mask has another extent than the dimension under it.
    """
    shape = getattr(input, "shape", None)
    if not isinstance(shape, tuple):
        return
    dim = 0
    for entry in idx_list:
        if entry is None or (isinstance(entry, Variable) and isinstance(entry.type, NoneTypeT)):
            continue
        if not (_is_mask(entry) and isinstance(entry, np.ndarray)):
            dim += 0 if _is_bool(entry) else 1
            continue
        for axis, extent in enumerate(entry.shape):
            if dim + axis >= len(shape):
                raise IndexError("too many indices for array")
            if shape[dim + axis] != extent:
                raise IndexError(
                    "boolean index did not match indexed array along"
                    f" dimension {dim + axis}; dimension is {shape[dim + axis]}"
                    f" but corresponding boolean dimension is {extent}"
                )
        dim += entry.ndim


def _slice_keeps_one(entry) -> bool:
    """Tell whether a slice certainly keeps the only element of a dimension of extent one."""
    if isinstance(entry, Constant):
        entry = entry.data
    parts = (
        (entry.start, entry.stop, entry.step)
        if isinstance(entry, slice)
        else tuple(entry.owner.inputs)
        if isinstance(entry, Variable) and entry.owner is not None
        else None
    )
    if parts is None:
        return False
    values = []
    for part in parts:
        if isinstance(part, Constant):
            part = part.data
        if isinstance(part, Variable):
            return False
        values.append(None if part is None else int(part))
    return len(range(*slice(*values).indices(1))) == 1


class AdvancedLayout:
    """Where each output dimension of an advanced index comes from.

    Attributes
    ----------
    dims : list of tuple
        ``("new",)``, ``("slice", input_axis, entry or None)`` or ``("index", k)`` per output
        dimension, where ``k`` counts the dimensions of the broadcast index arrays.
    arrays : list of tuple
        ``(entry, ndim)`` of every array among the indices; a mask stands for 1-d arrays.
    """

    def __init__(self, ndim: int, idx: Sequence):
        taken = 0
        slots: list[tuple] = []
        self.arrays: list[tuple] = []
        runs = 0
        in_run = False
        for entry in idx:
            kind = self._kind(entry)
            if kind == "array":
                mask = _is_bool(entry)
                arity = getattr(entry, "ndim", 0)
                self.arrays.append((entry, 1 if mask else arity))
                taken += arity if mask else 1
                if not in_run:
                    runs += 1
                    slots.append(("arrays",))
                in_run = True
                continue
            in_run = False
            if kind == "new":
                slots.append(("new",))
            else:
                slots.append(("slice", taken, entry))
                taken += 1
        if taken > ndim:
            raise IndexError("too many indices for array")
        slots.extend(("slice", axis, None) for axis in range(taken, ndim))

        rank = max((arity for _, arity in self.arrays), default=0)
        block = [("index", k) for k in range(rank)]
        rest = [slot for slot in slots if slot != ("arrays",)]
        if runs == 1:
            place = slots.index(("arrays",))
            self.dims = rest[:place] + block + rest[place:]
        else:
            self.dims = block + rest
        self.rank = rank

    @staticmethod
    def _kind(entry) -> str:
        if entry is None or isinstance(getattr(entry, "type", None), NoneTypeT):
            return "new"
        if isinstance(entry, slice) or isinstance(getattr(entry, "type", None), SliceType):
            return "slice"
        return "array"


def adv_index_broadcastable_pattern(a, idx) -> tuple[bool, ...]:
    """Broadcast pattern of ``a[idx]`` for an index with arrays in it.

    Parameters
    ----------
    a : tensor variable
    idx : sequence
        Variables as :func:`as_index_variable` makes them (tensors, slices, none).

    Returns
    -------
    tuple of bool
        True where the result certainly has extent one; the dimensions of the index arrays
        themselves are never taken to be broadcastable.
    """
    a = tb.as_tensor_variable(a)
    layout = AdvancedLayout(a.ndim, idx)
    result = []
    for origin, *where in layout.dims:
        if origin == "new":
            result.append(True)
        elif origin == "index":
            result.append(False)
        else:
            axis, entry = where
            result.append(a.broadcastable[axis] and (entry is None or _slice_keeps_one(entry)))
    return tuple(result)


def is_index_type(type_: Type) -> bool:
    """Tell whether values of this type can be an integer of a basic index."""
    if isinstance(type_, TensorType):
        return type_.ndim == 0 and type_.dtype in INDEX_DTYPES
    return isinstance(type_, scal.Scalar) and type_.dtype in INDEX_DTYPES
