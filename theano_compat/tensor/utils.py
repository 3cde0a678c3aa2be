"""Small services for tensors: a hash of array contents, the shapes of all variables of a graph."""

from __future__ import annotations

import numpy as np

from theano_compat.gof import Constant
from theano_compat.gof.utils import hash_from_code


def hash_from_ndarray(data):
    """Return a hash that tells apart arrays of different contents, shape or dtype, and not how they are stored.

    Parameters
    ----------
    data : numpy.ndarray

    Returns
    -------
    str
    """
    data = np.ascontiguousarray(data) if np.ndim(data) else np.asarray(data)
    layout = (str(data.shape), str(data.strides), str(data.dtype))
    return hash_from_code(hash_from_code(data.tobytes()) + "".join(hash_from_code(part) for part in layout))


def shape_of_variables(fgraph, input_shapes):
    """Return the numeric shape of every variable of a graph, given those of its inputs.

    Parameters
    ----------
    fgraph : FunctionGraph
        The graph; a shape feature is attached to it where it has none.
    input_shapes : dict
        Input variable -> tuple of int.

    Returns
    -------
    dict
        Variable -> tuple of int.

    Raises
    ------
    ValueError
        If an input has no entry.
    """
    import theano_compat
    from theano_compat.tensor.opt import ShapeFeature

    if not hasattr(fgraph, "shape_feature"):
        fgraph.attach_feature(ShapeFeature())
    known_shapes = fgraph.shape_feature.shape_of
    variables = [*fgraph.inputs, *(out for node in fgraph.toposort() for out in node.outputs)]
    shape_of = {v: known_shapes[v] for v in variables if known_shapes[v] is not None}

    wanted = [dimension for shape in shape_of.values() for dimension in shape]
    lengths, values = [], []
    for variable in fgraph.inputs:
        if variable not in input_shapes:
            raise ValueError(f"input_shapes keys aren't in the fgraph.inputs: no shape for {variable}")
        for dimension, value in zip(shape_of[variable], input_shapes[variable]):
            if not isinstance(dimension, Constant):
                lengths.append(dimension)
                values.append(value)
    compute = theano_compat.function(
        inputs=lengths, outputs=wanted, mode="FAST_COMPILE", on_unused_input="ignore", allow_input_downcast=True
    )
    known = iter(compute(*values))
    return {variable: tuple([int(next(known)) for _ in shape]) for variable, shape in shape_of.items()}
