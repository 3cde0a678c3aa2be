"""Patches of images as the rows of a matrix, and back."""
from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType
from theano_compat.tensor import basic as T
from theano_compat.tensor.basic import matrix
from theano_compat.tensor.subtensor import set_subtensor

__all__ = ["Images2Neibs", "images2neibs", "neibs2images"]

MODES = ("full", "half", "ignore_borders", "valid", "wrap_centered")


def _padding(mode, taps):
    """Zeros on each side that a mode adds."""
    return {"half": taps // 2, "full": taps - 1}.get(mode, 0)


def _positions(mode, length, taps, step):
    """Number of patches along one axis (for ints and for symbolic lengths)."""
    if mode == "wrap_centered":
        return (length + step - 1) // step
    return (length + 2 * _padding(mode, taps) - taps) // step + 1


def _taken(mode, axis, length, taps, step):
    """Index of each element of each patch along one axis, shape (patches, taps); -1 stands for a zero."""
    if mode == "wrap_centered":
        if taps % 2 != 1:
            raise TypeError("Images2Neibs: in mode wrap_centered need patch with odd shapes")
        if length < taps:
            raise TypeError(f"Images2Neibs: in wrap_centered mode, don't support image shapes smaller than the patch "
                            f"shapes: neib_shape[{axis}]={taps}, ten4.shape[{axis + 2}]={length}")
    else:
        rest = length + 2 * _padding(mode, taps) - taps
        if rest < 0 or (mode != "ignore_borders" and rest % step):
            raise TypeError(f"neib_shape[{axis}]={taps}, neib_step[{axis}]={step} and ten4.shape[{axis + 2}]={length} "
                            "not consistent")
    n = _positions(mode, length, taps, step)
    index = np.arange(n)[:, None] * step + np.arange(taps)[None, :]
    if mode == "wrap_centered":
        return (index - taps // 2) % length
    index -= _padding(mode, taps)
    index[(index < 0) | (index >= length)] = -1
    return index


class _Neibs(Op):
    """What patches and their gradient have in common."""

    __props__ = ("mode",)

    def __init__(self, mode="valid"):
        if mode not in MODES:
            raise NotImplementedError(f"Only modes {', '.join(MODES)} have been implemented for Images2Neibs")
        self.mode = mode

    def __str__(self):
        return f"{self.__class__.__name__}{{{self.mode}}}"

    def _index(self, image_shape, neib_shape, neib_step):
        """Index arrays that take all patches from an image with one extra row and column of zeros."""
        for name, value in (("neib_shape", neib_shape), ("neib_step", neib_step)):
            if value.shape != (2,):
                raise ValueError(f"{name} has to contain two elements, got shape {value.shape}")
            if min(value) < 1:
                raise ValueError(f"{name} has to be positive, got {tuple(int(v) for v in value)}")
        rows, columns = (
            _taken(self.mode, axis, image_shape[axis + 2], int(neib_shape[axis]), int(neib_step[axis]))
            for axis in range(2))
        return rows[:, None, :, None], columns[None, :, None, :]


class Images2Neibs(_Neibs):
    """Take patches of images.

    Parameters
    ----------
    mode : {"valid", "ignore_borders", "wrap_centered", "half", "full"}
        Whether patches must tile the image, may leave a border, wrap round, or overlap a border of zeros.

    Notes
    -----
    Inputs: images (batch, channels, rows, columns), shape of the patches (2,), distance of the patches (2,). The result
    has a row per patch (batch first, then channel, row, column) and a column per element of a patch.
    """

    def make_node(self, ten4, neib_shape, neib_step=None):
        ten4 = T.as_tensor_variable(ten4)
        neib_shape = T.as_tensor_variable(neib_shape)
        neib_step = neib_shape if neib_step is None else T.as_tensor_variable(neib_step)
        if ten4.ndim != 4:
            raise AssertionError(f"ten4 must have 4 dimensions, got {ten4.ndim}")
        if neib_shape.ndim != 1 or neib_step.ndim != 1:
            raise AssertionError("neib_shape and neib_step must be vectors")
        return Apply(self, [ten4, neib_shape, neib_step], [matrix(dtype=ten4.type.dtype)])

    def perform(self, node, inp, out_, params=None):
        ten4, neib_shape, neib_step = inp
        rows, columns = self._index(ten4.shape, neib_shape, neib_step)
        padded = np.pad(ten4, ((0, 0), (0, 0), (0, 1), (0, 1)))
        patches = padded[:, :, rows, columns]
        out_[0][0] = patches.reshape(int(np.prod(patches.shape[:4])), int(np.prod(patches.shape[4:])))

    def infer_shape(self, node, input_shape):
        shape = input_shape[0]
        _, taps, step = node.inputs
        counts = [_positions(self.mode, shape[axis + 2], taps[axis], step[axis]) for axis in range(2)]
        return [(shape[0] * shape[1] * counts[0] * counts[1], taps[0] * taps[1])]

    def grad(self, inp, grads):
        x, neib_shape, neib_step = inp
        (gz,) = grads
        if self.mode == "valid" and (neib_shape is neib_step or neib_shape.equals(neib_step)):
            # Tiles: the gradient is the image put together again.
            gx = neibs2images(gz, neib_shape, x.shape, mode=self.mode)
            gx = T.patternbroadcast(gx, x.broadcastable)
        else:
            gx = Images2NeibsGrad(self.mode)(x, neib_shape, neib_step, gz)
        return [gx, DisconnectedType()(), DisconnectedType()()]

    def connection_pattern(self, node):
        return [[True], [False], [False]]


class Images2NeibsGrad(_Neibs):
    """Gradient of `Images2Neibs`: each element of the image gets the sum over the patches that it is in."""

    def make_node(self, ten4, neib_shape, neib_step, gz):
        ten4, neib_shape, neib_step, gz = (T.as_tensor_variable(v) for v in (ten4, neib_shape, neib_step, gz))
        return Apply(self, [ten4, neib_shape, neib_step, gz],
                     [T.TensorType(gz.dtype, ten4.broadcastable)()])

    def perform(self, node, inp, out_):
        ten4, neib_shape, neib_step, gz = inp
        rows, columns = self._index(ten4.shape, neib_shape, neib_step)
        batch, channels, height, width = ten4.shape
        total = np.zeros((height + 1, width + 1, batch, channels), dtype=gz.dtype)
        patches = gz.reshape((batch, channels) + np.broadcast_shapes(rows.shape, columns.shape))
        np.add.at(total, (rows, columns), patches.transpose(2, 3, 4, 5, 0, 1))
        out_[0][0] = np.ascontiguousarray(total[:height, :width].transpose(2, 3, 0, 1))

    def infer_shape(self, node, input_shape):
        return [input_shape[0]]

    def grad(self, inp, grads):
        _, neib_shape, neib_step, _ = inp
        (ggx,) = grads
        return [inp[0].zeros_like(), DisconnectedType()(), DisconnectedType()(),
                Images2Neibs(self.mode)(ggx, neib_shape, neib_step)]

    def connection_pattern(self, node):
        return [[True], [False], [False], [True]]


def images2neibs(ten4, neib_shape, neib_step=None, mode="valid"):
    """Take patches of images as the rows of a matrix.

    Parameters
    ----------
    ten4 : 4-d tensor, shape (batch, channels, rows, columns)
    neib_shape : (int, int) or symbolic vector
        Shape of the patches.
    neib_step : (int, int) or symbolic vector, optional
        Distance of neighbouring patches; by default their shape, so that they tile the image.
    mode : {"valid", "ignore_borders", "wrap_centered", "half", "full"}
        See `Images2Neibs`.

    Returns
    -------
    matrix, shape (number of patches, elements of a patch)
        Ordered by batch, channel, row, column.
    """
    return Images2Neibs(mode)(ten4, neib_shape, neib_step)


def neibs2images(neibs, neib_shape, original_shape, mode="valid"):
    """Put images together again from patches that tile them.

    Parameters
    ----------
    neibs : matrix
        As from `images2neibs` with the default distance.
    neib_shape : (int, int) or symbolic vector
    original_shape : tuple or symbolic vector of four
        Shape of the images.
    mode : {"valid", "ignore_borders"}
        With "ignore_borders" the border that no patch covered is zero.

    Returns
    -------
    4-d tensor of the original shape
    """
    neibs = T.as_tensor_variable(neibs)
    neib_shape = T.as_tensor_variable(neib_shape)
    original_shape = T.as_tensor_variable(original_shape)
    # A patch-wise image turns into rows of pixels by taking patches once more, across.
    step = T.stack([original_shape[-1] // neib_shape[1], neib_shape[1]])
    back = images2neibs(neibs.dimshuffle("x", "x", 0, 1), step, mode=mode)
    if mode == "ignore_borders":
        kept_rows = (original_shape[2] // neib_shape[0]) * neib_shape[0]
        kept_columns = (original_shape[3] // neib_shape[1]) * neib_shape[1]
        inner = back.reshape((original_shape[0], original_shape[1], kept_rows, kept_columns))
        zeros = T.zeros([original_shape[i] for i in range(4)], dtype=neibs.dtype)
        return set_subtensor(zeros[:, :, :kept_rows, :kept_columns], inner)
    if mode != "valid":
        raise NotImplementedError(f"neibs2images do not support mode={mode}")
    return back.reshape(original_shape, ndim=4)
