"""Shapes of convolutions: each of image, filters and output from the two others, and checks.

Lengths are Python ints, symbolic integers, or None where unknown (which makes the result None).
"""
from __future__ import annotations

import numpy as np

from theano_compat import config
from theano_compat.gof import Variable
from theano_compat.tensor import basic as T


def _bad_mode(mode, convdim):
    return ValueError(f'invalid border_mode {mode}, which must be either "valid", "full", "half", an integer or a tuple '
                      f"of length {convdim}")


def border_mode_to_pad(mode, convdim, kshp):
    """Padding that a border mode means.

    Parameters
    ----------
    mode : "valid", "full", "half", or tuple of int or (int, int)
    convdim : int
        Number of spatial axes.
    kshp : tuple of int
        Spatial shape of the filters, holes included.

    Returns
    -------
    tuple of (before, after)
        One pair per axis.
    """
    if isinstance(mode, tuple):
        if len(mode) != convdim:
            raise ValueError(f"invalid border_mode {mode} which must be a tuple of length {convdim}")
        pad = []
        for m in mode:
            if isinstance(m, (int, np.integer)) and m >= 0:
                pad.append((int(m), int(m)))
            elif isinstance(m, tuple) and len(m) == 2 and min(m) >= 0 and all(
                    isinstance(side, (int, np.integer)) for side in m):
                if convdim != 2:
                    raise NotImplementedError(f"Asymmetric padding not implemented for {convdim}d")
                pad.append((int(m[0]), int(m[1])))
            else:
                raise ValueError(f"invalid border mode {mode}. The tuple can only contain integers or tuples of "
                                 "length 2")
        return tuple(pad)
    if mode == "valid":
        return ((0, 0),) * convdim
    if mode == "full":
        return tuple((k - 1, k - 1) for k in kshp)
    if mode == "half":
        return tuple((k // 2, k // 2) for k in kshp)
    raise _bad_mode(mode, convdim)


def _axis_modes(border_mode, convdim):
    """The border mode of each axis."""
    return border_mode if isinstance(border_mode, tuple) else (border_mode,) * convdim


def _window(taps, dilation):
    return taps if _is_one(dilation) else (taps - 1) * dilation + 1


def _is_one(value):
    return isinstance(value, (int, np.integer)) and value == 1


def _pads(border_mode, window):
    """Padding before and after along one axis."""
    if border_mode == "half":
        return window // 2, window // 2
    if border_mode == "full":
        return window - 1, window - 1
    if border_mode == "valid":
        return 0, 0
    before, after = border_mode if isinstance(border_mode, tuple) else (border_mode, border_mode)
    if before < 0 or after < 0:
        raise ValueError("border_mode must be >= 0")
    return before, after


def get_conv_shape_1axis(image_shape, kernel_shape, border_mode, subsample, dilation=1):
    """Length of the output along one axis.

    Parameters
    ----------
    image_shape, kernel_shape : int, symbolic int or None
    border_mode : "valid", "full", "half", int or (int, int)
    subsample, dilation : int

    Returns
    -------
    int, symbolic int or None

    Notes
    -----
    ``(image + before + after - window) // subsample + 1`` with ``window = (kernel - 1) * dilation + 1``.
    """
    if None in [image_shape, kernel_shape, border_mode, subsample, dilation]:
        return None
    window = _window(kernel_shape, dilation)
    before, after = _pads(border_mode, window)
    # Symbolic graphs are kept as small as they can be.
    if border_mode == "full":
        out = image_shape + window - 2
    elif border_mode == "valid":
        out = image_shape - window
    else:
        out = image_shape + before + after - window
    if not _is_one(subsample):
        out = out // subsample
    return out + 1


def _dilations(filter_dilation, convdim):
    return np.ones(convdim, dtype="int").tolist() if filter_dilation is None else list(filter_dilation)


def get_conv_output_shape(image_shape, kernel_shape, border_mode, subsample, filter_dilation=None):
    """Shape of the output of a convolution.

    Parameters
    ----------
    image_shape : tuple
        (batch, channels, *spatial)
    kernel_shape : tuple
        (filters, channels, *window), or unshared (filters, *positions, channels, *window)
    border_mode : "valid", "full", "half", or tuple
    subsample : tuple of int
    filter_dilation : tuple of int, optional

    Returns
    -------
    tuple
        (batch, filters, *positions), None where unknown.
    """
    convdim = len(image_shape) - 2
    modes = _axis_modes(border_mode, convdim)
    dilation = _dilations(filter_dilation, convdim)
    image, kernel = image_shape[2:], kernel_shape[-convdim:]
    return (image_shape[0], kernel_shape[0]) + tuple(
        get_conv_shape_1axis(image[i], kernel[i], modes[i], subsample[i], dilation[i]) for i in range(len(subsample)))


def get_conv_gradweights_shape_1axis(image_shape, top_shape, border_mode, subsample, dilation):
    """Number of filter taps along one axis, or None where image and output do not tell."""
    if None in [image_shape, top_shape, border_mode, subsample, dilation]:
        return None
    if subsample != 1 or border_mode == "half":
        return None
    if border_mode == "full":
        window = top_shape - image_shape + 1
    elif border_mode == "valid":
        window = image_shape - top_shape + 1
    else:
        before, after = _pads(border_mode, None)
        window = image_shape + before + after - top_shape + 1
    return window if _is_one(dilation) else (window - 1) // dilation + 1


def get_conv_gradweights_shape(image_shape, top_shape, border_mode, subsample, filter_dilation=None, num_groups=1,
                               unshared=False):
    """Shape of the filters of a convolution, from the shapes of its image and output.

    Returns
    -------
    tuple
        (filters, channels // num_groups, *window), unshared (filters, *positions, channels, *window); None where
        unknown.
    """
    convdim = len(image_shape) - 2
    modes = _axis_modes(border_mode, convdim)
    dilation = _dilations(filter_dilation, convdim)
    filters, channels = top_shape[1], image_shape[1]
    if channels is not None and num_groups != 1:
        channels = channels // num_groups
    taps = tuple(get_conv_gradweights_shape_1axis(image_shape[2 + i], top_shape[2 + i], modes[i], subsample[i],
                                                  dilation[i]) for i in range(len(subsample)))
    if unshared:
        return (filters,) + tuple(top_shape[2:]) + (channels,) + taps
    return (filters, channels) + taps


def get_conv_gradinputs_shape_1axis(kernel_shape, top_shape, border_mode, subsample, dilation):
    """Length of the image along one axis, or None where filters and output do not tell."""
    if None in [kernel_shape, top_shape, border_mode, subsample, dilation]:
        return None
    if subsample != 1:
        return None
    window = _window(kernel_shape, dilation)
    before, after = _pads(border_mode, window)
    if border_mode == "full":
        return top_shape - window + 1
    if border_mode == "valid":
        return top_shape + window - 1
    return top_shape + window - 1 - before - after


def get_conv_gradinputs_shape(kernel_shape, top_shape, border_mode, subsample, filter_dilation=None, num_groups=1):
    """Shape of the image of a convolution, from the shapes of its filters and output.

    Returns
    -------
    tuple
        (batch, channels, *spatial), None where unknown.
    """
    convdim = len(top_shape) - 2
    modes = _axis_modes(border_mode, convdim)
    dilation = _dilations(filter_dilation, convdim)
    channels, kernel = kernel_shape[-convdim - 1], kernel_shape[-convdim:]
    if channels is not None and num_groups != 1:
        channels = channels * num_groups
    return (top_shape[0], channels) + tuple(
        get_conv_gradinputs_shape_1axis(kernel[i], top_shape[2 + i], modes[i], subsample[i], dilation[i])
        for i in range(len(subsample)))


def check_conv_gradinputs_shape(image_shape, kernel_shape, output_shape, border_mode, subsample, filter_dilation=None):
    """True where an image and filters of these shapes give an output of that shape (None matches anything)."""
    ranks = {len(shape) for shape in (image_shape, kernel_shape, output_shape)}
    ranks |= {2 + len(numbers) for numbers in (subsample, filter_dilation) if numbers is not None}
    if len(ranks) > 1:
        return False

    def agree(given, computed):
        return given is None or computed is None or given == computed

    computed = get_conv_output_shape(tuple(image_shape), tuple(kernel_shape), border_mode, subsample, filter_dilation)
    return all(agree(o, c) for o, c in zip(output_shape, computed))


def assert_conv_shape(shape):
    """Check that a shape can be that of a convolution's result.

    Parameters
    ----------
    shape : tuple of int or symbolic int
        Batch and channels must be at least 0, the others at least 1.

    Returns
    -------
    tuple
        The shape, with checks at run time where a length is symbolic.

    Raises
    ------
    ValueError
        If a constant length is too small.
    """
    checked = []
    for i, n in enumerate(shape):
        n = T.as_tensor_variable(n) if isinstance(n, Variable) else n
        try:
            value = T.get_scalar_constant_value(n)
        except T.NotScalarConstantError:
            from theano_compat.tensor.opt import Assert

            sign, test = ("<", T.ge) if i < 2 else ("<=", T.gt)
            checked.append(Assert(f"The convolution would produce an invalid shape (dim[{i}] {sign} 0).")(n, test(n, 0)))
            continue
        if value < 0 or (i >= 2 and value == 0):
            raise ValueError(f"The convolution would produce an invalid shape (dim[{i}]: {value} "
                             f"{'<' if i < 2 else '<='} 0).")
        checked.append(n)
    return tuple(checked)


def assert_shape(x, expected_shape, msg="Unexpected shape."):
    """Check at run time that a tensor has a given shape, if the flag ``conv.assert_shape`` is on.

    Parameters
    ----------
    x : tensor
    expected_shape : tuple or None
        None stands for any length.
    msg : str

    Returns
    -------
    tensor
        `x`, behind an assertion where one is needed.
    """
    if expected_shape is None or not config.conv.assert_shape:
        return x
    lengths = x.shape
    tests = []
    for i, expected in enumerate(expected_shape):
        if expected is not None:
            expected = T.as_tensor_variable(expected)
            tests.append(T.eq(lengths[i], expected))
    if not tests:
        return x
    from theano_compat.tensor.opt import Assert

    return Assert(msg)(x, *tests)
