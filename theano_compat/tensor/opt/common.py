"""Small questions and constructions that many rewrites share."""

from __future__ import annotations

import numpy as np

from theano_compat import gof
from theano_compat import scalar as scal
from theano_compat.gof.opt import copy_stack_trace
from theano_compat.tensor import basic as T
from theano_compat.tensor.basic.conversion import constant_or_none
from theano_compat.tensor.elemwise import DimShuffle, Elemwise


def scalar_op(variable):
    """Return the scalar op that makes a variable element by element; None if nothing does."""
    owner = variable.owner
    return owner.op.scalar_op if owner is not None and isinstance(owner.op, Elemwise) else None


def made_by(variable, op):
    """Return the inputs of the node that makes a variable if it has this op (or class of op), else None."""
    owner = variable.owner
    if owner is None:
        return None
    matches = isinstance(owner.op, op) if isinstance(op, (type, tuple)) else owner.op == op
    return owner.inputs if matches else None


def transpose_of(variable):
    """Return the matrix that a variable is the transpose of, else None."""
    inputs = made_by(variable, DimShuffle)
    return inputs[0] if inputs is not None and tuple(variable.owner.op.new_order) == (1, 0) else None


def constant_value(variable, elemwise=True, only_process_constants=False):
    """Return the one value of a variable as a 0-d array, or None where it is not known or not one."""
    try:
        return constant_or_none(variable, elemwise, only_process_constants)
    except T.EmptyConstantError:
        return None


def is_value(variable, number):
    """Whether a variable is known to be this number everywhere."""
    value = constant_value(variable)
    return value is not None and bool(np.all(value == number))


def scalarconsts_rest(inputs, elemwise=True, only_process_constants=False):
    """Split inputs into constants and others.

    Returns
    -------
    values : list of numpy.ndarray
        0-d values of the constant inputs.
    constants : list of Variable
        Those inputs.
    others : list of Variable
    """
    values, constants, others = [], [], []
    for variable in inputs:
        value = constant_value(variable, elemwise, only_process_constants)
        if value is None:
            others.append(variable)
        else:
            values.append(value)
            constants.append(variable)
    return values, constants, others


def get_clients(node):
    """Return the nodes that use the first output of a node."""
    return [client for client, _ in node.outputs[0].clients if client != "output"]


def get_clients2(node):
    """Return the nodes that use the results of the nodes that use the first output of a node."""
    return [client for user in get_clients(node) for out in user.outputs for client, _ in out.clients if client != "output"]


def single_client(variable):
    """Whether a result is used once at most."""
    return len(getattr(variable, "clients", ())) <= 1


def merge_broadcastables(broadcastables):
    """Return the broadcast pattern of an elementwise operation on inputs of one rank."""
    return [all(flags) for flags in zip(*broadcastables)]


def encompasses_broadcastable(b1, b2):
    """Whether something with pattern `b1` is at least as large in every dimension as something with `b2`."""
    if len(b1) < len(b2):
        return False
    tail = b1[len(b1) - len(b2) :]
    return not any(first and not second for first, second in zip(tail, b2))


def broadcast_like(value, template, fgraph, dtype=None):
    """Return `value` filled to the shape of `template`, without any need of its values.

    Parameters
    ----------
    value : Variable or number
    template : Variable
        In the graph.
    fgraph : FunctionGraph
        Knows the shapes, if it has a `ShapeFeature`.
    dtype : str, optional
        Of the result; default: that of the template.
    """
    value = T.cast(T.as_tensor_variable(value), dtype or template.dtype)
    if value.type.broadcastable == template.type.broadcastable and value.dtype == (dtype or template.dtype):
        return value
    if template not in fgraph.variables:
        raise NotImplementedError("broadcast_like currently requires the template Variable to be in the fgraph already")
    feature = getattr(fgraph, "shape_feature", None)
    shape = feature.shape_of[template] if feature is not None else template.shape
    if shape is None:
        shape = template.shape
    shape = [shape[i] for i in range(template.ndim)]
    result = T.alloc(value, *shape)
    # A dimension of the template may be 1 without being declared so.
    loose = [i for i in range(result.ndim) if result.broadcastable[i] and not template.broadcastable[i]]
    if loose:
        result = T.unbroadcast(result, *loose)
    return result


def fill_chain(new_out, orig_inputs):
    """Return ``[fill(input, ... fill(input, new_out))]``: the value with the shape that the inputs give together."""
    for variable in orig_inputs:
        new_out = T.fill(variable, new_out)
    return [new_out]


def with_type_of(new, node):
    """Cast and fill a new value to the type of a node's output; None if that does not give the type."""
    out = node.outputs[0]
    if new.type.dtype != out.type.dtype:
        new = T.cast(new, out.type.dtype)
    if new.type != out.type:
        (new,) = fill_chain(new, node.inputs)
    return new if new.type == out.type else None


def like(value, node):
    """Return a constant value in the shape and dtype of a node's output, with its trace, as a replacement."""
    out = node.outputs[0]
    # A fill, not an Alloc: it sinks towards the outputs, where it most often turns out useless.
    result = T.constant(np.asarray(value, dtype=out.dtype))
    for variable in dict.fromkeys(node.inputs):
        if isinstance(variable, gof.Constant) and all(variable.type.broadcastable) and len(node.inputs) > 1:
            continue
        result = copy_stack_trace(out, T.fill(variable, result))
    return [result] if result.type == out.type else False


def shape_feature_of(node):
    """Return the `ShapeFeature` of the graph that a node is in; None if there is none (or no graph)."""
    return getattr(getattr(node, "fgraph", None), "shape_feature", None)


def skip_dimshuffle(variable):
    """Return what a variable is below dimshuffles that only add or reorder dimensions."""
    while variable.owner is not None and isinstance(variable.owner.op, DimShuffle):
        variable = variable.owner.inputs[0]
    return variable


def same_variable(a, b):
    """Whether two variables are the same, or equal constants."""
    return a is b or (isinstance(a, gof.Constant) and isinstance(b, gof.Constant) and a.equals(b))


def is_inverse_pair(node_op, prev_op, inv_pair):
    """Whether the scalar ops of two elementwise ops are the two of a pair, in either order.

    Parameters
    ----------
    node_op, prev_op : Elemwise or None
    inv_pair : tuple of two scalar op classes
    """
    if not (isinstance(node_op, Elemwise) and isinstance(prev_op, Elemwise)):
        return False
    # Exact classes: one function of a pair may be implemented as a subclass of the other.
    return (type(node_op.scalar_op), type(prev_op.scalar_op)) in (tuple(inv_pair), tuple(inv_pair)[::-1])


def is_an_upcast(type1, type2):
    """Whether every value of dtype `type1` is kept by a cast to `type2`.

    Parameters
    ----------
    type1, type2 : str
        Names of dtypes.
    """
    return type2 in _UP.get(type1, ())


_UP = {
    "bool": scal.all_types,
    "uint8": ("uint8", "uint16", "uint32", "uint64", "int16", "int32", "int64", "float16", "float32", "float64",
              "complex64", "complex128"),
    "uint16": ("uint16", "uint32", "uint64", "int32", "int64", "float32", "float64", "complex64", "complex128"),
    "uint32": ("uint32", "uint64", "int64", "float64", "complex128"),
    "uint64": ("uint64",),
    "int8": ("int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128"),
    "int16": ("int16", "int32", "int64", "float32", "float64", "complex64", "complex128"),
    "int32": ("int32", "int64", "float64", "complex128"),
    "int64": ("int64",),
    "float16": ("float16", "float32", "float64", "complex64", "complex128"),
    "float32": ("float32", "float64", "complex64", "complex128"),
    "float64": ("float64", "complex128"),
    "complex64": ("complex64", "complex128"),
    "complex128": ("complex128",),
}  # fmt: skip
