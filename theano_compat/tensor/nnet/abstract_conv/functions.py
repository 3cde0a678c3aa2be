"""Convolution functions for users: forward, gradients, transposed, separable, causal."""
from __future__ import annotations

import numpy as np

from theano_compat.gof import Variable
from theano_compat.tensor import basic as T
from theano_compat.tensor.basic import as_tensor_variable

from .ops import (
    AbstractConv2d,
    AbstractConv2d_gradInputs,
    AbstractConv2d_gradWeights,
    AbstractConv3d,
    AbstractConv3d_gradInputs,
    AbstractConv3d_gradWeights,
)
from .shapes import _window


def _constants_only(shape):
    """A shape with None in place of what is not constant."""
    return tuple(n if n is None or _is_constant(n) else None for n in shape)


def _is_constant(n):
    return isinstance(n, (int, np.integer, T.TensorConstant)) and not isinstance(n, bool)


def _checked_shape(shape, name, free):
    """Check the entries of a shape argument; the first `free` may be None, the others must be given.

    Returns
    -------
    (tuple, tuple)
        Entries as int, symbolic or None; and the entries with None in place of the symbolic ones.
    """
    entries = []
    for i, n in enumerate(shape):
        allowed = _is_constant(n) or isinstance(n, (Variable, np.ndarray)) or (n is None and i < free)
        if not allowed:
            raise ValueError(f"{name}[{i}] must be a symbolic variable, a constant or None.")
        entries.append(n)
    return tuple(entries), _constants_only(entries)


def conv2d(input, filters, input_shape=None, filter_shape=None, border_mode="valid", subsample=(1, 1),
           filter_flip=True, filter_dilation=(1, 1), num_groups=1, unshared=False):
    """Convolve a batch of images with filters.

    Parameters
    ----------
    input : 4-d tensor, shape (batch, channels, rows, columns)
    filters : 4-d tensor, shape (filters, channels // num_groups, rows, columns)
        With `unshared` 6-d: (filters, output rows, output columns, channels // num_groups, rows, columns).
    input_shape, filter_shape : tuple of int or None, optional
        What is known of the shapes.
    border_mode : "valid", "full", "half", int, or (rows, columns) of int or (before, after)
    subsample : (int, int)
    filter_flip : bool
        Turn the filters round (convolution), or not (correlation).
    filter_dilation : (int, int)
    num_groups : int
    unshared : bool

    Returns
    -------
    4-d tensor, shape (batch, filters, output rows, output columns)
    """
    op = AbstractConv2d(imshp=input_shape, kshp=filter_shape, border_mode=border_mode, subsample=subsample,
                        filter_flip=filter_flip, filter_dilation=filter_dilation, num_groups=num_groups,
                        unshared=unshared)
    return op(as_tensor_variable(input), as_tensor_variable(filters))


def conv3d(input, filters, input_shape=None, filter_shape=None, border_mode="valid", subsample=(1, 1, 1),
           filter_flip=True, filter_dilation=(1, 1, 1), num_groups=1):
    """Convolve a batch of volumes with filters, as `conv2d` with three spatial axes.

    Parameters
    ----------
    input : 5-d tensor, shape (batch, channels, depth, rows, columns)
    filters : 5-d tensor, shape (filters, channels // num_groups, depth, rows, columns)
    input_shape, filter_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups
        As for `conv2d`, with three entries.

    Returns
    -------
    5-d tensor, shape (batch, filters, output depth, output rows, output columns)
    """
    op = AbstractConv3d(imshp=input_shape, kshp=filter_shape, border_mode=border_mode, subsample=subsample,
                        filter_flip=filter_flip, filter_dilation=filter_dilation, num_groups=num_groups)
    return op(as_tensor_variable(input), as_tensor_variable(filters))


def _grad_wrt_inputs(op_class, convdim, output_grad, filters, input_shape, filter_shape, **settings):
    filters = as_tensor_variable(filters)
    output_grad = as_tensor_variable(output_grad)
    if len(input_shape) != convdim + 2:
        raise ValueError(f"input_shape must have {convdim + 2} elements, got {len(input_shape)}")
    input_shape, imshp = _checked_shape(input_shape, "input_shape", free=2)
    kshp = None
    if filter_shape is not None:
        _, kshp = _checked_shape(filter_shape, "filter_shape", free=len(filter_shape))
    op = op_class(imshp=imshp, kshp=kshp, **settings)
    return op(filters, output_grad, _spatial(input_shape, convdim))


def _grad_wrt_weights(op_class, convdim, input, output_grad, filter_shape, input_shape, **settings):
    input = as_tensor_variable(input)
    output_grad = as_tensor_variable(output_grad)
    if settings.get("unshared"):
        wanted = 2 + 2 * convdim
    else:
        wanted = 2 + convdim
    if len(filter_shape) != wanted:
        raise ValueError(f"filter_shape must have {wanted} elements, got {len(filter_shape)}")
    filter_shape, kshp = _checked_shape(filter_shape, "filter_shape", free=wanted - convdim)
    imshp = None
    if input_shape is not None:
        _, imshp = _checked_shape(input_shape, "input_shape", free=len(input_shape))
    op = op_class(imshp=imshp, kshp=kshp, **settings)
    return op(input, output_grad, _spatial(filter_shape, convdim))


def _spatial(shape, convdim):
    """The last entries of a shape as a symbolic vector."""
    return as_tensor_variable(list(shape[-convdim:])) if any(isinstance(n, Variable) for n in shape[-convdim:]) \
        else as_tensor_variable(np.asarray([int(n) for n in shape[-convdim:]], dtype="int64"))


def conv2d_grad_wrt_inputs(output_grad, filters, input_shape, filter_shape=None, border_mode="valid", subsample=(1, 1),
                           filter_flip=True, filter_dilation=(1, 1), num_groups=1, unshared=False):
    """Gradient of `conv2d` with respect to its images.

    Parameters
    ----------
    output_grad : 4-d tensor
        Gradient of the output.
    filters : 4-d tensor
    input_shape : tuple of int, symbolic int or None
        Shape of the images; rows and columns must be given.
    filter_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared
        As for `conv2d`.

    Returns
    -------
    4-d tensor of the images' shape
    """
    return _grad_wrt_inputs(
        AbstractConv2d_gradInputs, 2, output_grad, filters, input_shape, filter_shape, border_mode=border_mode,
        subsample=subsample, filter_flip=filter_flip, filter_dilation=filter_dilation, num_groups=num_groups,
        unshared=unshared)


def conv3d_grad_wrt_inputs(output_grad, filters, input_shape, filter_shape=None, border_mode="valid",
                           subsample=(1, 1, 1), filter_flip=True, filter_dilation=(1, 1, 1), num_groups=1):
    """Gradient of `conv3d` with respect to its volumes; parameters as for `conv2d_grad_wrt_inputs`."""
    return _grad_wrt_inputs(
        AbstractConv3d_gradInputs, 3, output_grad, filters, input_shape, filter_shape, border_mode=border_mode,
        subsample=subsample, filter_flip=filter_flip, filter_dilation=filter_dilation, num_groups=num_groups)


def conv2d_grad_wrt_weights(input, output_grad, filter_shape, input_shape=None, border_mode="valid", subsample=(1, 1),
                            filter_flip=True, filter_dilation=(1, 1), num_groups=1, unshared=False):
    """Gradient of `conv2d` with respect to its filters.

    Parameters
    ----------
    input : 4-d tensor
    output_grad : 4-d tensor
        Gradient of the output.
    filter_shape : tuple of int, symbolic int or None
        Shape of the filters; rows and columns must be given.
    input_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared
        As for `conv2d`.

    Returns
    -------
    4-d tensor of the filters' shape
    """
    return _grad_wrt_weights(
        AbstractConv2d_gradWeights, 2, input, output_grad, filter_shape, input_shape, border_mode=border_mode,
        subsample=subsample, filter_flip=filter_flip, filter_dilation=filter_dilation, num_groups=num_groups,
        unshared=unshared)


def conv3d_grad_wrt_weights(input, output_grad, filter_shape, input_shape=None, border_mode="valid",
                            subsample=(1, 1, 1), filter_flip=True, filter_dilation=(1, 1, 1), num_groups=1):
    """Gradient of `conv3d` with respect to its filters; parameters as for `conv2d_grad_wrt_weights`."""
    return _grad_wrt_weights(
        AbstractConv3d_gradWeights, 3, input, output_grad, filter_shape, input_shape, border_mode=border_mode,
        subsample=subsample, filter_flip=filter_flip, filter_dilation=filter_dilation, num_groups=num_groups)


def _separable(conv, convdim, input, depthwise_filters, pointwise_filters, num_channels, input_shape,
               depthwise_filter_shape, pointwise_filter_shape, border_mode, subsample, filter_flip, filter_dilation):
    input = as_tensor_variable(input)
    depthwise_filters = as_tensor_variable(depthwise_filters)
    if depthwise_filter_shape is not None:
        depthwise_filter_shape = tuple(depthwise_filter_shape)
    if pointwise_filter_shape is not None:
        pointwise_filter_shape = tuple(pointwise_filter_shape)
        if any(n is not None and int(T.get_scalar_constant_value(n)) != 1 for n in pointwise_filter_shape[2:]):
            raise ValueError(f"pointwise filters must have a window of 1, got the shape {pointwise_filter_shape}")
    per_channel = conv(input, depthwise_filters, input_shape=input_shape, filter_shape=depthwise_filter_shape,
                       border_mode=border_mode, subsample=subsample, filter_flip=filter_flip,
                       filter_dilation=filter_dilation, num_groups=num_channels)
    return conv(per_channel, pointwise_filters, filter_shape=pointwise_filter_shape, border_mode="valid",
                subsample=(1,) * convdim, filter_flip=filter_flip, filter_dilation=(1,) * convdim, num_groups=1)


def separable_conv2d(input, depthwise_filters, pointwise_filters, num_channels, input_shape=None,
                     depthwise_filter_shape=None, pointwise_filter_shape=None, border_mode="valid", subsample=(1, 1),
                     filter_flip=True, filter_dilation=(1, 1)):
    """Convolve each channel by itself, then mix the channels at each position.

    Parameters
    ----------
    input : 4-d tensor, shape (batch, channels, rows, columns)
    depthwise_filters : 4-d tensor, shape (channels * multiplier, 1, rows, columns)
    pointwise_filters : 4-d tensor, shape (outputs, channels * multiplier, 1, 1)
    num_channels : int
        Number of channels of the input.
    input_shape, depthwise_filter_shape, pointwise_filter_shape : tuple of int or None, optional
    border_mode, subsample, filter_flip, filter_dilation
        Of the first step, as for `conv2d`.

    Returns
    -------
    4-d tensor, shape (batch, outputs, output rows, output columns)
    """
    return _separable(conv2d, 2, input, depthwise_filters, pointwise_filters, num_channels, input_shape,
                      depthwise_filter_shape, pointwise_filter_shape, border_mode, subsample, filter_flip,
                      filter_dilation)


def separable_conv3d(input, depthwise_filters, pointwise_filters, num_channels, input_shape=None,
                     depthwise_filter_shape=None, pointwise_filter_shape=None, border_mode="valid",
                     subsample=(1, 1, 1), filter_flip=True, filter_dilation=(1, 1, 1)):
    """Convolve each channel by itself, then mix the channels; as `separable_conv2d` with three spatial axes."""
    return _separable(conv3d, 3, input, depthwise_filters, pointwise_filters, num_channels, input_shape,
                      depthwise_filter_shape, pointwise_filter_shape, border_mode, subsample, filter_flip,
                      filter_dilation)


def causal_conv1d(input, filters, filter_shape, input_shape=None, subsample=1, filter_flip=True, filter_dilation=1,
                  num_groups=1, unshared=False):
    """Convolve sequences so that no output depends on a later input.

    Parameters
    ----------
    input : 3-d tensor, shape (batch, channels, length)
    filters : 3-d tensor, shape (filters, channels // num_groups, taps)
    filter_shape : tuple of int
        Shape of the filters; the number of taps must be known.
    input_shape : tuple of int or None, optional
    subsample, filter_dilation : int
    filter_flip, num_groups, unshared
        As for `conv2d`.

    Returns
    -------
    3-d tensor, shape (batch, filters, output length)
        The sequence is padded with zeros before its start only.
    """
    input = as_tensor_variable(input)
    filters = as_tensor_variable(filters)
    if input.ndim != 3:
        raise ValueError(f"input should be 3-dimensional, got {input.ndim} dimensions")
    if filters.ndim != (5 if unshared else 3):
        raise ValueError(f"filters should be {5 if unshared else 3}-dimensional, got {filters.ndim} dimensions")
    if input_shape is not None:
        input_shape = tuple(input_shape) + (1,)
    taps = filter_shape[-1]
    before = _window(taps, filter_dilation) - 1
    image = input.dimshuffle(0, 1, 2, "x")
    if unshared:
        kernels = filters.dimshuffle(0, 1, "x", 2, 3, "x")
        kshp = (filter_shape[0], filter_shape[1], 1, filter_shape[2], filter_shape[3], 1)
    else:
        kernels = filters.dimshuffle(0, 1, 2, "x")
        kshp = tuple(filter_shape) + (1,)
    out = conv2d(image, kernels, input_shape=input_shape, filter_shape=kshp, border_mode=((before, 0), 0),
                 subsample=(subsample, 1), filter_flip=filter_flip, filter_dilation=(filter_dilation, 1),
                 num_groups=num_groups, unshared=unshared)
    return out[:, :, :, 0]
