"""From Python values to tensor variables, and from constant variables back to values."""

from __future__ import annotations

import functools
import weakref
from contextlib import suppress

import numpy as np

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.gof import Apply, Constant, Variable
from theano_compat.scalar import int32 as int32_t  # noqa: F401  (historic name)
from theano_compat.tensor.type import TensorType
from theano_compat.tensor.var import AsTensorError, TensorConstant, TensorConstantSignature

complex_dtypes = [str(t) for t in scal.complex_types]
continuous_dtypes = [str(t) for t in scal.continuous_types]
float_dtypes = [str(t) for t in scal.float_types]
integer_dtypes = [str(t) for t in scal.integer_types]
discrete_dtypes = [str(t) for t in scal.discrete_types]
all_dtypes = [str(t) for t in scal.all_types]
int_dtypes = [str(t) for t in scal.int_types]
uint_dtypes = [str(t) for t in scal.uint_types]


class ShapeError(Exception):
    """The shape of something cannot be computed."""


class NotScalarConstantError(Exception):
    """A variable is not the same constant everywhere, as far as its graph tells."""


class EmptyConstantError(NotScalarConstantError):
    """A constant has no elements, so it has no value either."""


def check_equal_numpy(x, y):
    """Return whether two values are equal; arrays also need equal dtype and shape."""
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
        return x.dtype == y.dtype and x.shape == y.shape and bool(np.all(abs(x - y) < 1e-10))
    if isinstance(x, np.random.RandomState) and isinstance(y, np.random.RandomState):
        return all(np.all(a == b) for a, b in zip(x.__getstate__(), y.__getstate__()))
    return x == y


_NO_BOOLS = (
    "Cannot cast True or False as a tensor variable. Please use np.array(True) or np.array(False) if you need these "
    "constants. This error might be caused by using the == operator on Variables. v == w does not do what you think it "
    "does, use theano.tensor.eq(v, w) instead."
)


# --- values to variables ------------------------------------------------------------------------------


def as_tensor_variable(x, name=None, ndim=None):
    """Return `x` as a tensor variable.

    Parameters
    ----------
    x : Variable, Apply with one output, scalar, array_like or (nested) sequence of them
        Anything with a method ``_as_TensorVariable`` is asked for its variable.
    name : str, optional
        Name of a new constant.
    ndim : int, optional
        Rank of the result: dimensions of length one are added in front, or taken away there.

    Returns
    -------
    TensorVariable or TensorConstant

    Raises
    ------
    ValueError
        If `x` is a node of several outputs, or cannot have `ndim` dimensions.
    AsTensorError
        If `x` cannot be a tensor.
    """
    if hasattr(x, "_as_TensorVariable"):
        return x._as_TensorVariable()
    if isinstance(x, Apply):
        if len(x.outputs) != 1 and getattr(x.op, "default_output", None) is None:
            raise ValueError("It is ambiguous which output of a multi-output Op has to be fetched.", x)
        x = x.default_output()
    if isinstance(x, Variable):
        return _variable_as_tensor(x, ndim)
    if isinstance(x, (tuple, list)) and any(isinstance(item, Variable) for item in _flat(x)):
        from theano_compat.tensor.basic.joining import stack

        with suppress(TypeError, ValueError):
            return stack(x)
    if isinstance(x, bool):
        raise AsTensorError(_NO_BOOLS)
    try:
        return constant(x, name=name, ndim=ndim)
    except TypeError:
        try:
            shown = str(x)
        except Exception:
            shown = repr(x)
        raise AsTensorError(f"Cannot convert {shown} to TensorType", type(x)) from None


_as_tensor_variable = as_tensor_variable
as_tensor = as_tensor_variable


def _flat(sequence):
    """Yield the items of nested lists and tuples."""
    pending = list(reversed(sequence))
    while pending:
        item = pending.pop()
        if isinstance(item, (list, tuple)):
            pending.extend(reversed(item))
        else:
            yield item


def _variable_as_tensor(x, ndim):
    if isinstance(x.type, scal.Scalar):
        from theano_compat.tensor.basic.casting import tensor_from_scalar

        x = tensor_from_scalar(x)
    if not isinstance(x.type, TensorType):
        raise AsTensorError("Variable type field must be a TensorType.", x, x.type)
    if ndim is None or x.type.ndim == ndim:
        return x
    if x.type.ndim < ndim:
        from theano_compat.tensor.basic.shaping import shape_padleft

        return shape_padleft(x, n_ones=ndim - x.type.ndim)
    surplus = x.type.ndim - ndim
    if not all(x.type.broadcastable[:surplus]):
        raise ValueError(f"TensorType could not be cast to have {ndim} dimensions", x.type)
    return x.dimshuffle(list(range(surplus, x.type.ndim)))


def constant(x, name=None, ndim=None, dtype=None):
    """Return a symbolic constant.

    Parameters
    ----------
    x : scalar or array_like
        Python numbers get the smallest dtype that holds them (see ``config.cast_policy``).
    name : str, optional
    ndim : int, optional
        Rank; dimensions of length one are added in front.
    dtype : str, optional

    Returns
    -------
    TensorConstant
        Of `x` itself if it is an array; dimensions of length one are broadcastable.

    Raises
    ------
    TypeError
        If `x` is a variable, or no array of numbers.
    ValueError
        If `x` cannot have `ndim` dimensions.
    """
    if isinstance(x, Variable):
        raise TypeError("constant needs a value, not a variable", x)
    try:
        data = scal.convert(x, dtype=dtype)
        if data.size == 0 and dtype is None and not hasattr(x, "dtype"):
            data = data.astype(config.floatX)
        pattern = tuple(length == 1 for length in data.shape)
        if ndim is not None:
            if len(pattern) < ndim:
                pattern = (True,) * (ndim - len(pattern)) + pattern
                data = data.reshape((1,) * (ndim - data.ndim) + data.shape)
            elif len(pattern) > ndim:
                surplus = len(pattern) - ndim
                if not all(pattern[:surplus]):
                    raise ValueError(f"ndarray could not be cast to constant with {ndim} dimensions")
                pattern = pattern[surplus:]
                data = data.reshape(data.shape[surplus:])
        type_ = TensorType(dtype=data.dtype, broadcastable=pattern)
        known = _small_in_use(type_, data) if name is None and constant.enable else None
        return TensorConstant(type_, data, name=name) if known is None else known
    except (TypeError, AttributeError) as error:
        raise TypeError(f"Could not convert {x} to TensorType", type(x)) from error


constant.enable = True
constant_cache = weakref.WeakValueDictionary()
"""Small numbers in use: an expression with many equal ones has one constant for all, as long as no function owns it."""


def _small_in_use(type_, data):
    """Return the constant for a small number: the one in use already, or a new one; None for anything larger."""
    if data.size != 1 or data.dtype.kind not in "iuf" or not -10 <= data <= 10:
        return None
    signature = TensorConstantSignature((type_, data))
    known = constant_cache.get(signature)
    # a constant that belongs to a function's graph must not appear in another
    if known is None or known.name is not None or hasattr(known, "fgraph"):
        constant_cache[signature] = known = TensorConstant(type_, data)
    return known


def _obj_is_wrappable_as_tensor(x):
    """Return whether `x` can become a constant."""
    try:
        constant(x)
        return True
    except TypeError:
        return False


# --- variables to values ------------------------------------------------------------------------------


def numpy_scalar(data):
    """Return `data` if it is one number, as an array of no dimensions.

    Raises
    ------
    EmptyConstantError
        If there is no element.
    NotScalarConstantError
        If it is not numeric, or there are several elements.
    """
    data = np.asarray(data)
    if data.size == 0:
        raise EmptyConstantError()
    if data.size != 1 or data.dtype.kind not in "biufc":
        raise NotScalarConstantError("v.data is non-numeric, non-scalar, or has more than one unique value", data)
    return data.reshape(())


get_scalar_constant_value_elemwises = (
    scal.Cast, scal.Switch, scal.NEQ, scal.EQ, scal.LT, scal.GT, scal.LE, scal.GE,
    scal.Sub, scal.Add, scal.Mod, scal.Mul, scal.IntDiv, scal.TrueDiv, scal.Minimum, scal.Maximum,
)  # fmt: skip


def get_scalar_constant_value(orig_v, elemwise=True, only_process_constants=False, max_recur=10):
    """Return the value of a variable that is one number everywhere.

    Sees through copies, broadcasting, shapes of known dimensions, picking from constants, and (within
    `max_recur` levels) simple arithmetic.

    Parameters
    ----------
    orig_v : Variable or number
    elemwise : bool
        Look through elementwise arithmetic too.
    only_process_constants : bool
        Look at nothing but constants: cheap.
    max_recur : int
        How many nested computations are followed.

    Returns
    -------
    numpy.ndarray
        Of no dimensions; a copy.

    Raises
    ------
    EmptyConstantError
        If it is an array without elements.
    NotScalarConstantError
        If no single value is known.
    """
    value = constant_or_none(orig_v, elemwise, only_process_constants, max_recur)
    if value is None:
        raise NotScalarConstantError(orig_v)
    return value


def constant_or_none(v, elemwise=True, only_process_constants=False, max_recur=10, known=None):
    """Return what :func:`get_scalar_constant_value` returns, or None where no single value is known: most questions end so, and an error is slow."""
    while True:
        if v is None:
            return None
        if isinstance(v, (np.integer, int, float, np.ndarray, np.floating, np.complexfloating)):
            return _copy_of_one(v)
        if isinstance(v, Constant):
            unique = getattr(v.tag, "unique_value", None)
            return _copy_of_one(v.data if unique is None else unique)
        if only_process_constants or getattr(v, "owner", None) is None or max_recur <= 0:
            return None
        max_recur -= 1
        v = _constant_step(v, elemwise, max_recur, {} if known is None else known)


def _copy_of_one(data):
    try:
        return numpy_scalar(data).copy()
    except EmptyConstantError:
        raise
    except NotScalarConstantError:
        return None


@functools.cache
def _followed() -> tuple:
    """Return the classes of ops that are followed: copies, Shape_i, Elemwise, Subtensor, Assert."""
    from theano_compat.compile import ops as compile_ops
    from theano_compat.tensor.basic.casting import ScalarFromTensor, TensorFromScalar
    from theano_compat.tensor.basic.creation import Alloc
    from theano_compat.tensor.elemwise import DimShuffle, Elemwise
    from theano_compat.tensor.opt import Assert
    from theano_compat.tensor.subtensor import Subtensor

    copies = (Alloc, DimShuffle, compile_ops.Rebroadcast, compile_ops.OutputGuard, compile_ops.DeepCopyOp, TensorFromScalar, ScalarFromTensor)
    return copies, compile_ops.Shape_i, Elemwise, Subtensor, Assert


@functools.cache
def _is_evaluated(scalar_class: type) -> bool:
    return issubclass(scalar_class, get_scalar_constant_value_elemwises)


def _constant_step(v, elemwise, max_recur, known):
    """Return a number or variable with the same single value as `v`, one node nearer to the inputs; None where there is none.

    `known` maps variables that were met on the way to ``(value or None, max_recur)``.
    """
    copies, shape_i, elemwise_op, subtensor, check = _followed()
    node = v.owner
    op = node.op
    if isinstance(op, (elemwise_op, scal.ScalarOp)):
        kind = type(op.scalar_op if isinstance(op, elemwise_op) else op)
        if issubclass(kind, scal.Second):
            return node.inputs[1]
        evaluated = _is_evaluated(kind) and (elemwise or not isinstance(op, elemwise_op))
        return _evaluate(node, elemwise, max_recur, known) if evaluated else None
    if isinstance(op, copies):
        return node.inputs[0]
    if isinstance(op, shape_i):
        return _known_length(node.inputs[0], op.i)
    if isinstance(op, subtensor):
        return _constant_element(v, elemwise, max_recur, known) if v.ndim == 0 else None
    if isinstance(op, check):
        # what is checked must be known to hold, or the check would be lost
        conditions = [constant_or_none(c, max_recur=max_recur, known=known) for c in node.inputs[1:]]
        return node.inputs[0] if all(c is not None and c != 0 for c in conditions) else None
    return None


def _evaluate(node, elemwise, max_recur, known):
    for v in node.inputs:
        if v.owner is None and not isinstance(v, Constant):
            return None
    values = []
    for v in node.inputs:
        value, budget = known.get(v, (None, -1))
        if value is None and budget < max_recur:
            value = constant_or_none(v, elemwise, max_recur=max_recur, known=known)
            known[v] = value, max_recur
        if value is None:
            return None
        values.append(value)
    storage = [[None] for _ in node.outputs]
    node.op.perform(node, values, storage)
    return np.asarray(storage[0][0])


def _known_length(x, axis):
    if isinstance(x, Constant):
        return np.asarray(np.shape(x.data)[axis])
    if getattr(x.type, "broadcastable", (False,) * (axis + 1))[axis]:  # sparse types have no pattern
        return np.asarray(1)
    return None


def _constant_element(v, elemwise, max_recur, known):
    """Return what `v`, one element picked from an array, is known to be."""
    op, source = v.owner.op, v.owner.inputs[0]
    if isinstance(source, TensorConstant):
        index = tuple(op.get_constant_idx(v.owner.inputs))
        try:
            return np.asarray(source.data[index])
        except IndexError:
            raise IndexError(f"{tuple(op.idx_list)} is not a valid index into {source.data}") from None
        except NotScalarConstantError:
            return None
    if source.owner is None or len(op.idx_list) != 1:
        return None
    entry = op.idx_list[0]
    # a slice cannot occur: the result has no dimensions
    index = constant_or_none(v.owner.inputs[1] if hasattr(entry, "filter") else entry, elemwise, max_recur=max_recur, known=known)
    return None if index is None else _element_of(source, int(index), elemwise, max_recur, known)


def _element_of(source, index, elemwise, max_recur, known):
    """Return element `index` of a vector that is put together from parts."""
    from theano_compat.compile.ops import Shape
    from theano_compat.tensor.basic.joining import Join
    from theano_compat.tensor.opt import MakeVector

    if isinstance(source, TensorConstant):
        return np.asarray(source.data[index])
    producer = source.owner
    if producer is None:
        return None
    if isinstance(producer.op, MakeVector):
        return producer.inputs[index]
    if isinstance(producer.op, Shape):
        shaped = producer.inputs[0]
        if not -shaped.ndim <= index < shaped.ndim:
            raise ValueError(f"length of {shaped} along dimension {index} asked for, but it has {shaped.ndim}")
        return _known_length(shaped, index % shaped.ndim)
    if isinstance(producer.op, Join):
        axis = constant_or_none(producer.inputs[0], elemwise, max_recur=max_recur, known=known)
        parts = producer.inputs[1:]
        if axis in (0, -1) and all(part.ndim == 1 for part in parts):
            part, index = part_with(parts, index)
            return None if part is None else _element_of(part, index, elemwise, max_recur, known)
    return None


def part_with(parts, index):
    """Return which of joined vectors element `index` is in, and where; the lengths up to it must be known."""
    from theano_compat.tensor.basic import get_vector_length

    backwards = index < 0
    if backwards:
        index = -1 - index
    for part in reversed(parts) if backwards else parts:
        try:
            length = get_vector_length(part)
        except ValueError:
            break
        if index < length:
            return part, -1 - index if backwards else index
        index -= length
    return None, index


def extract_constant(x, elemwise=True, only_process_constants=False):
    """Return the value of `x` if it is one known number, else `x` itself as a tensor variable."""
    try:
        value = constant_or_none(x, elemwise, only_process_constants)
    except EmptyConstantError:
        value = None
    if value is not None:
        x = value
    if isinstance(x, Variable) and isinstance(x.type, scal.Scalar):
        from theano_compat.tensor.basic.casting import ScalarFromTensor, tensor_from_scalar

        if x.owner is not None and isinstance(x.owner.op, ScalarFromTensor):
            x = x.owner.inputs[0]
        else:
            x = tensor_from_scalar(x)
    return x


def get_vector_length(v):
    """Return the length of a vector that its graph tells.

    Parameters
    ----------
    v : Variable or sequence
        A vector.

    Raises
    ------
    TypeError
        If `v` is no vector.
    ValueError
        If the length is not known.
    """
    from theano_compat.compile.ops import Shape
    from theano_compat.tensor.basic.joining import Join
    from theano_compat.tensor.opt import MakeVector
    from theano_compat.tensor.subtensor import Subtensor

    v = as_tensor_variable(v)
    if v.ndim != 1:
        raise TypeError(f"argument must be symbolic vector, got '{v}'")
    if v.type.broadcastable[0]:
        return 1
    if isinstance(v, Constant):
        return len(v.data)
    op = v.owner.op if v.owner is not None else None
    if isinstance(op, MakeVector):
        return len(v.owner.inputs)
    if isinstance(op, Shape):
        return v.owner.inputs[0].type.ndim
    if isinstance(op, Subtensor) and len(op.idx_list) == 1:
        # a slice of something of known length
        try:
            index = op.get_constant_idx(v.owner.inputs, allow_partial=False)[0]
            return len(range(get_vector_length(v.owner.inputs[0]))[index])
        except (NotScalarConstantError, ValueError):
            pass
    if isinstance(op, Join):
        try:
            return sum(get_vector_length(part) for part in v.owner.inputs[1:])
        except ValueError:
            pass
    from theano_compat.printing import debugprint

    raise ValueError(f"length not known: {debugprint(v, file='str')}")


def _float_constant(value):
    """Return a number as a constant of ``config.floatX``."""
    return constant(np.asarray(value, dtype=config.floatX))
