"""Elements of integer vectors (shapes, mostly), looked up in what the vector is put together from."""

from __future__ import annotations

import functools

from theano_compat.gof import Constant
from theano_compat.tensor.basic.conversion import NotScalarConstantError, constant_or_none, get_vector_length, part_with


@functools.cache
def _makers():
    """Return the ops that are looked through: Shape, Shape_i, Join, MakeVector, Subtensor."""
    from theano_compat.compile.ops import Shape, Shape_i
    from theano_compat.tensor.basic.joining import Join
    from theano_compat.tensor.opt import MakeVector
    from theano_compat.tensor.subtensor.basic import Subtensor

    return Shape, Shape_i, Join, MakeVector, Subtensor


def element(vector, i):
    """Return what element `i` of a vector is.

    Parameters
    ----------
    vector : Variable
    i : int

    Returns
    -------
    int, 0-d Variable, ("length", int, Variable) or None
        The third for a length of a dimension of a variable; None where nothing is known.
    """
    shape, _, join, make_vector, subtensor = _makers()
    while vector is not None and i is not None:
        if isinstance(vector, Constant):
            return int(vector.data[i]) if -len(vector.data) <= i < len(vector.data) else None
        if vector.owner is None:
            return None
        op, inputs = vector.owner.op, vector.owner.inputs
        if isinstance(op, make_vector):
            return inputs[i] if -len(inputs) <= i < len(inputs) and inputs[i].dtype == vector.dtype else None
        if isinstance(op, shape):
            ndim = inputs[0].ndim
            return ("length", i % ndim, inputs[0]) if -ndim <= i < ndim else None
        if isinstance(op, join) and constant_or_none(inputs[0], only_process_constants=True) == 0:
            vector, i = part_with(inputs[1:], i)
        elif isinstance(op, subtensor) and inputs[0].ndim == 1:
            vector, i = inputs[0], _unsliced(vector, i)
        else:
            return None
    return None


def picked(node):
    """Return what `element` says of a node ``vector[i]`` with a known `i`, or ``Shape_i(x)``; None for other nodes."""
    _, shape_i, _, _, subtensor = _makers()
    op = node.op
    if isinstance(op, shape_i):
        return "length", op.i, node.inputs[0]
    if not isinstance(op, subtensor) or node.inputs[0].ndim != 1 or len(op.idx_list) != 1 or isinstance(op.idx_list[0], slice):
        return None
    position = constant_or_none(node.inputs[1], only_process_constants=True) if len(node.inputs) > 1 else op.idx_list[0]
    return None if position is None else element(node.inputs[0], int(position))


def _unsliced(vector, i):
    """Return the place in ``x`` of element `i` of ``x[a:b:c]``, None where it is not known."""
    try:
        (index,) = vector.owner.op.get_constant_idx(vector.owner.inputs, allow_partial=False)
        places = range(get_vector_length(vector.owner.inputs[0]))[index]
    except (NotScalarConstantError, ValueError):
        return None
    return places[i] if -len(places) <= i < len(places) else None


def elements(vector, n):
    """Return the elements of an integer vector.

    Parameters
    ----------
    vector : Variable
    n : int
        How many there should be. A constant, or a vector made of its elements, has as many as it has.

    Returns
    -------
    list of int or 0-d Variable
    """
    _, shape_i, _, make_vector, _ = _makers()
    if isinstance(vector, Constant):
        n = len(vector.data)
    elif vector.owner is not None and isinstance(vector.owner.op, make_vector):
        n = len(vector.owner.inputs)
    found = []
    for i in range(n):
        part = element(vector, i)
        if isinstance(part, tuple):
            part = shape_i(part[1])(part[2])
        elif isinstance(part, Constant):
            part = int(part.data)
        found.append(vector[i] if part is None else part)
    return found


__all__ = ["element", "elements", "picked"]
