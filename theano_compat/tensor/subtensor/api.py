"""``inc_subtensor``, ``set_subtensor`` and ``take``: what users call."""

from __future__ import annotations

from theano_compat.tensor import basic as tb
from theano_compat.tensor.elemwise import DimShuffle
from theano_compat.tensor.subtensor.advanced import (
    AdvancedBooleanIncSubtensor,
    AdvancedBooleanSubtensor,
    AdvancedIncSubtensor,
    AdvancedSubtensor,
)
from theano_compat.tensor.subtensor.advanced1 import AdvancedIncSubtensor1, AdvancedSubtensor1
from theano_compat.tensor.subtensor.basic import Subtensor
from theano_compat.tensor.subtensor.inc import IncSubtensor

_NOT_A_PART = "x must be the result of a subtensor operation"


def set_subtensor(x, y, inplace=False, tolerate_inplace_aliasing=False):
    """Return the tensor that `x` is a part of, with that part replaced by `y`.

    Parameters
    ----------
    x
        The result of indexing, such as ``r[10:]``; possibly reshaped or with its dimensions moved.
    y
        The new values, broadcast to the shape of `x`.
    inplace
        Destroy the tensor that is changed; leave this to the in-place rewrites.
    tolerate_inplace_aliasing
        Allow `y` to share memory with that tensor.

    Returns
    -------
    tensor variable
        Of the type of the tensor that was indexed.

    Examples
    --------
    >>> import theano_compat.tensor as T
    >>> r = T.vector()
    >>> T.set_subtensor(r[10:], 5).eval({r: [0.0] * 12})[9:].tolist()
    [0.0, 5.0, 5.0]
    """
    return inc_subtensor(
        x,
        y,
        inplace,
        set_instead_of_inc=True,
        tolerate_inplace_aliasing=tolerate_inplace_aliasing,
    )


def inc_subtensor(
    x, y, inplace=False, set_instead_of_inc=False, tolerate_inplace_aliasing=False
):
    """Return the tensor that `x` is a part of, with `y` added to that part.

    Parameters
    ----------
    x, y, inplace, tolerate_inplace_aliasing
        As for :func:`set_subtensor`.
    set_instead_of_inc
        Replace instead of adding.

    Returns
    -------
    tensor variable
        Of the type of the tensor that was indexed.

    Raises
    ------
    TypeError
        `x` is not a part of another tensor, or `y` has more dimensions than `x`.

    Examples
    --------
    >>> import theano_compat.tensor as T
    >>> r = T.vector()
    >>> T.inc_subtensor(r[[0, 0, 1]], 1.0).eval({r: [0.0, 0.0, 0.0]}).tolist()
    [2.0, 1.0, 0.0]
    """
    x, y = tb.as_tensor_variable(x), tb.as_tensor_variable(y)
    if y.ndim > x.ndim:
        raise TypeError(
            f"Trying to increment a {x.ndim}-dimensional "
            f"subtensor with a {y.ndim}-dimensional value."
        )
    if x.owner is None:
        raise TypeError(_NOT_A_PART)
    y = _promise_broadcast(x, y)

    op = x.owner.op
    whole, *index = x.owner.inputs
    if isinstance(op, Subtensor):
        write = IncSubtensor(
            op.idx_list,
            inplace,
            set_instead_of_inc,
            destroyhandler_tolerate_aliased=[[0, 1]] if tolerate_inplace_aliasing else [],
        )
        return write(whole, y, *index)
    if isinstance(op, AdvancedSubtensor1):
        return AdvancedIncSubtensor1(inplace, set_instead_of_inc)(whole, y, *index)
    if isinstance(op, AdvancedSubtensor):
        return AdvancedIncSubtensor(inplace, set_instead_of_inc)(whole, y, *index)
    if isinstance(op, AdvancedBooleanSubtensor):
        return AdvancedBooleanIncSubtensor(inplace, set_instead_of_inc)(whole, y, *index)

    options = {
        "inplace": inplace,
        "set_instead_of_inc": set_instead_of_inc,
        "tolerate_inplace_aliasing": tolerate_inplace_aliasing,
    }
    if isinstance(op, DimShuffle):
        inner = inc_subtensor(whole, _undo_dimshuffle(op, x, y), **options)
        moved = len(op.new_order) == whole.ndim and "x" not in op.new_order
        # Not the same DimShuffle: what was indexed may be broadcastable where the whole is not.
        return inner.dimshuffle(*op.new_order) if moved else inner
    if isinstance(op, tb.Reshape):
        if y.ndim:
            spread = tb.alloc(y, *[x.shape[axis] for axis in range(x.ndim)])
            y = spread.reshape(whole.shape, ndim=whole.ndim)
        return inc_subtensor(whole, y, **options)
    raise TypeError(_NOT_A_PART)


def _promise_broadcast(x, y):
    """Mark the dimensions of `y` as broadcastable where those of `x` are known to have extent one."""
    offset = x.ndim - y.ndim
    axes = [
        axis
        for axis in range(y.ndim)
        if x.broadcastable[axis + offset] and not y.broadcastable[axis]
    ]
    return tb.addbroadcast(y, *axes) if axes else y


def _undo_dimshuffle(op, x, y):
    """Bring `y`, which broadcasts against ``op(inner)``, to the dimension order of ``inner``."""
    missing = x.ndim - y.ndim
    source = {}
    for position, axis in enumerate(op.new_order):
        if axis != "x":
            source[axis] = position - missing if position >= missing else "x"
    order = [source.get(axis, "x") for axis in range(len(op.input_broadcastable))]
    return y.dimshuffle(*order)


def take(a, indices, axis=None, mode="raise"):
    """Take elements along an axis, in the shape of `indices`.

    Parameters
    ----------
    a
        The tensor to take from.
    indices
        Integers of any shape.
    axis
        The dimension to index; None takes from the flattened tensor.
    mode : {'raise', 'clip', 'wrap'}
        What to do with indices out of bounds.

    Returns
    -------
    tensor variable
        Of shape ``a.shape[:axis] + indices.shape + a.shape[axis + 1:]``.
    """
    a = tb.as_tensor_variable(a)
    indices = tb.as_tensor_variable(indices)
    extent = (a.size if axis is None else a.shape[axis]) if mode in ("clip", "wrap") else None
    if mode == "clip":
        indices = tb.clip(indices, 0, extent - 1)
    elif mode == "wrap":
        indices = indices % extent

    if indices.ndim == 1:
        if axis is None:
            return a.flatten()[indices]
        axis = axis + a.ndim if axis < 0 else axis
        if axis == 0:
            return AdvancedSubtensor1()(a, indices)
        order = [axis if k == 0 else 0 if k == axis else k for k in range(a.ndim)]
        rows = AdvancedSubtensor1()(a.dimshuffle(order), indices)
        return rows.dimshuffle(order)

    if axis is None:
        shape, ndim = indices.shape, indices.ndim
    else:
        axis = axis + a.ndim if axis < 0 else axis
        parts = [indices.shape]
        if axis > 0:
            parts.insert(0, a.shape[:axis])
        parts.append(a.shape[axis + 1 :])
        ndim = a.ndim + indices.ndim - 1
        shape = tb.concatenate(parts) if len(parts) > 1 else parts[0]
    return take(a, indices.flatten(), axis).reshape(shape, ndim)

