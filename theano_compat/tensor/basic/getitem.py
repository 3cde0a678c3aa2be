"""Indexing of variables: which op each kind of index becomes."""

from __future__ import annotations

import numpy as np

from theano_compat.gof import Variable

_BOOL_TEXT = (
    "TensorType does not support Python bools for indexing, such as tensor[[True, False]]. To use a boolean mask, "
    "convert the mask to a NumPy array first, e.g., tensor[numpy.array([True, False])]."
)
_ALL = slice(None)


def _contains_python_bool(entry):
    pending = [entry]
    while pending:
        item = pending.pop()
        if isinstance(item, bool):
            return True
        if isinstance(item, (list, tuple)):
            pending.extend(item)
    return False


def _is_mask(entry):
    if isinstance(entry, np.bool_):
        return True
    dtype = getattr(entry, "dtype", None)
    return dtype is not None and str(dtype) == "bool"


def _is_full_slice(entry):
    return isinstance(entry, slice) and entry.start is None and entry.stop is None and entry.step is None


def _dimensions_taken(entry):
    """Return how many dimensions of the array an entry of an index stands for."""
    if entry is None or entry is Ellipsis or _is_none_variable(entry):
        return 0
    return getattr(entry, "ndim", 0) if _is_mask(entry) else 1


def _is_none_variable(entry):
    from theano_compat.tensor.type_other import NoneTypeT

    return isinstance(entry, Variable) and isinstance(entry.type, NoneTypeT)


def getitem(x, args):
    """Return ``x[args]``.

    Integers and slices (numbers or variables) become a `Subtensor`, new axes a `DimShuffle`, one array of
    integers along one dimension a `take`, and anything else an advanced or boolean subtensor.

    Raises
    ------
    IndexError
        If there are too many indices, or several ellipses.
    TypeError
        If an index is neither integer nor boolean.
    """
    from theano_compat.tensor import subtensor

    if isinstance(args, list) and any(isinstance(entry, slice) for entry in args):
        args = tuple(args)  # a list with slices in it stands for a tuple
    args = args if isinstance(args, tuple) else (args,)
    # an empty list is an index of nothing, not of floats
    args = tuple(np.empty(0, dtype="int64") if isinstance(a, (list, tuple)) and not a else a for a in args)
    if any(_contains_python_bool(a) for a in args):
        raise TypeError(_BOOL_TEXT)
    taken = sum(_dimensions_taken(a) for a in args)
    if taken > x.ndim:
        raise IndexError("too many indices for array")
    ellipses = [i for i, a in enumerate(args) if a is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can only have a single Ellipsis (`...`)")
    if ellipses:
        (at,) = ellipses
        args = args[:at] + (_ALL,) * (x.ndim - taken) + args[at + 1 :]

    args = subtensor.make_constant(args)
    advanced = None
    for position, entry in enumerate(args):
        if entry is None or _is_none_variable(entry):
            continue
        if _is_mask(entry):
            return subtensor.advanced_boolean_subtensor(x, *args)
        try:
            subtensor.Subtensor.convert(entry)
        except subtensor.AdvancedBooleanIndexingError:
            return subtensor.advanced_boolean_subtensor(x, *args)
        except subtensor.AdvancedIndexingError:
            # one array among full slices is the simple case
            advanced = position if advanced is None else -1
    if any(_is_mask(entry) for entry in args):
        return subtensor.advanced_boolean_subtensor(x, *args)
    if advanced is not None:
        others = args[:advanced] + args[advanced + 1 :] if advanced >= 0 else ()
        if advanced >= 0 and all(_is_full_slice(entry) for entry in others) and _can_be_taken(args[advanced]):
            return x.take(args[advanced], advanced)
        return subtensor.advanced_subtensor(x, *args)
    if any(entry is None for entry in args):
        return _with_new_axes(x, args)
    numbers = subtensor.Subtensor.collapse(args, lambda entry: isinstance(entry, Variable))
    return subtensor.Subtensor(args)(x, *numbers)


def _can_be_taken(entry):
    from theano_compat.tensor.type import TensorType

    return not isinstance(entry, Variable) or isinstance(entry.type, TensorType)


def _with_new_axes(x, args):
    """Return ``x[args]`` for an index that has None among integers and slices."""
    remaining = iter(range(x.ndim))
    pattern = ["x" if entry is None else next(remaining) for entry in args]
    view = x.dimshuffle(pattern + list(remaining))
    index = tuple(_ALL if entry is None else entry for entry in args)
    return view if all(_is_full_slice(entry) for entry in index) else view[index]
