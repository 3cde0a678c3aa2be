"""Rewrites that turn a logarithm of chosen softmax entries, and its gradient, into the crossentropy ops."""
from __future__ import annotations

from theano_compat.compile.mode import optdb
from theano_compat.gof import Constant
from theano_compat.gof.opt import copy_stack_trace, local_optimizer, optimizer
from theano_compat.tensor import basic as tensor
from theano_compat.tensor import opt, subtensor
from theano_compat.tensor.elemwise import Elemwise
from theano_compat.tensor.opt import register_canonicalize, register_specialize, register_stabilize
from theano_compat.tensor.opt.shape_feature import equal_lengths

from .crossentropy_ops import (
    crossentropy_categorical_1hot,
    crossentropy_categorical_1hot_grad,
    crossentropy_softmax_1hot_with_bias_dx,
    crossentropy_softmax_argmax_1hot_with_bias,
)
from .quotient import Quotient, constant_value, without
from .rewrites_softmax import _owner, split_bias
from .softmax import logsoftmax_op, softmax_grad, softmax_op, softmax_with_bias


def _zero_bias(x):
    """A bias of zeros for the columns of `x`."""
    return tensor.zeros_like(x[0])


# --- crossentropy_categorical_1hot(softmax(...)) ---

def _merge_into_softmax(fgraph, softmaxes):
    """Replace every ``crossentropy_categorical_1hot(softmax, y)`` whose softmax is one of `softmaxes`."""
    for node in fgraph.toposort():
        if node.op != crossentropy_categorical_1hot:
            continue
        sm, one_of_n = node.inputs
        inner = _owner(sm, *softmaxes)
        if inner is None:
            continue
        x = inner.inputs[0]
        b = inner.inputs[1] if inner.op == softmax_with_bias else _zero_bias(x)
        new_nll, new_sm, _ = crossentropy_softmax_argmax_1hot_with_bias(x, b, one_of_n)
        copy_stack_trace(node.outputs[0], [new_nll, new_sm])
        fgraph.replace_all_validate(
            [(node.outputs[0], new_nll), (sm, new_sm)],
            reason="crossentropy_to_crossentropy_with_softmax" +
                   ("" if softmax_op in softmaxes else "_with_bias"))


@register_stabilize("fast_compile_gpu")
@register_specialize("fast_compile_gpu")
@optimizer
def crossentropy_to_crossentropy_with_softmax_with_bias(fgraph):
    """``crossentropy_categorical_1hot(softmax_with_bias(x, b), y)`` to one stable op, the softmax its second output."""
    _merge_into_softmax(fgraph, (softmax_with_bias,))


@optimizer
def crossentropy_to_crossentropy_with_softmax(fgraph):
    """As `crossentropy_to_crossentropy_with_softmax_with_bias`, also for a softmax without bias.

    Runs once after specialization: by then any bias has been found.
    """
    _merge_into_softmax(fgraph, (softmax_op, softmax_with_bias))


optdb.register("crossentropy_to_crossentropy_with_softmax", crossentropy_to_crossentropy_with_softmax, 2.01,
               "fast_run", "xent", "fast_compile_gpu")


@register_specialize("fast_compile_gpu", "local_crossentropy_to_crossentropy_with_softmax_grad")
@local_optimizer([softmax_grad])
def local_softmax_grad_to_crossentropy_with_softmax_grad(node):
    """``softmax_grad(crossentropy_categorical_1hot_grad(g, sm, y), sm)`` to one op without a quotient."""
    if node.op != softmax_grad:
        return None
    g_coding_dist, coding_dist = node.inputs
    inner = _owner(g_coding_dist, crossentropy_categorical_1hot_grad)
    if inner is None:
        return None
    g_nll, dist, true_one_of_n = inner.inputs
    if dist is not coding_dist:
        return None
    dx = crossentropy_softmax_1hot_with_bias_dx(g_nll, coding_dist, true_one_of_n)
    if dx.type != node.outputs[0].type:
        return None
    copy_stack_trace(node.outputs[0], dx)
    return [dx]


# --- log(softmax(x))[arange(n), y] ---

def _shape_feature(*variables):
    for v in variables:
        fgraph = getattr(v, "fgraph", None) or getattr(v.owner, "fgraph", None)
        feature = getattr(fgraph, "shape_feature", None)
        if feature is not None:
            return feature
    return None


def _is_length_of(v, labels):
    """True where the integer scalar `v` is ``labels.shape[0]``."""
    feature = _shape_feature(labels, v)
    if feature is not None and labels in feature.shape_of and feature.shape_of[labels] is not None:
        length = feature.shape_of[labels][0]
        if equal_lengths(length, v):
            return True
        wanted, given = constant_value(length), constant_value(v)
        if wanted is not None and given is not None:
            return wanted == given
    node = v.owner
    if node is None:
        return False
    if isinstance(node.op, opt.Shape_i):
        if node.op.i != 0:
            return False
        source = node.inputs[0]
        if source is labels:
            return True
        return feature is not None and source in feature.shape_of and feature.same_shape(source, labels, 0, 0)
    if isinstance(node.op, subtensor.Subtensor):
        shape = node.inputs[0].owner
        if shape is None or shape.op != tensor.shape or shape.inputs[0] is not labels:
            return False
        return list(subtensor.get_idx_list(node.inputs, node.op.idx_list)) == [0] or \
            [constant_value(i) for i in subtensor.get_idx_list(node.inputs, node.op.idx_list)
             if not isinstance(i, slice)] == [0]
    if isinstance(node.op, (tensor.ScalarFromTensor, tensor.TensorFromScalar)):
        return _is_length_of(node.inputs[0], labels)
    return False


def _check_rows_is_arange_len_labels(rows, labels, matrix=None):
    """True where `rows` is ``arange(labels.shape[0])``, or ``arange(matrix.shape[0])``: each row has its label."""
    node = rows.owner
    if node is not None and isinstance(node.op, tensor.ARange):
        start, stop, step = node.inputs
        if constant_value(start) != 0 or constant_value(step) != 1:
            return False
        return _is_length_of(stop, labels) or matrix is not None and _is_length_of(stop, matrix)
    if isinstance(rows, Constant) and getattr(rows.type, "ndim", None) == 1:  # slices are constants without ndim
        # The range may have been folded where the number of labels is known.
        feature = _shape_feature(labels)
        if isinstance(labels, Constant):
            length = labels.data.shape[0]
        elif feature is not None and feature.shape_of.get(labels) is not None:
            length = constant_value(feature.shape_of[labels][0])
        else:
            length = None
        return length is not None and rows.data.shape[0] == length and bool((rows.data == range(int(length))).all())
    return False


def _entry_per_row(v):
    """``(matrix, labels)`` where `v` is ``matrix[arange(len(labels)), labels]`` (else None)."""
    node = v.owner
    if node is None or not isinstance(node.op, subtensor.AdvancedSubtensor) or len(node.inputs) != 3:
        return None
    matrix, rows, labels = node.inputs
    if matrix.ndim != 2 or not _is_label_vector(labels) or not _check_rows_is_arange_len_labels(rows, labels, matrix):
        return None
    return matrix, labels


def _is_label_vector(v):
    return getattr(v.type, "ndim", None) == 1 and v.type.dtype in tensor.discrete_dtypes and v.type.dtype != "bool"


def _softmax_inputs(v):
    """``(x, bias or None)`` where `v` is a softmax (else None)."""
    node = _owner(v, softmax_op, softmax_with_bias)
    if node is None:
        return None
    return (node.inputs[0], node.inputs[1]) if node.op == softmax_with_bias else (node.inputs[0], None)


def _logarithm_of_softmax(v):
    """``(x, bias or None)`` where `v` is the logarithm of a softmax (else None)."""
    node = _owner(v, tensor.log, logsoftmax_op)
    if node is None:
        return None
    return (node.inputs[0], None) if node.op == logsoftmax_op else _softmax_inputs(node.inputs[0])


@register_specialize("fast_compile_gpu")
@local_optimizer([subtensor.AdvancedSubtensor, tensor.log])
def local_advanced_indexing_crossentropy_onehot(node):
    """``log(softmax(x))[arange(n), y]`` and ``log(softmax(x)[arange(n), y])`` to minus a crossentropy."""
    if node.op == tensor.log:
        entry = _entry_per_row(node.inputs[0])
        source = None if entry is None else _softmax_inputs(entry[0])
    elif isinstance(node.op, subtensor.AdvancedSubtensor):
        entry = _entry_per_row(node.outputs[0])
        source = None if entry is None else _logarithm_of_softmax(entry[0])
    else:
        return None
    if source is None:
        return None
    x, b = source
    if b is None:
        # A bias may still stand in the sum.
        x, b = split_bias(x) or (x, None)
    if b is None:
        b = _zero_bias(x)
        copy_stack_trace(x, b)
    nll = crossentropy_softmax_argmax_1hot_with_bias(x, b, entry[1])[0]
    new = -nll
    copy_stack_trace([node.inputs[0], node.outputs[0]], [nll, new])
    if new.type != node.outputs[0].type:
        return None
    return [new]


@register_specialize("fast_compile_gpu")
@local_optimizer([softmax_grad])
def local_advanced_indexing_crossentropy_onehot_grad(node):
    """Gradient of the two forms that `local_advanced_indexing_crossentropy_onehot` knows, to one op."""
    if node.op != softmax_grad:
        return None
    d_sm, sm = node.inputs
    if _softmax_inputs(sm) is None:
        return None
    scatter = d_sm.owner
    divided = False
    factors = []
    if scatter is not None and isinstance(scatter.op, Elemwise):
        # increments / sm, from log(sm)[rows, y]
        quotient = Quotient(d_sm)
        if not any(v is sm for v in quotient.denom):
            return None
        quotient.denom = without(quotient.denom, sm)
        position = [i for i, v in enumerate(quotient.num)
                    if v.owner is not None and isinstance(v.owner.op, subtensor.AdvancedIncSubtensor)]
        if len(position) != 1:
            return None
        scatter = quotient.num.pop(position[0]).owner
        # What multiplies the whole matrix must be the same for all columns.
        for v in quotient.num + quotient.denom:
            if v.ndim == 2 and v.broadcastable != (True, True):
                return None
        factors = [quotient]
        divided = True
    if scatter is None or not isinstance(scatter.op, subtensor.AdvancedIncSubtensor) or len(scatter.inputs) != 4:
        return None
    zeros, increments, rows, labels = scatter.inputs
    if constant_value(zeros) != 0 or not _is_label_vector(labels) \
            or not _check_rows_is_arange_len_labels(rows, labels, sm) or increments.ndim > 1:
        return None
    inner = Quotient(increments)
    if not divided:
        # increments carry 1 / sm[rows, y], from log(sm[rows, y])
        for v in inner.denom:
            entry = _entry_per_row(v)
            if entry is not None and entry[0] is sm and entry[1] is labels:
                inner.denom = without(inner.denom, v)
                break
        else:
            return None
    for outer in factors:
        inner.negative ^= outer.negative
        inner.num += [_flat(v) for v in outer.num]
        inner.denom += [_flat(v) for v in outer.denom]
    dy = inner.build(extra_sign=True)
    if dy.ndim == 0:
        dy = dy.dimshuffle("x")
    if dy.dtype not in tensor.float_dtypes:
        dy = tensor.cast(dy, sm.dtype)
    new = crossentropy_softmax_1hot_with_bias_dx(dy, sm, labels)
    if new.type != node.outputs[0].type:
        return None
    copy_stack_trace(node.outputs[0], [dy, new])
    return [new]


def _flat(v):
    """A matrix with one element as a vector with one element."""
    return v.dimshuffle(0) if v.ndim == 2 else v


# --- joining what is computed twice ---

@register_specialize("fast_compile_gpu")
@local_optimizer([crossentropy_softmax_argmax_1hot_with_bias])
def graph_merge_softmax_with_crossentropy_softmax(node):
    """Take a softmax of the same input from the crossentropy op, which computes it anyway."""
    if node.op != crossentropy_softmax_argmax_1hot_with_bias:
        return None
    x, b, _ = node.inputs
    for client, _ in getattr(x, "clients", ()):
        if client == "output" or getattr(client, "op", None) != softmax_with_bias:
            continue
        if client.inputs[0] is x and client.inputs[1] is b:
            copy_stack_trace(client.outputs[0], node.outputs[1])
            return {client.outputs[0]: node.outputs[1]}
    return None


@register_specialize
@register_stabilize
@register_canonicalize
@local_optimizer([crossentropy_softmax_1hot_with_bias_dx])
def local_useless_crossentropy_softmax_1hot_with_bias_dx_alloc(node):
    """Drop an alloc that only repeats one gradient for all rows: the op broadcasts by itself."""
    if node.op != crossentropy_softmax_1hot_with_bias_dx:
        return None
    dy, sm, y_idx = node.inputs
    if dy.owner is None or not isinstance(dy.owner.op, tensor.Alloc) or dy.owner.inputs[0].ndim > 1:
        return None
    value = dy.owner.inputs[0]
    if value.ndim == 1 and not value.broadcastable[0]:
        return None
    dz = value.dimshuffle("x") if value.ndim == 0 else value
    rows = dy.owner.inputs[1]
    feature = _shape_feature(dy, sm)
    length = None
    if feature is not None and feature.shape_of.get(sm) is not None:
        length = feature.shape_of[sm][0]
    # The op itself checks that there is an index per row.
    known = _is_length_of(rows, y_idx) or (length is not None and (
        length is rows or _same_constant(length, rows) or _same_length(length, rows)
        or feature.same_shape(sm, dy, 0, 0)))
    if not known:
        # Without the alloc nobody would notice a wrong length any more.
        cond = tensor.or_(tensor.eq(rows, 1), tensor.eq(rows, sm.shape[0]))
        dz = opt.Assert("`sm` and `dy` do not have the same shape.")(dz, cond)
    new = node.op(dz, sm, y_idx)
    copy_stack_trace([node.outputs[0], dy], new)
    return [new]


def _same_constant(a, b):
    left, right = constant_value(a), constant_value(b)
    return left is not None and right is not None and left == right


def _same_length(a, b):
    """True where both are the length of the same axis of the same variable."""
    left, right = a.owner, b.owner
    return (left is not None and right is not None and isinstance(left.op, opt.Shape_i) and left.op == right.op
            and left.inputs[0] is right.inputs[0])
