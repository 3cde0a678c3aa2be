"""The Fourier transform of rows or columns of matrices, and the matrix of the cosine transform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theano_compat import tensor
from theano_compat.gof import Apply, Op, generic

__all__ = ["FFT", "GradTodo", "dct_matrix", "fft", "generic", "grad_todo", "half_fft", "half_ifft", "ifft", "message"]

message = "The module theano.sandbox.fourier will soon be deprecated. Please use theano.tensor.fft, which supports gradients."


class GradTodo(Op):
    """Stands for a gradient that nobody has written."""

    __props__ = ()

    def make_node(self, x: Any) -> Apply:
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Sequence, outputs: Sequence) -> None:
        raise NotImplementedError("TODO: the gradient of this operation")


grad_todo = GradTodo()


class FFT(Op):
    """The discrete Fourier transform of the columns (axis 0) or rows (axis 1) of a matrix.

    Parameters
    ----------
    half : bool
        Only the coefficients from 0 to the Nyquist frequency; the inverse takes only these.
    inverse : bool
        The inverse transform.
    """

    __props__ = ("half", "inverse")

    def __init__(self, half: bool = False, inverse: bool = False):
        self.half, self.inverse = half, inverse

    def make_node(self, frames: Any, n: Any, axis: Any) -> Apply:
        frames = tensor.as_tensor_variable(frames)
        if frames.ndim != 2:
            raise TypeError(f"{type(self).__name__} takes matrices, not arrays of {frames.ndim} dimensions")
        n, axis = tensor.as_tensor_variable(n), tensor.as_tensor_variable(axis)
        if any(v.ndim or v.dtype not in tensor.integer_dtypes for v in (n, axis)):
            raise TypeError("n and axis have to be integer scalars")
        real = self.half and self.inverse
        single = frames.dtype in ("float32", "complex64")
        dtype = ("float32" if single else "float64") if real else ("complex64" if single else "complex128")
        return Apply(self, [frames, n, axis], [tensor.matrix(dtype=dtype), tensor.tensor(dtype=frames.dtype, broadcastable=())])

    def perform(self, node: Apply, inp: Sequence, out: Sequence) -> None:
        frames, n, axis = inp[0], int(inp[1]), int(inp[2])
        transform = np.fft.ifft if self.inverse else np.fft.fft
        if self.half:
            transform = np.fft.irfft if self.inverse else np.fft.rfft
        out[0][0] = transform(frames, n=n, axis=axis).astype(node.outputs[0].dtype)
        out[1][0] = np.zeros((), node.outputs[1].dtype)

    def grad(self, inp: Sequence, out: Sequence) -> list:
        return [grad_todo(v) for v in inp]


fft = FFT(half=False, inverse=False)
ifft = FFT(half=False, inverse=True)
half_fft = FFT(half=True, inverse=False)
half_ifft = FFT(half=True, inverse=True)


def dct_matrix(rows: int, cols: int, unitary: bool = True) -> np.ndarray:
    """The first rows of the matrix of the discrete cosine transform (type II).

    Parameters
    ----------
    rows, cols : int
        Its shape.
    unitary : bool
        Scale the rows to unit length.

    Returns
    -------
    ndarray
        Shape (rows, cols), float64.
    """
    angles = np.pi / cols * np.outer(np.arange(rows), np.arange(cols) + 0.5)
    matrix = np.cos(angles)
    if unitary:
        matrix[0] *= np.sqrt(1.0 / cols)
        matrix[1:] *= np.sqrt(2.0 / cols)
    return matrix
