# ruff: noqa: F405
"""Ops for neural networks.

=================  ==========================================================================
`sigm`             sigmoid, softplus, and their rewrites
`nnet`             softmax, crossentropies, activations and losses, and their rewrites
`bn`               batch normalisation
`abstract_conv`    convolution, independent of how it is computed
`corr`, `corr3d`   convolution by patches and products; `corr_base` is what they share
`conv_numpy`       convolution on NumPy arrays
`conv`             the old convolution op; `conv3d2d`: 3-D convolution by 2-D ones
`neighbours`       patches of images as rows
`blocksparse`      products with chosen blocks of a matrix
`ctc`              connectionist temporal classification
`opt`              which implementation an abstract convolution gets
=================  ==========================================================================
"""
import warnings as _warnings

from . import opt
from .abstract_conv import conv2d as abstract_conv2d
from .abstract_conv import conv2d_grad_wrt_inputs, conv3d, separable_conv2d
from .bn import batch_normalization
from .conv import ConvOp
from .nnet import *
from .sigm import hard_sigmoid, scalar_sigmoid, sigmoid, sigmoid_inplace, softplus, ultra_fast_sigmoid

__all__ = [
    "ConvOp", "CrossentropyCategorical1Hot", "CrossentropyCategorical1HotGrad", "CrossentropySoftmax1HotWithBiasDx",
    "CrossentropySoftmaxArgmax1HotWithBias", "LogSoftmax", "Prepend_scalar_constant_to_each_row",
    "Prepend_scalar_to_each_row", "Softmax", "SoftmaxGrad", "SoftmaxWithBias", "abstract_conv2d",
    "batch_normalization", "binary_crossentropy", "categorical_crossentropy", "confusion_matrix", "conv2d",
    "conv2d_grad_wrt_inputs", "conv2d_transpose", "conv3d", "crossentropy_categorical_1hot",
    "crossentropy_categorical_1hot_grad", "crossentropy_softmax_1hot", "crossentropy_softmax_1hot_with_bias",
    "crossentropy_softmax_1hot_with_bias_dx", "crossentropy_softmax_argmax_1hot_with_bias",
    "crossentropy_softmax_max_and_argmax_1hot", "crossentropy_softmax_max_and_argmax_1hot_with_bias",
    "crossentropy_to_crossentropy_with_softmax", "crossentropy_to_crossentropy_with_softmax_with_bias", "elu",
    "graph_merge_softmax_with_crossentropy_softmax", "h_softmax", "hard_sigmoid", "logsoftmax", "logsoftmax_op",
    "opt", "prepend_0_to_each_row", "prepend_1_to_each_row", "prepend_scalar_to_each_row", "relu", "scalar_sigmoid",
    "selu", "separable_conv2d", "sigmoid", "sigmoid_binary_crossentropy", "sigmoid_inplace", "softmax", "softmax_grad",
    "softmax_graph", "softmax_op", "softmax_simplifier", "softmax_with_bias", "softplus", "softsign",
    "ultra_fast_sigmoid",
]


def conv2d(input, filters, input_shape=None, filter_shape=None, border_mode="valid", subsample=(1, 1),
           filter_flip=True, image_shape=None, filter_dilation=(1, 1), num_groups=1, unshared=False, **kwargs):
    """Convolve a batch of images with filters.

    Parameters
    ----------
    input : 4-d tensor, shape (batch, channels, rows, columns)
    filters : 4-d tensor, shape (filters, channels // num_groups, rows, columns)
        With `unshared` 6-d: (filters, output rows, output columns, channels // num_groups, rows, columns).
    input_shape, filter_shape : tuple of int or None, optional
        What is known of the shapes.
    border_mode : "valid", "full", "half", int, or (rows, columns) of int or (before, after)
        Zeros around the images: none; one less than the filter on each side; half of it; or so many.
    subsample : (int, int)
        Distance of neighbouring windows.
    filter_flip : bool
        Turn the filters round (convolution), or not (correlation).
    image_shape : tuple, optional
        Old name of `input_shape`.
    filter_dilation : (int, int)
        Distance of neighbouring taps of a filter.
    num_groups : int
        Convolve so many groups of channels separately.
    unshared : bool
        Each position has filters of its own.

    Returns
    -------
    4-d tensor, shape (batch, filters, output rows, output columns)
    """
    if "imshp_logical" in kwargs or "kshp_logical" in kwargs:
        raise ValueError(
            "Keyword arguments 'imshp_logical' and 'kshp_logical' for conv2d are not supported anymore (and have not "
            "been a reliable way to perform upsampling). That feature is still available by calling "
            "theano.tensor.nnet.conv.conv2d() for the time being.")
    if kwargs:
        _warnings.warn(f"{kwargs.keys()} are now deprecated in `tensor.nnet.abstract_conv.conv2d` interface and will be "
                       "ignored.", stacklevel=2)
    if image_shape is not None:
        _warnings.warn("The `image_shape` keyword argument to `tensor.nnet.conv2d` is deprecated, it has been renamed "
                       "to `input_shape`.", stacklevel=2)
        if input_shape is not None:
            raise ValueError("input_shape and image_shape should not be provided at the same time.")
        input_shape = image_shape
    return abstract_conv2d(input, filters, input_shape, filter_shape, border_mode, subsample, filter_flip,
                           filter_dilation, num_groups, unshared)


def conv2d_transpose(input, filters, output_shape, filter_shape=None, border_mode="valid", input_dilation=(1, 1),
                     filter_flip=True, filter_dilation=(1, 1), num_groups=1, unshared=False):
    """Transposed convolution: the map that is the gradient of `conv2d` with respect to its images.

    Parameters
    ----------
    input : 4-d tensor
        What the output of the convolution would be.
    filters : 4-d tensor, shape (input channels, output channels // num_groups, rows, columns)
    output_shape : tuple of four int, symbolic int or None
        Rows and columns must be given.
    filter_shape : tuple of int or None, optional
    border_mode, filter_flip, filter_dilation, num_groups, unshared
        Of that convolution, as for `conv2d`.
    input_dilation : (int, int)
        The stride of that convolution, by which the input is spread.

    Returns
    -------
    4-d tensor, shape (batch, output channels, output rows, output columns)
    """
    return conv2d_grad_wrt_inputs(
        output_grad=input, filters=filters, input_shape=output_shape, filter_shape=filter_shape,
        border_mode=border_mode, subsample=input_dilation, filter_flip=filter_flip, filter_dilation=filter_dilation,
        num_groups=num_groups, unshared=unshared)
