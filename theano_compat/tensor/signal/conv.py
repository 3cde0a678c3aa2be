"""2-D convolution of images without channels."""
from __future__ import annotations

from theano_compat.tensor import basic as tensor

__all__ = ["conv2d"]


def conv2d(input, filters, image_shape=None, filter_shape=None, border_mode="valid", subsample=(1, 1), **kargs):
    """Convolve images with filters, every image with every filter.

    Parameters
    ----------
    input : matrix, or 3-d tensor (images, rows, columns)
    filters : matrix, or 3-d tensor (filters, rows, columns)
    image_shape, filter_shape : tuple of int, optional
    border_mode : {"valid", "full"}
    subsample : (int, int)
    **kargs
        Further arguments of `nnet.conv.ConvOp`.

    Returns
    -------
    matrix, 3-d or 4-d tensor
        Shape (images, filters, rows, columns), without the axes that the inputs do not have.
    """
    from theano_compat.tensor.nnet import conv

    input, filters = tensor.as_tensor_variable(input), tensor.as_tensor_variable(filters)
    if input.ndim not in (2, 3):
        raise AssertionError(f"input must be a matrix or 3-d tensor, got {input.type}")
    if filters.ndim not in (2, 3):
        raise AssertionError(f"filters must be a matrix or 3-d tensor, got {filters.type}")
    with_batch, with_filters = input.ndim == 3, filters.ndim == 3
    input4d = input.dimshuffle(0, "x", 1, 2) if with_batch else input.dimshuffle("x", "x", 0, 1)
    filters4d = filters.dimshuffle(0, "x", 1, 2) if with_filters else filters.dimshuffle("x", "x", 0, 1)

    def known(shape, first):
        if shape is None:
            return None
        shape = tuple(shape)
        return (shape[0], 1) + shape[1:] if first else (1, 1) + shape

    output = conv.conv2d(input4d, filters4d, image_shape=known(image_shape, with_batch),
                         filter_shape=known(filter_shape, with_filters), border_mode=border_mode, subsample=subsample,
                         **kargs)
    if with_batch and with_filters:
        return output
    if with_batch:
        return output[:, 0, :, :]
    return output[0] if with_filters else output[0, 0]
