"""`CAReduce`: fold a commutative, associative scalar op along axes of a tensor; `All` and `Any`."""
from __future__ import annotations

import copy

import numpy as np

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.gof import Apply, Op
from theano_compat.scalar.dtypes import COMPLEX, DISCRETE, FLOATS
from theano_compat.tensor.elemwise_ops.evaluate import cast_array, numpy_function

#: Dtype in which whole numbers are summed unless something else is asked for.
_WHOLE = {
    **dict.fromkeys(("bool", "int8", "int16", "int32"), "int64"),
    **dict.fromkeys(("uint8", "uint16", "uint32"), "uint64"),
}

#: Dtype in which floats are accumulated unless something else is asked for.
_WIDER = {"float16": "float32", "float32": "float64", "complex64": "complex128"}


class CAReduce(Op):
    """Combine the elements along axes with a scalar op of two inputs.

    Parameters
    ----------
    scalar_op : ScalarOp
        Commutative and associative, such as `scalar.maximum`.
    axis : None, int or sequence of int
        Axes to reduce; None for all.

    Attributes
    ----------
    axis : None or tuple of int
        In increasing order. Negative ones are replaced when the op is applied.
    """

    __props__ = ("scalar_op", "axis")
    _f16_ok = True

    def __init__(self, scalar_op, axis=None):
        if scalar_op.nin not in (-1, 2) or scalar_op.nout != 1:
            raise NotImplementedError("CAReduce only supports binary functions with a single output.")
        self.scalar_op = scalar_op
        self.axis = _as_axes(axis)
        self.set_ufunc(scalar_op)

    def set_ufunc(self, scalar_op):
        """Find the NumPy function with which `perform` folds two elements."""
        spec = getattr(scalar_op, "nfunc_spec", None)
        function = None if spec is None else numpy_function(spec[0])
        self.ufunc = function if isinstance(function, np.ufunc) else np.frompyfunc(scalar_op.impl, 2, 1)

    def __getstate__(self):
        return {k: v for k, v in self.__dict__.items() if k != "ufunc"}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.axis = _as_axes(self.axis)
        self.set_ufunc(self.scalar_op)

    def __str__(self):
        text = f"Reduce{{{self.scalar_op}}}"
        return text if self.axis is None else f"{text}{{{', '.join(map(str, self.axis))}}}"

    def _output_dtype(self, idtype):
        """Dtype of the result for an input of dtype `idtype`."""
        return idtype

    def _acc_dtype(self, idtype):
        """Dtype in which the elements are combined."""
        return self._output_dtype(idtype)

    def _for_input(self, x):
        """Give the op with everything settled that depends on the input: axes counted from the front."""
        if self.axis is None:
            return self
        rank = x.type.ndim
        for axis in self.axis:
            if axis >= rank or axis < -rank:
                raise ValueError(f"Not enough dimensions on {x} to reduce on axis {axis}")
        if all(axis >= 0 for axis in self.axis):
            return self
        op = copy.copy(self)
        op.axis = tuple(sorted({axis % rank for axis in self.axis}))
        return op

    def make_node(self, input):
        """Apply the op.

        Raises
        ------
        ValueError
            An axis is beyond the input's rank.
        """
        from theano_compat.tensor.basic import as_tensor_variable
        from theano_compat.tensor.type import TensorType

        x = as_tensor_variable(input)
        op = self._for_input(x)
        reduced = range(x.type.ndim) if op.axis is None else op.axis
        pattern = [b for dim, b in enumerate(x.type.broadcastable) if dim not in reduced]
        return Apply(op, [x], [TensorType(dtype=op._output_dtype(x.type.dtype), broadcastable=pattern)()])

    def perform(self, node, inp, out):
        """Fold with NumPy."""
        (x,), (storage,) = inp, out
        dtype = node.outputs[0].type.dtype
        axes = tuple(range(x.ndim)) if self.axis is None else self.axis
        if not axes:
            storage[0] = np.array(x, dtype=dtype, copy=True)
            return
        acc = self._acc_dtype(x.dtype.name)
        empty = [axis for axis in axes if x.shape[axis] == 0]
        identity = getattr(self.scalar_op, "identity", None)
        with np.errstate(all="ignore"):
            if empty:
                if identity is None:
                    raise ValueError(
                        f"Input ({node.inputs[0]}) has zero-size on axis {empty[0]}, but self.scalar_op "
                        f"({self.scalar_op}) has no attribute 'identity'"
                    )
                shape = [n for dim, n in enumerate(x.shape) if dim not in axes]
                storage[0] = np.full(shape, np.asarray(identity).astype(acc), dtype=dtype)
                return
            result = self._fold(x, axes, acc)
        storage[0] = np.asarray(cast_array(np.asarray(result), dtype))

    def _fold(self, x, axes, acc):
        """Fold one axis after the other, from the last: the order, and so the rounding, that Theano has."""
        # These two widen as they go, without a wide copy of the input.
        streaming = self.ufunc in (np.add, np.multiply) and x.dtype.kind == np.dtype(acc).kind
        result = x if streaming else cast_array(x, acc)
        for axis in sorted(axes, reverse=True):
            result = self.ufunc.reduce(result, axis=axis, **({"dtype": acc} if streaming else {}))
            if getattr(result, "dtype", None) != acc:
                result = np.asarray(result).astype(acc)
        return result

    def infer_shape(self, node, shapes):
        """Keep the lengths of the dimensions that are not reduced."""
        (shape,) = shapes
        if self.axis is None:
            return [()]
        return [tuple(length for dim, length in enumerate(shape) if dim not in self.axis)]


def _as_axes(axis):
    """Give the axis argument as None or a sorted tuple of ints."""
    if axis is None:
        return None
    if isinstance(axis, (int, np.integer)) or (isinstance(axis, np.ndarray) and axis.ndim == 0):
        return (int(axis),)
    return tuple(sorted({int(a) for a in axis}))


class _Logical(CAReduce):
    """Reduction of truth values."""

    __props__ = ("axis",)
    logical_op: scal.ScalarOp

    def __init__(self, axis=None):
        super().__init__(self.logical_op, axis)

    def __str__(self):
        name = type(self).__name__
        return name if self.axis is None else f"{name}{{{', '.join(map(str, self.axis))}}}"

    def _output_dtype(self, idtype):
        return "bool"

    def make_node(self, input):
        """Apply the op; numbers count as true where they are not zero."""
        from theano_compat.tensor.basic import as_tensor_variable, neq

        x = as_tensor_variable(input)
        return super().make_node(x if x.type.dtype == "bool" else neq(x, 0))

    def grad(self, inp, grads):
        """Zero: the result is a step."""
        return [inp[0].zeros_like(dtype=config.floatX)]


class All(_Logical):
    """Whether all elements along the axes are true.

    Parameters
    ----------
    axis : None, int or sequence of int
    """

    nfunc_spec = ("all", 1, 1)
    logical_op = scal.and_


class Any(_Logical):
    """Whether any element along the axes is true.

    Parameters
    ----------
    axis : None, int or sequence of int
    """

    nfunc_spec = ("any", 1, 1)
    logical_op = scal.or_


class CAReduceDtype(CAReduce):
    """Reduction with a choice of the dtypes of the result and of the accumulator.

    Parameters
    ----------
    scalar_op : ScalarOp
    axis : None, int or sequence of int
    dtype : str, optional
        Dtype of the result. Default: 64-bit for whole numbers, else the input's.
    acc_dtype : str, optional
        Dtype in which elements are combined. Default: 64-bit for whole numbers, the next wider one for floats.
    """

    __props__ = ("scalar_op", "axis", "dtype", "acc_dtype")

    def __init__(self, scalar_op, axis=None, dtype=None, acc_dtype=None):
        super().__init__(scalar_op, axis=axis)
        self.dtype = dtype
        self.acc_dtype = acc_dtype

    def __setstate__(self, state):
        super().__setstate__(state)
        self.__dict__.setdefault("dtype", None)
        self.__dict__.setdefault("acc_dtype", None)

    def __str__(self):
        name = type(self).__name__
        if type(self) is CAReduceDtype:
            name = f"ReduceDtype{{{self.scalar_op}}}"
        axis = "" if self.axis is None else f"axis=[{', '.join(map(str, self.axis))}], "
        return f"{name}{{{axis}acc_dtype={self.acc_dtype}}}"

    def _output_dtype(self, idtype):
        if self.dtype is not None:
            return self.dtype
        return _WHOLE.get(idtype, idtype)

    def _acc_dtype(self, idtype):
        """Give the accumulator's dtype.

        Raises
        ------
        TypeError
            The one asked for cannot hold the input's values.
        """
        acc = self.acc_dtype
        if acc is None:
            return _WHOLE.get(idtype) or _WIDER.get(idtype, idtype)
        if acc in FLOATS + COMPLEX and idtype in DISCRETE:
            return acc
        if scal.upcast(idtype, acc) != acc:
            raise TypeError(
                f"Cannot build {self} node with input dtype {idtype} and acc_dtype {acc}, as precision would be lost. "
                "To correct this error, you can:\n"
                "  - not specify acc_dtype, or\n"
                f"  - use an acc_dtype at least as precise as {idtype}.\n"
                '  - specify "dtype" instead of "acc_dtype", so the reduction will be precise, but the result will be '
                'casted into "dtype" at the end.\n'
                "If you are expecting the precision loss, you can use "
                f'tensor.cast(..., dtype="{acc}"), on your input.'
            )
        return acc

    def _for_input(self, x):
        op = super()._for_input(x)
        dtype, acc = op._output_dtype(x.type.dtype), op._acc_dtype(x.type.dtype)
        if (dtype, acc) != (op.dtype, op.acc_dtype):
            op = copy.copy(op)
            op.dtype, op.acc_dtype = dtype, acc
        return op
