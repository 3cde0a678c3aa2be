"""Conversions between element types, and between tensors of no dimensions and scalars."""

from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat import scalar as scal
from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType
from theano_compat.printing import FunctionPrinter, pprint
from theano_compat.tensor.basic.conversion import as_tensor_variable, discrete_dtypes
from theano_compat.tensor.elemwise import Elemwise
from theano_compat.tensor.type import TensorType


class TensorFromScalar(Op):
    """A tensor of no dimensions with the value of a `Scalar` variable."""

    __props__ = ()

    def make_node(self, s):
        """Take a variable of type `Scalar`."""
        assert isinstance(s.type, scal.Scalar)
        return Apply(self, [s], [TensorType(s.type.dtype, ())()])

    def perform(self, node, inp, out_):
        """Wrap the number."""
        out_[0][0] = np.asarray(inp[0])

    def infer_shape(self, node, in_shapes):
        """Return the empty shape."""
        return [()]

    def grad(self, inp, grads):
        """Pass the gradient on as a scalar; integers have none."""
        (s,), (gt,) = inp, grads
        if isinstance(gt.type, DisconnectedType):
            return [gt]
        if s.type.dtype in discrete_dtypes:
            return [s.zeros_like().astype(config.floatX)]
        if not isinstance(gt.type, TensorType):
            raise NotImplementedError("the gradient of a tensor must be a tensor", gt.type)
        return [scalar_from_tensor(gt)]

    def R_op(self, inputs, eval_points):
        """Wrap the direction as the value is wrapped."""
        return [None] if eval_points[0] is None else self(eval_points[0], return_list=True)


class ScalarFromTensor(Op):
    """A `Scalar` variable with the value of a tensor of no dimensions."""

    __props__ = ()

    def make_node(self, t):
        """Take a tensor of no dimensions."""
        assert isinstance(t.type, TensorType)
        assert t.type.broadcastable == ()
        return Apply(self, [t], [scal.get_scalar_type(dtype=t.type.dtype).make_variable()])

    def perform(self, node, inp, out_):
        """Take the number out of the array."""
        out_[0][0] = np.asarray(inp[0])[()]

    def infer_shape(self, node, in_shapes):
        """Return the empty shape."""
        return [()]

    def grad(self, inp, grads):
        """Pass the gradient on as a tensor."""
        (gt,) = grads
        return [gt] if isinstance(gt.type, DisconnectedType) else [tensor_from_scalar(gt)]

    def R_op(self, inputs, eval_points):
        """Unwrap the direction as the value is unwrapped."""
        return [None] if eval_points[0] is None else self(eval_points[0], return_list=True)


tensor_from_scalar = TensorFromScalar()
scalar_from_tensor = ScalarFromTensor()


def _make_conversion(dtype):
    op = Elemwise(getattr(scal, f"convert_to_{dtype}"))
    op.__doc__ = f"Return the argument converted to {dtype}."
    pprint.assign(op, FunctionPrinter(dtype))
    return op


_cast_mapping = {str(t): _make_conversion(str(t)) for t in scal.all_types}
globals().update({f"_convert_to_{dtype}": op for dtype, op in _cast_mapping.items()})


def cast(x, dtype):
    """Return `x` converted to `dtype`.

    Parameters
    ----------
    x : tensor_like
    dtype : str or dtype
        ``"floatX"`` stands for ``config.floatX``.

    Raises
    ------
    TypeError
        If a complex number would have to become a real one.
    KeyError
        If tensors cannot have this dtype.
    """
    x = as_tensor_variable(x)
    if isinstance(dtype, str):
        dtype = config.floatX if dtype == "floatX" else dtype
    else:
        dtype = np.dtype(dtype).name
    if dtype == x.type.dtype:
        return x
    if x.type.dtype.startswith("complex") and not dtype.startswith("complex"):
        raise TypeError("Casting from complex to real is ambiguous: consider real(), imag(), angle() or abs()")
    return _cast_mapping[dtype](x)


__all__ = [
    "ScalarFromTensor", "TensorFromScalar", "_cast_mapping", "cast", "scalar_from_tensor", "tensor_from_scalar",
    *(f"_convert_to_{dtype}" for dtype in _cast_mapping),
]  # fmt: skip
