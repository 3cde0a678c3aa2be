"""Bilinear upsampling as a transposed convolution."""
from __future__ import annotations

from theano_compat import config
from theano_compat.tensor import basic as T
from theano_compat.tensor.basic import as_tensor_variable

from .functions import conv2d_grad_wrt_inputs


def bilinear_kernel_1D(ratio, normalize=True):
    """Triangle of weights for upsampling by `ratio` along one axis.

    Parameters
    ----------
    ratio : int or symbolic int
    normalize : bool
        Divide by `ratio`.

    Returns
    -------
    vector, length 2 * ratio - 1
    """
    half = T.arange(1, ratio + 1, dtype=config.floatX)
    kernel = T.concatenate([half, half[-2::-1]])
    return kernel / T.cast(ratio, config.floatX) if normalize else kernel


def bilinear_kernel_2D(ratio, normalize=True):
    """Pyramid of weights for upsampling by `ratio` along both axes.

    Parameters
    ----------
    ratio : int or symbolic int
    normalize : bool
        Divide by the square of `ratio`.

    Returns
    -------
    matrix, shape (2 * ratio - 1, 2 * ratio - 1)
    """
    line = bilinear_kernel_1D(ratio=ratio, normalize=normalize).dimshuffle("x", 0)
    return T.dot(line.T, line)


def _interpolated(image, row_ratio, column_ratio):
    """Images ``(n, 1, rows, columns)`` upsampled along each axis whose ratio is not 1; the ends are repeated.

    The value of pixel `s` goes to place ``s * ratio + (ratio - 1) // 2``, with straight lines between.
    """
    ratios = (row_ratio, column_ratio)
    kernel = T.dot(bilinear_kernel_1D(row_ratio).dimshuffle(0, "x"), bilinear_kernel_1D(column_ratio).dimshuffle("x", 0))
    lengths = [image.shape[2], image.shape[3]]
    full, cut = [], []
    for axis, ratio in enumerate(ratios):
        if ratio == 1:
            full.append(lengths[axis])
            cut.append(slice(None))
            continue
        ends = [[slice(None)] * 4, [slice(None)] * 4]
        ends[0][axis + 2], ends[1][axis + 2] = slice(0, 1), slice(-1, None)
        image = T.concatenate([image[tuple(ends[0])], image, image[tuple(ends[1])]], axis=axis + 2)
        full.append((lengths[axis] + 1) * ratio + 2 * ratio - 1)
        start = 2 * ratio - 1 - (ratio - 1) // 2
        cut.append(slice(start, start + lengths[axis] * ratio))
    spread = conv2d_grad_wrt_inputs(
        image, kernel.dimshuffle("x", "x", 0, 1), input_shape=(None, 1, full[0], full[1]),
        filter_shape=(1, 1, 2 * row_ratio - 1, 2 * column_ratio - 1), border_mode="valid", subsample=ratios,
        filter_flip=True)
    return spread[(slice(None), slice(None)) + tuple(cut)]


def frac_bilinear_upsampling(input, frac_ratio):
    """Upsample by a ratio of two integers.

    Parameters
    ----------
    input : 4-d tensor, shape (batch, channels, rows, columns)
    frac_ratio : (int, int), or one such pair per axis
        Numerator and denominator.

    Returns
    -------
    4-d tensor, shape (batch, channels, ceil(rows * ratio), ceil(columns * ratio))
    """
    pairs = tuple(frac_ratio) if isinstance(frac_ratio[0], tuple) else (tuple(frac_ratio),) * 2
    (row_up, row_down), (column_up, column_down) = pairs
    batch, channels, rows, columns = (input.shape[i] for i in range(4))
    up = _interpolated(input.reshape((batch * channels, 1, rows, columns)), row_up, column_up)
    up = up[:, :, ::row_down, ::column_down]
    return up.reshape((batch, channels, up.shape[2], up.shape[3]))


def bilinear_upsampling(input, ratio=None, frac_ratio=None, batch_size=None, num_input_channels=None,
                        use_1D_kernel=True):
    """Upsample images by bilinear interpolation.

    Parameters
    ----------
    input : 4-d tensor, shape (batch, channels, rows, columns)
    ratio : int, optional
        Factor for rows and columns.
    frac_ratio : (int, int) or pair of such, optional
        Factor as a ratio, in place of `ratio`.
    batch_size, num_input_channels : int, optional
        What is known of the shape.
    use_1D_kernel : bool
        Upsample rows and columns one after the other, which is faster, or at once.

    Returns
    -------
    4-d tensor, shape (batch, channels, rows * ratio, columns * ratio)
    """
    if ratio and frac_ratio:
        raise ValueError("can't use ratio and frac_ratio together")
    if not (ratio or frac_ratio):
        raise ValueError("No ratio (or frac_ratio) provided")
    input = as_tensor_variable(input)
    if frac_ratio:
        if use_1D_kernel:
            raise ValueError("For fractional ratios 1D kernel method not implemented. You may want to pass "
                             "use_1D_kernel as False")
        return frac_bilinear_upsampling(input, frac_ratio=frac_ratio)

    batch = input.shape[0] if batch_size is None else batch_size
    channels = input.shape[1] if num_input_channels is None else num_input_channels
    rows, columns = input.shape[2], input.shape[3]
    up = input.reshape((batch * channels, 1, rows, columns))
    for row_ratio, column_ratio in ((ratio, 1), (1, ratio)) if use_1D_kernel else ((ratio, ratio),):
        up = _interpolated(up, row_ratio, column_ratio)
    return up.reshape((batch, channels, rows * ratio, columns * ratio))
