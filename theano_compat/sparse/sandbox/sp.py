"""Convolution and max pooling of flattened images by products with a sparse matrix that gathers patches."""

from __future__ import annotations

import numpy as np

from theano_compat import tensor
from theano_compat.gof import Op
from theano_compat.sparse import basic as sparse
from theano_compat.sparse.basic import (
    CSC,
    Diag,
    EnsureSortedIndices,
    Remove0,
    SquareDiagonal,
    diag,
    ensure_sorted_indices,
    remove0,
    square_diagonal,
)  # fmt: skip
from theano_compat.tensor.opt import register_specialize

__all__ = [
    "ConvolutionIndices", "Diag", "EnsureSortedIndices", "Remove0", "SquareDiagonal", "convolution_indices", "convolve",
    "diag", "ensure_sorted_indices", "max_pool", "register_specialize", "remove0", "square_diagonal",
]  # fmt: skip


class ConvolutionIndices(Op):
    """Which pixels the patches of a convolution take, as the arrays of a csc matrix."""

    __props__ = ()

    @staticmethod
    def conv_eval(inshp, kshp, strides=(1, 1), mode="valid"):
        """The patches of one kernel (see `evaluate`)."""
        return convolution_indices.evaluate(inshp, kshp, strides, mode=mode, ws=True)

    @staticmethod
    def evaluate(inshp, kshp, strides=(1, 1), nkern=1, mode="valid", ws=True):
        """The matrix whose product with a flattened image lists its patches.

        Parameters
        ----------
        inshp : tuple of 2 or 3 int
            Shape of the image: (channels,) height, width.
        kshp : tuple of 2 int
            Height and width of a patch.
        strides : tuple of 2 int
            Steps between patches.
        nkern : int
            Ignored with shared weights.
        mode : {'valid', 'full'}
            Only whole patches, or also those that hang over the border.
        ws : bool
            Weight sharing; has to be true.

        Returns
        -------
        indices, indptr : int32 ndarray
            Of the csc matrix of ones; its rows run over (output position, channel, place in the patch).
        shape : tuple of int
            Of the matrix.
        sptype : str
            ``'csc'``.
        outshp : ndarray of 2 int
            Height and width of the output.
        """
        if not ws:
            raise Exception("ws is obsolete and it must be always True")
        if mode not in ("valid", "full"):
            raise ValueError(f"mode must be 'valid' or 'full', not {mode!r}")
        channels, height, width = inshp if len(inshp) == 3 else (1, *inshp)
        axes = []
        for extent, kernel, step in zip((height, width), kshp, strides):
            starts = np.arange(0, extent - kernel + 1, step) if mode == "valid" else np.arange(1 - kernel, extent, step)
            axes.append(starts)
        outshp = np.array([len(axis) for axis in axes])
        y = axes[0][:, None, None, None, None] + np.arange(kshp[0])[:, None]
        x = axes[1][:, None, None, None] + np.arange(kshp[1])
        channel = np.arange(channels)[:, None, None]
        full = (*outshp, channels, *kshp)
        inside = np.broadcast_to((y >= 0) & (y < height) & (x >= 0) & (x < width), full).ravel()
        pixels = np.broadcast_to((channel * height + y) * width + x, full).ravel()
        rows = np.flatnonzero(inside)
        pixels = pixels[inside]
        shape = (int(np.prod(full)), channels * height * width)
        order = np.argsort(pixels, kind="stable")
        indptr = np.concatenate([[0], np.cumsum(np.bincount(pixels, minlength=shape[1]))])
        return rows[order].astype("int32"), indptr.astype("int32"), shape, "csc", outshp

    def perform(self, node, inputs, outputs):
        (inshp, kshp), (indices, indptr, shape) = inputs, outputs
        indices[0], indptr[0], size, _, _ = self.evaluate(tuple(inshp), tuple(kshp))
        shape[0] = np.asarray(size, dtype="int32")


convolution_indices = ConvolutionIndices()


def _patches(images, imgshp, kshp, step, mode):
    """(patches of all images as rows of a matrix, number of channels, output height and width)."""
    indices, indptr, shape, _, outshp = convolution_indices.conv_eval(imgshp, kshp, step, mode)
    gather = CSC(np.ones(indices.size, dtype=images.dtype), indices, indptr, np.asarray(shape, dtype="int32"))
    flat = sparse.structured_dot(gather, images.T).T
    return flat, (imgshp[0] if len(imgshp) == 3 else 1), outshp


def convolve(kerns, kshp, nkern, images, imgshp, step=(1, 1), bias=None, mode="valid", flatten=True):
    """Correlation of images with kernels.

    Parameters
    ----------
    kerns : matrix
        One kernel a row, flattened from (channels, height, width).
    kshp : tuple of 2 int
        Height and width of a kernel.
    nkern : int
        Number of kernels.
    images : matrix
        One image a row, flattened from (channels, height, width).
    imgshp : tuple of 2 or 3 int
        Shape of an image.
    step : tuple of 2 int
        Strides.
    bias : vector, optional
        Added to each kernel's output.
    mode : {'valid', 'full'}
        As in `scipy.signal.convolve2d`.
    flatten : bool
        Whether the output is a matrix or has the shape (images, kernels, positions).

    Returns
    -------
    output : tensor
        One row per image, kernel by kernel.
    shape : ndarray of 3 int
        Kernels, output height, output width: `imgshp` of a following layer.
    """
    flat, channels, outshp = _patches(images, imgshp, kshp, step, mode)
    positions = int(np.prod(outshp))
    stack = flat.reshape((images.shape[0] * positions, channels * int(np.prod(kshp))), ndim=2)
    output = tensor.dot(stack, kerns.T)
    if bias is not None:
        output = output + bias
    output = output.reshape((images.shape[0], positions, nkern), ndim=3).dimshuffle(0, 2, 1)
    if flatten:
        output = tensor.flatten(output, 2)
    return output, np.hstack((nkern, outshp))


def max_pool(images, imgshp, maxpoolshp):
    """Maxima of blocks that do not overlap.

    Parameters
    ----------
    images : matrix
        One image a row, flattened from (channels, height, width).
    imgshp : tuple of 2 or 3 int
        Shape of an image.
    maxpoolshp : tuple of 2 int
        Height and width of a block; what does not fill one is left out.

    Returns
    -------
    output : matrix
        One row per image, flattened from (channels, height, width).
    shape : ndarray of 2 int
        Output height and width.
    """
    flat, channels, outshp = _patches(images, imgshp, maxpoolshp, maxpoolshp, "valid")
    positions = int(np.prod(outshp))
    blocks = flat.reshape((images.shape[0], positions, channels, int(np.prod(maxpoolshp))), ndim=4)
    return tensor.flatten(blocks.max(axis=3).dimshuffle(0, 2, 1), 2), outshp
