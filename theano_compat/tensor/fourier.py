"""The complex Fourier transform along one dimension (`theano_compat.tensor.fft` has the real one)."""

from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor import basic as tensor
from theano_compat.tensor.type import TensorType
from theano_compat.tensor.var import TensorConstant


class Fourier(Op):
    """The discrete Fourier transform of an array along `axis`, cut or padded with zeros to the length `n`.

    The length is that of the array if `n` is None; the dimension is the last one if `axis` is None.
    """

    __props__ = ()

    def make_node(self, a, n, axis):
        """Take the array, the length and the dimension; both are integers, or None for their defaults."""
        a = tensor.as_tensor_variable(a)
        name = self.__class__.__name__
        if a.ndim < 1:
            raise TypeError(f"{name}: input must be an array, not a scalar")
        axis = tensor.as_tensor_variable(a.ndim - 1 if axis is None else axis)
        if axis.dtype not in tensor.integer_dtypes or axis.ndim != 0:
            raise TypeError(f"{name}: index of the transformed axis must be of type integer")
        if isinstance(axis, TensorConstant) and not 0 <= axis.data < a.ndim:
            raise TypeError(
                f"{name}: index of the transformed axis must be a scalar not smaller than 0 and smaller than "
                "dimension of array"
            )
        n = tensor.as_tensor_variable(a.shape[axis] if n is None else n)
        if n.dtype not in tensor.integer_dtypes or n.ndim != 0:
            raise TypeError(f"{name}: length of the transformed axis must be of type integer")
        if isinstance(n, TensorConstant) and not n.data > 0:
            raise TypeError(f"{name}: length of the transformed axis must be a strictly positive scalar")
        return Apply(self, [a, n, axis], [TensorType("complex128", (False,) * a.ndim)()])

    def perform(self, node, inputs, output_storage):
        """Store the transform."""
        a, n, axis = inputs
        output_storage[0][0] = np.asarray(np.fft.fft(a, n=int(n), axis=int(axis)), dtype="complex128")

    def infer_shape(self, node, in_shapes):
        """Return the lengths with `n` for that of the dimension."""
        _, n, axis = node.inputs
        lengths = in_shapes[0]
        if isinstance(axis, TensorConstant):
            return [[n if i == int(axis.data) else length for i, length in enumerate(lengths)]]
        return [[tensor.switch(tensor.eq(axis, i), n, length) for i, length in enumerate(lengths)]]

    def connection_pattern(self, node):
        """Length and dimension are discrete."""
        return [[True], [False], [False]]

    def grad(self, inputs, cost_grad):
        """Multiply the gradient by the transposed matrix of the transform.

        Raises
        ------
        NotImplementedError
            If the dimension is not a constant.
        """
        a, n, axis = inputs
        if not isinstance(axis, TensorConstant):
            raise NotImplementedError(
                f"{self.__class__.__name__}: gradient is currently implemented only for axis being a Theano constant"
            )
        axis = int(axis.data)
        # what lies beyond n was cut off: its rows of the matrix are never multiplied with anything but zero
        elements, frequencies = tensor.arange(a.shape[axis]), tensor.arange(n)
        matrix = tensor.exp(-2j * np.pi * tensor.outer(frequencies, elements) / (1.0 * n))
        matrix = matrix * tensor.lt(elements, n)
        result = tensor.tensordot(cost_grad[0], matrix, (axis, 0))
        order = list(range(a.ndim - 1))
        order.insert(axis, a.ndim - 1)
        return [result.dimshuffle(order), DisconnectedType()(), DisconnectedType()()]


fft = Fourier()
