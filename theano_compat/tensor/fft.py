"""Real Fourier transforms over all dimensions but the first, with real and imaginary parts as a last dimension."""

from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor import basic as T
from theano_compat.tensor.type import TensorType


def _halved_frequencies(ndim, s):
    """Return the index of the frequencies that stand for themselves and for their negative."""
    return (slice(None),) * (ndim - 2) + (slice(1, (s[-1] // 2) + (s[-1] % 2)), slice(None))


def _lengths(op, s):
    s = T.as_tensor_variable(s)
    if s.dtype not in T.integer_dtypes:
        raise TypeError(f"{op.__class__.__name__}: length of the transformed axis must be of type integer")
    return s


class RFFTOp(Op):
    """The transform of real arrays, not normalised."""

    __props__ = ()

    def output_type(self, inp):
        """Return the type of the transform of `inp`: one dimension more."""
        return TensorType(inp.dtype, broadcastable=[False] * (inp.type.ndim + 1))

    def make_node(self, a, s=None):
        """Take the arrays and, optionally, the lengths to which they are cut or padded."""
        a = T.as_tensor_variable(a)
        if a.ndim < 2:
            raise TypeError(f"{self.__class__.__name__}: input must have dimension > 2, with first dimension batches")
        s = _lengths(self, a.shape[1:] if s is None else s)
        return Apply(self, [a, s], [self.output_type(a)()])

    def perform(self, node, inputs, output_storage):
        """Store the transform."""
        a, s = inputs
        transformed = np.fft.rfftn(a, s=tuple(int(n) for n in s), axes=tuple(range(1, a.ndim)))
        out = np.empty((*transformed.shape, 2), dtype=a.dtype)
        out[..., 0], out[..., 1] = transformed.real, transformed.imag
        output_storage[0][0] = out

    def infer_shape(self, node, in_shapes):
        """Return the lengths, with only the non-negative frequencies of the last, and 2."""
        s, ndim = node.inputs[1], node.inputs[0].ndim
        middle = [s[i] for i in range(ndim - 1)]
        return [(in_shapes[0][0], *middle[:-1], middle[-1] // 2 + 1, 2)]

    def grad(self, inputs, output_grads):
        """Transform back, with half the weight on frequencies that the inverse counts twice."""
        (gout,), s = output_grads, inputs[1]
        index = _halved_frequencies(gout.ndim, s)
        gout = _replaced(gout[index], gout[index] * 0.5)
        return [irfft_op(gout, s), DisconnectedType()()]

    def connection_pattern(self, node):
        """The lengths are not continuous."""
        return [[True], [False]]


rfft_op = RFFTOp()


class IRFFTOp(Op):
    """The inverse of `RFFTOp` times the number of elements: the plain sum over the frequencies."""

    __props__ = ()

    def output_type(self, inp):
        """Return the type of the inverse transform of `inp`: one dimension less."""
        return TensorType(inp.dtype, broadcastable=[False] * (inp.type.ndim - 1))

    def make_node(self, a, s=None):
        """Take the transforms and the lengths of the arrays."""
        a = T.as_tensor_variable(a)
        if a.ndim < 3:
            raise TypeError(
                f"{self.__class__.__name__}: input must have dimension >= 3,  with first dimension batches and last "
                "real/imag parts"
            )
        if s is None:
            s = a.shape[1:-1]
            s = _replaced(s[-1], (s[-1] - 1) * 2)
        return Apply(self, [a, _lengths(self, s)], [self.output_type(a)()])

    def perform(self, node, inputs, output_storage):
        """Store the inverse transform."""
        a, s = inputs
        s = tuple(int(n) for n in s)
        spectrum = a[..., 0] + 1j * a[..., 1]
        result = np.fft.irfftn(spectrum, s=s, axes=tuple(range(1, spectrum.ndim)))
        output_storage[0][0] = (result * np.prod(s)).astype(a.dtype)

    def infer_shape(self, node, in_shapes):
        """Return the number of arrays and the lengths."""
        s, ndim = node.inputs[1], node.inputs[0].ndim
        return [(in_shapes[0][0], *(s[i] for i in range(ndim - 2)))]

    def grad(self, inputs, output_grads):
        """Transform forth, with twice the weight on frequencies that stand for two."""
        (gout,), s = output_grads, inputs[1]
        gf = rfft_op(gout, s)
        index = _halved_frequencies(gf.ndim, s)
        return [_replaced(gf[index], gf[index] * 2), DisconnectedType()()]

    def connection_pattern(self, node):
        """The lengths are not continuous."""
        return [[True], [False]]


irfft_op = IRFFTOp()


def _replaced(x, y):
    """Return the array that `x` is a part of, with that part replaced by `y`."""
    from theano_compat.tensor.subtensor import set_subtensor

    return set_subtensor(x, y)


def _unitary(norm):
    if norm not in (None, "ortho", "no_norm"):
        raise ValueError(f"Invalid value {norm} for norm, must be None, 'ortho' or 'no norm'")
    return norm


def rfft(inp, norm=None):
    """Return the Fourier transform of real arrays.

    Parameters
    ----------
    inp : tensor_like
        m arrays: shape (m, ..., n).
    norm : {None, 'ortho', 'no_norm'}
        With ``'ortho'`` the transform is unitary; else it is not scaled.

    Returns
    -------
    TensorVariable
        Of shape (m, ..., n//2 + 1, 2): only non-negative frequencies in the last transformed dimension;
        real and imaginary parts.
    """
    inp = T.as_tensor_variable(inp)
    s = inp.shape[1:]
    scaling = T.sqrt(s.prod().astype(inp.dtype)) if _unitary(norm) == "ortho" else 1
    return rfft_op(inp, s) / scaling


def irfft(inp, norm=None, is_odd=False):
    """Return the real arrays whose Fourier transforms are `inp`.

    Parameters
    ----------
    inp : tensor_like
        Of shape (m, ..., n//2 + 1, 2), as from `rfft`.
    norm : {None, 'ortho', 'no_norm'}
        None divides by the number of elements, ``'ortho'`` by its root, ``'no_norm'`` by nothing.
    is_odd : bool
        Whether n, which the transform does not tell, is odd.

    Returns
    -------
    TensorVariable
        Of shape (m, ..., n).
    """
    if is_odd not in (True, False):
        raise ValueError(f"Invalid value {is_odd} for id_odd, must be True or False")
    inp = T.as_tensor_variable(inp)
    _unitary(norm)
    if inp.ndim < 3:
        return irfft_op(inp)  # raises
    s = inp.shape[1:-1]
    last = (s[-1] - 1) * 2
    s = _replaced(s[-1], last + 1 if is_odd else last)
    scaling = 1
    if norm is None:
        scaling = s.prod().astype(inp.dtype)
    elif norm == "ortho":
        scaling = T.sqrt(s.prod().astype(inp.dtype))
    return irfft_op(inp, s) / scaling
